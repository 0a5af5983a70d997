import { HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { App } from '../app';
import { Failure } from '../failure';
import type { RequestContext } from '../features/request';
import { type Admission, Documents } from '../graphql/documents';
import { extensionsOf, failureIn, formatError, unexpectedMessage } from '../graphql/errors';
import { describeError } from '../log';
import { ulid } from '../ulid';

/** A failure as Apollo sends it. */
export const refusalOf = (failure: Failure, status: number): GraphQLError => {
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

/** Documents as they may be asked for, by whatever comes: parsed, counted and validated already, and nothing of what somebody may not send. */
export class Documented {
  private readonly documents: Documents;

  constructor(private readonly app: App) {
    this.documents = new Documents(app.schema, {
      limits: app.config.limits,
      introspection: !app.config.production,
      tellsPlaces: !app.config.production,
    });
  }

  /** `hash`: SHA-256 of the text, hexadecimal. */
  async admit(context: RequestContext, source: string, hash: string): Promise<Admission> {
    const denied = await unregistered(this.app, context, hash);
    const admission = denied ? { refusal: denied } : await this.documents.admit(source, hash);
    const isOutdated =
      'refusal' in admission && context.isRegistered === true && aboutTheGraph.has(admission.refusal.extensions.code);
    return isOutdated ? { refusal: outdated() } : admission;
  }
}

/** The last look at every error that leaves; what nobody expected is logged. */
export const lastLook = (app: App): ((formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError) =>
  formatError({
    production: app.config.production,
    tellUnexpected: unexpectedMessage(app.config.production),
    onUnexpected: (error) => {
      const requestId = `req_${ulid()}`;
      app.log.error({ requestId, error: describeError(error) }, 'a request failed');
      return requestId;
    },
  });
