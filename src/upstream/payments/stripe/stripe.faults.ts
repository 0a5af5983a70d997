import Stripe from 'stripe';
import { SourceUnavailable } from '../../source-unavailable';

/** Seconds that a `Retry-After` header asks for, 1 to 60; null when it is absent or not a count of seconds. */
export const retryAfterOf = (header: string | null): number | null =>
  header !== null && /^\d{1,5}$/.test(header) ? Math.min(Math.max(Number(header), 1), 60) : null;

/** Stripe repeated a fault that it keeps under the request's idempotency key: whatever the key is sent with again, it says the same. */
export class RepeatedFault extends SourceUnavailable {
  constructor(source: string, status: number) {
    super(source, 'fault', status);
  }
}

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

/** What Stripe calls the object in a request's path where it says that there is none; lists by a parameter name none. */
export const inPath = {
  customer: ['id', 'customer'],
  charge: ['id', 'charge'],
  payment_intent: ['id', 'intent', 'payment_intent'],
  payment_method: ['id', 'payment_method'],
  subscription: ['id', 'subscription', 'subscription_exposed_id'],
  session: ['id', 'session', 'checkout_session'],
  setup_intent: ['id', 'intent', 'setup_intent'],
  review: ['id', 'review'],
  warning: ['id', 'early_fraud_warning'],
  nothing: [],
} as const;
export type InPath = keyof typeof inPath;

/**
 * What it is that Stripe says doesn't exist. `itself`: the object that the path names; `cursor`: the object that a page begins
 * after; `here`: in this account and mode, while there is one in the other mode. Null where it says something else: an unknown
 * path or the page of a proxy is a 404 too, and a parameter may name what doesn't exist.
 */
export const absenceOf = (error: unknown, of: InPath): 'itself' | 'cursor' | 'here' | null => {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError) || error.code !== 'resource_missing') return null;
  const { message, param = null, rawType, statusCode } = error;
  if (rawType !== 'invalid_request_error') return null;
  // Stripe has no code for a key of the other mode: only its sentence tells.
  if (/\b(?:live|test) mode\b/i.test(message)) return 'here';
  if (param === 'starting_after' || param === 'ending_before') return 'cursor';
  const names: readonly string[] = inPath[of];
  return statusCode === 404 && names.length > 0 && (param === null || names.includes(param)) ? 'itself' : null;
};

/** The object that a page begins after is no longer in its list: the pages before may lack what moved. */
export class CursorVanished extends SourceUnavailable {
  constructor(source: string) {
    super(source, 'malformed', 400);
  }
}

/** What the SDK wraps around a failed connection; its fetch client keeps the failure of reading a body as `exception`. */
interface Wrapped {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  readonly exception?: unknown;
}

/** The failure and what caused it, from the outside in. */
function* causesOf(detail: unknown): Iterable<Wrapped> {
  for (let cause = detail as Wrapped | null | undefined, depth = 0; cause && typeof cause === 'object' && depth < 5; depth += 1) {
    yield cause;
    cause = (cause.exception ?? cause.cause) as Wrapped | null | undefined;
  }
}

const connectionFault = (source: string, detail: unknown): SourceUnavailable => {
  for (const cause of causesOf(detail)) {
    if (cause instanceof SourceUnavailable) return cause;
    const { code } = cause;
    if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return new SourceUnavailable(source, 'timeout');
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new SourceUnavailable(source, 'refused');
  }
  return new SourceUnavailable(source, 'fault');
};

/** What Stripe's refusal says, without its message. */
export interface Refusal {
  readonly status: number;
  readonly code: string | null;
  readonly declineCode: string | null;
  /** The parameter that it is about. */
  readonly param: string | null;
}

/** `isRepeated`: the fault is one that Stripe keeps under the key, and not the first answer to it. */
type Lost = { readonly outcome: 'lost'; readonly keySpent: boolean; readonly isRepeated: boolean };

/** What became of a request that changes something. `mismatch`: the key was sent before with other parameters, and nothing was done now. */
export type Write<T> =
  | { readonly outcome: 'done'; readonly answer: T }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  | { readonly outcome: 'mismatch' }
  | Lost;

/** A request that Stripe certainly didn't execute, as far as it isn't for what it asks. */
export type Unsent = { readonly outcome: 'unsent'; readonly why: SourceUnavailable };

export const lost = (keySpent: boolean, isRepeated = false): Lost => ({ outcome: 'lost', keySpent, isRepeated });

/** There was no connection that a request could have been sent on. */
const isUnsent = ({ code, syscall }: Wrapped): boolean =>
  code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ECONNREFUSED' || syscall === 'connect' || syscall === 'getaddrinfo';

const unsent = (why: SourceUnavailable): Unsent => ({ outcome: 'unsent', why });

/**
 * What the SDK's failure of a request that changes something means. Stripe keeps the first result of a key, faults included,
 * once it began to execute (https://docs.stripe.com/api/idempotent_requests).
 */
export const judgeWrite = (source: string, error: unknown): Exclude<Write<never>, { outcome: 'done' }> | Unsent => {
  if (error instanceof Stripe.errors.StripeConnectionError) {
    for (const cause of causesOf(error.detail)) {
      if (cause instanceof SourceUnavailable && (cause.status ?? 0) >= 500) {
        const isRepeated = cause instanceof RepeatedFault;
        // A 502 or 504 is of something before Stripe, behind which the request may still be on its way: its key must stay.
        return lost(isRepeated || cause.status === 500, isRepeated);
      }
      if (cause instanceof SourceUnavailable) return unsent(cause);
      if (isUnsent(cause))
        return unsent(new SourceUnavailable(source, cause.code === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'refused'));
    }
    return lost(false);
  }
  if (!(error instanceof Stripe.errors.StripeError)) return lost(false);
  const { statusCode: status = 0 } = error;
  if (absenceOf(error, 'nothing') === 'here') return unsent(new SourceUnavailable(source, 'unauthorized', status));
  // `idempotency_key_in_use`, or Stripe's lock: another request is being executed, with this key perhaps.
  if (status === 409) return lost(false);
  if (status < 400 || status >= 500) return lost(status === 500);
  if (error instanceof Stripe.errors.StripeRateLimitError || status === 401 || status === 403)
    return unsent(unavailable(source, error));
  if (error instanceof Stripe.errors.StripeIdempotencyError) return { outcome: 'mismatch' };
  const { code = null, decline_code: declineCode = null, param = null } = error;
  return { outcome: 'refused', refusal: { status, code, declineCode, param } };
};

/** The key lacks a permission, and is good otherwise. */
export const isRefusedPermission = (error: unknown): boolean =>
  error instanceof SourceUnavailable && error.why === 'unauthorized' && error.status === 403;
