import { createHmac, timingSafeEqual } from 'node:crypto';

/** Milliseconds for which one nonce is given. It is taken for as long again. */
const givenFor = 60_000;

/**
 * Nonces for proofs (RFC 9449, 8 and 9): a number of the minute and its HMAC-SHA256, the same for everybody. Each process of an installation knows
 * those of the others without being told.
 */
export class ProofNonces {
  constructor(private readonly key: Buffer) {}

  current(now: Date): string {
    return this.of(Math.floor(now.getTime() / givenFor));
  }

  /** Until when one is taken that is good now; null for any other. */
  endOf(nonce: string, now: Date): Date | null {
    const [, minute] = /^([0-9a-z]{1,9})\.[A-Za-z0-9_-]{22}$/.exec(nonce) ?? [];
    if (minute === undefined) return null;
    const at = Number.parseInt(minute, 36);
    const current = Math.floor(now.getTime() / givenFor);
    // The clock of the process that gave it may be ahead.
    if (at < current - 1 || at > current + 1) return null;
    const [expected, given] = [this.of(at), nonce].map((text) => Buffer.from(text));
    return expected!.length === given!.length && timingSafeEqual(expected!, given!) ? new Date((at + 2) * givenFor) : null;
  }

  private of(minute: number): string {
    const mac = createHmac('sha256', this.key).update(`proof nonce ${minute}`).digest().subarray(0, 16);
    return `${minute.toString(36)}.${mac.toString('base64url')}`;
  }
}
