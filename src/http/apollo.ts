import { ApolloServer, type ApolloServerOptionsWithGateway, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { type DocumentNode, type GraphQLError, parse } from 'graphql';
import type { App } from '../app';
import { Failure } from '../failure';
import type { RequestContext } from '../features/request';
import { answerText } from '../graphql/answer-text';
import { type Documented, lastLook, refusalOf } from './documented';

/**
 * Apollo Server in front of our executor. The gateway interface is Apollo's own place for an executor of one's own.
 * Batching is off, writes and reads without a preflight are refused (CSRF), errors pass one last formatting.
 */
export const createApollo = async (
  app: App,
  documents: Documented,
  onError: (code: string) => void,
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
  const format = lastLook(app);
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
      admitting(documents),
    ],
  } as ApolloServerOptionsWithGateway<RequestContext> as ConstructorParameters<typeof ApolloServer<RequestContext>>[0]);
  await server.start();
  return server;
};

const noSuchOperation = (): GraphQLError =>
  refusalOf(Failure.invalid('operationName', 'expected the name of one operation of the document'), 400);

/** What Apollo goes on with where a document isn't served: nothing of it is run. */
const nothing = parse('{ __typename }', { noLocation: true });

/**
 * Hands Apollo documents that are parsed, counted and validated already: what it would do itself it does before anything of ours
 * can count. What somebody may not send isn't even looked into. A refusal waits until Apollo asks whether the operation may run.
 */
const admitting = (documents: Documented): ApolloServerPlugin<RequestContext> => ({
  requestDidStart: async () => {
    let refusal: GraphQLError | undefined;
    return {
      didResolveSource: async (context) => {
        const { contextValue, source, queryHash } = context;
        const admission = await documents.admit(contextValue, source, queryHash);
        if ('refusal' in admission) refusal = admission.refusal;
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
