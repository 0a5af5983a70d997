/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Refused before anything was executed: not kept under the request's key. */
  readonly isUnexecuted?: boolean;
}

/** Seconds for which Stripe keeps what came of a key. */
export const keyLifetime = 24 * 3_600;

interface Kept {
  readonly fingerprint: string;
  readonly at: number;
  /** Null while the request is being executed. */
  answer: Answer | null;
}

const refusal = (status: number, code: string | null, message: string): Answer => ({
  status,
  body: { error: { type: 'idempotency_error', ...(code === null ? {} : { code }), message } },
  isUnexecuted: true,
});

/**
 * Idempotency as Stripe documents it (https://docs.stripe.com/api/idempotent_requests): the status and body of the first
 * request that began to execute are kept for each key, faults included, and repeated; other parameters under the same key
 * are refused, and so is a key whose request is still being executed. What fails validation is not kept.
 */
export class IdempotencyKeys {
  private readonly kept = new Map<string, Kept>();

  /** What the request is answered with without being executed, or null: then it is executed, and `finish` is called. */
  begin(key: string | null, fingerprint: string, now: number): Answer | null {
    if (key === null) return null;
    const known = this.kept.get(key);
    if (known === undefined || now - known.at >= keyLifetime) {
      this.kept.set(key, { fingerprint, at: now, answer: null });
      return null;
    }
    if (known.fingerprint !== fingerprint)
      return refusal(
        400,
        null,
        'Keys for idempotent requests can only be used with the same parameters they were first used with.',
      );
    if (known.answer === null)
      return refusal(409, 'idempotency_key_in_use', 'There is currently another in-progress request using this Idempotent Key.');
    return { ...known.answer, headers: { ...known.answer.headers, 'idempotent-replayed': 'true' } };
  }

  finish(key: string | null, answer: Answer): Answer {
    const begun = key === null ? undefined : this.kept.get(key);
    if (begun !== undefined && answer.isUnexecuted === true) this.kept.delete(key ?? '');
    else if (begun !== undefined) begun.answer = answer;
    return answer;
  }
}
