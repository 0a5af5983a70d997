import Stripe from 'stripe';
import { SourceUnavailable } from '../../source-unavailable';

/** Seconds that a `Retry-After` header asks for, 1 to 60; null when it is absent or not a count of seconds. */
export const retryAfterOf = (header: string | null): number | null =>
  header !== null && /^\d{1,5}$/.test(header) ? Math.min(Math.max(Number(header), 1), 60) : null;

/**
 * Whatever the SDK throws, as a `SourceUnavailable` without anything of it: Stripe's messages quote the key's ends,
 * request ids, object ids and parameters.
 */
export const unavailable = (source: string, error: unknown): SourceUnavailable => {
  if (error instanceof SourceUnavailable) return error;
  if (error instanceof Stripe.errors.StripeConnectionError) return connectionFault(source, error.detail);
  if (!(error instanceof Stripe.errors.StripeError)) return new SourceUnavailable(source, 'malformed');
  const status = error.statusCode;
  if (status === undefined) return new SourceUnavailable(source, 'malformed');
  if (error instanceof Stripe.errors.StripeRateLimitError) return new SourceUnavailable(source, 'rate-limited', status);
  if (status === 401 || status === 403) return new SourceUnavailable(source, 'unauthorized', status);
  // 409 is Stripe's lock timeout: the same request may pass a moment later.
  if (status === 409 || status >= 500) return new SourceUnavailable(source, 'fault', status);
  return new SourceUnavailable(source, 'malformed', status);
};

/** Stripe says that the object asked for doesn't exist; an unknown path is a 404 too, without this code. */
export const saysMissing = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError &&
  (error.statusCode === 404 || error.statusCode === 400) &&
  error.code === 'resource_missing';

/** What the SDK wraps around a failed connection; its fetch client keeps the failure of reading a body as `exception`. */
interface Wrapped {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly exception?: unknown;
}

const connectionFault = (source: string, detail: unknown): SourceUnavailable => {
  for (let cause = detail as Wrapped | null | undefined, depth = 0; cause && typeof cause === 'object' && depth < 4; depth += 1) {
    if (cause instanceof SourceUnavailable) return cause;
    const { code } = cause;
    if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return new SourceUnavailable(source, 'timeout');
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new SourceUnavailable(source, 'refused');
    cause = (cause.exception ?? cause.cause) as Wrapped | null | undefined;
  }
  return new SourceUnavailable(source, 'fault');
};
