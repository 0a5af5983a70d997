import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { Failure, failureCodes } from '../failure';
import { TextRedactor } from '../privacy/redaction';
import { SourceUnavailable } from '../upstream/source-unavailable';

/** The failure that an error of an execution carries, however deep the executor wrapped it. */
export const failureIn = (error: unknown): Failure | undefined => {
  for (let at: unknown = error, depth = 0; at && depth < 5; depth += 1) {
    if (at instanceof Failure) return at;
    if (at instanceof SourceUnavailable) {
      return new Failure('UPSTREAM_UNAVAILABLE', 'A source does not answer just now.', {
        rule: at.source,
        remedy: 'Try again shortly; what it would have filled is null.',
        retryAfter: 10,
      });
    }
    at = (at as { originalError?: unknown }).originalError;
  }
  return undefined;
};

/** What a caller is told of a failure beside its message. */
export const extensionsOf = ({ code, details }: Failure): Readonly<Record<string, unknown>> => {
  const { reason, rule, argument, remedy, retryAfter } = details;
  return Object.fromEntries(
    Object.entries({ code, reason, rule, argument, remedy, retryAfter }).filter(([, value]) => value !== undefined),
  );
};

export const toGraphQLError = (failure: Failure, path?: readonly (string | number)[]): GraphQLError =>
  new GraphQLError(failure.message, {
    ...(path ? { path } : {}),
    extensions: extensionsOf(failure),
    originalError: failure,
  });

const unexpected = 'Something went wrong here. It was logged with this request id.';
/** Characters of an unexpected error's message that are told in development. */
const longestMessage = 500;

/**
 * What is told of an error that nobody expected. In production nothing of it; in development also its message, for whoever builds
 * and has no use for an id. Card numbers don't leave there either.
 */
export const unexpectedMessage = (production: boolean): ((error: unknown) => string) => {
  const redactor = new TextRedactor();
  return (error) =>
    production || !(error instanceof Error)
      ? unexpected
      : `${unexpected} In development only: ${error.name}: ${redactor.redact(error.message).text.slice(0, longestMessage)}`;
};

/** What somebody is told of an error that isn't theirs to see. */
export const internalError = (requestId: string, message: string, path?: readonly (string | number)[]): GraphQLError =>
  new GraphQLError(message, {
    ...(path ? { path } : {}),
    extensions: { code: 'INTERNAL', requestId },
  });

/** One sentence a code: a scanner learns nothing of the graph from it. */
const fixedMessages: Readonly<Record<string, string>> = {
  GRAPHQL_PARSE_FAILED: 'The document is not GraphQL, or too long.',
  GRAPHQL_VALIDATION_FAILED: 'The document does not fit this graph.',
  BAD_USER_INPUT: 'A variable does not fit its type.',
  OPERATION_RESOLUTION_FAILURE: 'Name one operation of the document.',
  BAD_REQUEST: 'Send one JSON object with query, and variables and operationName where needed.',
  PERSISTED_QUERY_OUTDATED:
    'The operation that is registered under this hash does not fit this graph any more; register it as the graph is now.',
  // The words that clients go by: on these they send the document.
  PERSISTED_QUERY_NOT_FOUND: 'PersistedQueryNotFound',
  PERSISTED_QUERY_NOT_SUPPORTED: 'PersistedQueryNotSupported',
};

/** What is told of a hash under which nothing is registered, in the words that clients go by. */
export const persistedQueryNotFound = {
  message: 'PersistedQueryNotFound',
  extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
} as const;

/** GraphQL's sentences about names of a document. Those about its values repeat them, and are not told anywhere. */
const aboutNames =
  /^(?:Cannot query field|Unknown |Fields? "|Fragment|Unused |Variable "\$\w+" (?:is |of )|There can be |Directive "|Argument ")(?!.*(?:found|represent) )/;

/**
 * The last look at every error that leaves. Failures pass as they are; GraphQL's own errors keep their code and, in
 * production, lose their message, which would name fields and repeat what was sent; anything else is already masked or gets no word.
 */
export const formatError =
  (options: {
    readonly production: boolean;
    readonly tellUnexpected: (error: unknown) => string;
    /** Logs an error that nobody expected, and says under which id. */
    readonly onUnexpected: (error: unknown) => string;
  }) =>
  (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const code = String(formatted.extensions?.code ?? '');
    const position = { ...(formatted.path ? { path: formatted.path } : {}) };
    const failure = failureIn(error);
    if (failure) return { message: failure.message, ...position, extensions: extensionsOf(failure) };
    // The executor made it presentable already.
    if ((failureCodes as readonly string[]).includes(code))
      return { message: formatted.message, ...position, extensions: formatted.extensions ?? {} };
    const fixed = fixedMessages[code];
    if (fixed === undefined) {
      const known = formatted.extensions?.requestId;
      // The executor has logged it and chosen its words.
      if (code === 'INTERNAL' && typeof known === 'string')
        return { message: formatted.message, ...position, extensions: { code, requestId: known } };
      return {
        message: options.tellUnexpected(error),
        ...position,
        extensions: { code: 'INTERNAL', requestId: options.onUnexpected(error) },
      };
    }
    const isHelpful = !options.production && code === 'GRAPHQL_VALIDATION_FAILED' && aboutNames.test(formatted.message);
    return {
      message: isHelpful ? formatted.message : fixed,
      ...(isHelpful && formatted.locations ? { locations: formatted.locations } : {}),
      extensions: { code },
    };
  };
