import { randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ulid } from '../ulid';
import { forgetAuditKey } from './digests';
import { type KeyEncryption, WrappedKeyBroken } from './key-encryption';
import { KeyDestroyed } from './sealing';

export interface DataKey {
  /** `key_…` */
  readonly id: string;
  /** What is stored. */
  readonly wrapped: Buffer;
  /** 32 bytes in clear, for the change that makes the key; not to be stored or logged. */
  readonly key: Buffer;
}

const context = (id: string, owner: string): string => `data-key|${id}|${owner}`;

/** A fresh key for one customer. `owner` is the customer's id; the wrapped key opens for that owner and key id only. */
export const newDataKey = (encryption: KeyEncryption, owner: string): DataKey => {
  const id = `key_${ulid()}`;
  const key = randomBytes(32);
  return { id, wrapped: encryption.wrap(key, context(id, owner)), key };
};

interface HeldKey {
  readonly owner: string;
  readonly wrapped: Buffer;
  readonly key: Buffer;
}

/**
 * The customers' keys that this process has in clear: the most recently used ones, by key id.
 *
 * There is one buffer a key, shared by all who asked for it: the caller must neither write to it nor keep a copy.
 * `forget` zeroes that buffer, so that whoever still holds it gets `KeyDestroyed` from `seal` and `open`. A key that
 * only fell out of the cache isn't zeroed, because somebody may be in the middle of using it; it is followed weakly
 * until the last holder lets go.
 */
export class DataKeyring {
  private readonly recent: LRUCache<string, HeldKey>;
  private readonly held = new Map<string, WeakRef<Buffer>>();
  /** One short text for each erasure in the process's life. */
  private readonly forgotten = new Set<string>();
  private readonly released = new FinalizationRegistry<string>((id) => {
    // By the time this runs the key may have been unwrapped anew.
    if (this.held.get(id)?.deref() === undefined) this.held.delete(id);
  });

  /** `max` is the number of keys kept when nobody uses them. */
  constructor(
    private readonly encryption: KeyEncryption,
    { max = 10_000 }: { readonly max?: number } = {},
  ) {
    this.recent = new LRUCache({ max });
  }

  /**
   * The key in clear, 32 bytes. A cached key is given only for the owner and the wrapped form that were proven; after
   * another wrapped form (a rotation) it is proven again. Throws `WrappedKeyBroken`, and `KeyDestroyed` after `forget`.
   */
  unwrap(id: string, wrapped: Buffer, owner: string): Buffer {
    if (this.forgotten.has(id)) throw new KeyDestroyed();
    const known = this.recent.get(id);
    if (known && known.owner === owner && known.wrapped.equals(wrapped)) return known.key;

    const opened = this.encryption.unwrap(wrapped, context(id, owner));
    if (opened.length !== 32) {
      opened.fill(0);
      throw new WrappedKeyBroken('malformed');
    }
    const key = this.shared(id, opened);
    this.recent.set(id, { owner, wrapped: Buffer.from(wrapped), key });
    return key;
  }

  /** Zeroes the key wherever this process holds it and refuses it from now on, even to whoever still has its wrapped form. */
  forget(id: string): void {
    this.forgotten.add(id);
    const key = this.held.get(id)?.deref();
    if (key) {
      forgetAuditKey(key);
      key.fill(0);
    }
    this.held.delete(id);
    this.recent.delete(id);
  }

  private shared(id: string, opened: Buffer): Buffer {
    const held = this.held.get(id)?.deref();
    if (held && timingSafeEqual(held, opened)) {
      opened.fill(0);
      return held;
    }
    // Two keys under one id: only a restored or altered row does that. The one that others hold stays as it is.
    if (held) {
      opened.fill(0);
      throw new WrappedKeyBroken('malformed');
    }
    this.held.set(id, new WeakRef(opened));
    this.released.register(opened, id);
    return opened;
  }
}
