import { ApolloServer, type ApolloServerOptionsWithGateway, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { type DocumentNode, GraphQLError, parse } from 'graphql';
import type { App } from '../app';
import { Failure } from '../failure';
import type { RequestContext } from '../features/request';
import { answerText } from '../graphql/answer-text';
import { Documents } from '../graphql/documents';
import { extensionsOf, failureIn, formatError, unexpectedMessage } from '../graphql/errors';
import { describeError } from '../log';
import { ulid } from '../ulid';

/**
 * Apollo Server in front of our executor. The gateway interface is Apollo's own place for an executor of one's own.
 * Batching is off, writes and reads without a preflight are refused (CSRF), errors pass one last formatting.
 */
export const createApollo = async (
  app: App,
  onError: (code: string) => void = () => {},
): Promise<ApolloServer<RequestContext>> => {
  const gateway: NonNullable<ApolloServerOptionsWithGateway<RequestContext>['gateway']> = {
    load: async () => ({
      executor: async (request) => {
        const { document, operationName, context } = request;
        const execution = { document, operationName, variables: request.request.variables ?? {} };
        const result = await app.executor.execute(execution, context as unknown as RequestContext);
        const unavailable = result.errors?.find(({ extensions }) => extensions.code === 'RECORD_UNAVAILABLE');
        if (unavailable) answerLater(request, Number(unavailable.extensions.retryAfter));
        return result as never;
      },
    }),
    onSchemaLoadOrUpdate: (callback) => {
      callback({ apiSchema: app.schema, coreSupergraphSdl: '' });
      return () => {};
    },
    stop: async () => {},
  };
  const format = formatError({
    production: app.config.production,
    tellUnexpected: unexpectedMessage(app.config.production),
    onUnexpected: (error) => {
      const requestId = `req_${ulid()}`;
      app.log.error({ requestId, error: describeError(error) }, 'a request failed');
      return requestId;
    },
  });
  const server = new ApolloServer<RequestContext>({
    gateway,
    introspection: !app.config.production,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: app.config.production,
    persistedQueries: false,
    stringifyResult: answerText,
    // Ours keeps and validates them.
    documentStore: null,
    formatError: (formatted, error) => {
      const told = format(formatted, error);
      onError(String(told.extensions?.code));
      return told;
    },
    logger: silent,
    nodeEnv: app.config.production ? 'production' : 'development',
    // Ours: the HTTP server drains first, then Apollo has nothing left.
    stopOnTerminationSignals: false,
    // Cache control alone costs a quarter of the throughput; nothing here may be cached by anybody.
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      admitting(
        app,
        new Documents(app.schema, {
          limits: app.config.limits,
          introspection: !app.config.production,
          tellsPlaces: !app.config.production,
        }),
      ),
    ],
  } as ApolloServerOptionsWithGateway<RequestContext> as ConstructorParameters<typeof ApolloServer<RequestContext>>[0]);
  await server.start();
  return server;
};

const noSuchOperation = (): GraphQLError =>
  refusalOf(Failure.invalid('operationName', 'expected the name of one operation of the document'), 400);

/** What Apollo goes on with where a document isn't served: nothing of it is run. */
const nothing = parse('{ __typename }', { noLocation: true });

/** A failure as Apollo sends it. */
const refusalOf = (failure: Failure, status: number): GraphQLError => {
  const { retryAfter } = failure.details;
  const headers = new HeaderMap(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)]]);
  return new GraphQLError(failure.message, {
    extensions: { ...extensionsOf(failure), http: { status, headers } },
    originalError: failure,
  });
};

/** A text that whoever sent it may not send: they are answered registered operations only, and it is none. Null otherwise. */
const unregistered = async (
  { operations, denials }: App,
  { actor, isRegistered }: RequestContext,
  hash: string,
): Promise<GraphQLError | null> => {
  if (isRegistered || !operations.isLimited(actor)) return null;
  try {
    if ((await operations.text(hash)) !== null) return null;
  } catch (error) {
    const failure = failureIn(error);
    if (!failure) throw error;
    return refusalOf(failure, 503);
  }
  const denial = Failure.denied('UNREGISTERED', 'operations.registeredOnly');
  await denials.record([{ actor, rule: 'operations.registeredOnly', reason: 'UNREGISTERED', ticketIds: [] }]);
  return refusalOf(denial, 403);
};

/** Of what was registered while the graph was another. */
const outdated = (): GraphQLError =>
  new GraphQLError('outdated', { extensions: { code: 'PERSISTED_QUERY_OUTDATED', http: { status: 400 } } });

const aboutTheGraph: ReadonlySet<unknown> = new Set(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']);

/**
 * Hands Apollo documents that are parsed, counted and validated already: what it would do itself it does before anything of ours
 * can count. What somebody may not send isn't even looked into. A refusal waits until Apollo asks whether the operation may run.
 */
const admitting = (app: App, documents: Documents): ApolloServerPlugin<RequestContext> => ({
  requestDidStart: async () => {
    let refusal: GraphQLError | undefined;
    return {
      didResolveSource: async (context) => {
        const { contextValue, source, queryHash } = context;
        const denied = await unregistered(app, contextValue, queryHash);
        const admission = denied ? { refusal: denied } : await documents.admit(source, queryHash);
        if ('refusal' in admission) {
          const isOutdated = contextValue.isRegistered === true && aboutTheGraph.has(admission.refusal.extensions.code);
          refusal = isOutdated ? outdated() : admission.refusal;
        }
        // Readonly to plugins by its type only.
        (context as { document?: DocumentNode }).document = 'refusal' in admission ? nothing : admission.document;
      },
      didResolveOperation: async ({ operation }) => {
        if (refusal) throw refusal;
        // The executor would be told no name, and would run the only operation of a document under whatever name was asked for.
        if (!operation) throw noSuchOperation();
      },
    };
  },
});

/** 503, and after how many seconds it may be asked again. */
const answerLater = (request: unknown, seconds: number): void => {
  const { response } = request as { response?: { http?: { status?: number; headers: Map<string, string> } } };
  if (!response?.http) return;
  response.http.status = 503;
  response.http.headers.set('retry-after', String(seconds));
};

/** Apollo's own log would repeat what was sent; faults are logged by the executor, with the request's id. */
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
