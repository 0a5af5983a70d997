import { createHmac, timingSafeEqual } from 'node:crypto';
import { assertLiveKey } from './sealing';

/**
 * Vouches for events of this installation: HMAC-SHA256 over the hash of an event's leaf, under a key that nobody has who has the
 * database alone. So whoever can write into the log's tables can't put an event there that a gateway didn't record.
 */
export class EventVouchers {
  readonly #key: Buffer;

  /**
   * `key` has 32 random bytes, and is kept. An event that is recorded before `since` may lack its voucher: gateways of the version
   * before write none.
   */
  constructor(
    key: Buffer,
    readonly since: Date,
  ) {
    assertLiveKey(key);
    this.#key = key;
  }

  /** What stands beside the event: 43 characters of base64url. `leafHash` in hexadecimal. */
  of(leafHash: string): string {
    return this.mac(leafHash).toString('base64url');
  }

  /** Whether this is the voucher of that leaf, in time that doesn't depend on where they differ. */
  vouches(leafHash: string, voucher: string | null): boolean {
    if (typeof voucher !== 'string') return false;
    const given = Buffer.from(voucher, 'base64url');
    const expected = this.mac(leafHash);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  private mac(leafHash: string): Buffer {
    return createHmac('sha256', this.#key).update(`counterfoil/event/1 ${leafHash}`).digest();
  }
}
