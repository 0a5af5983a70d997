import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { ProgrammingError } from '../failure';
import { createKeyFile, KeyFileInvalid, readKeyFile } from './key-file';

/**
 * Wraps keys so that they can be stored beside what they protect. The port stands for a key store: today the process
 * holds the key-encryption key, a cloud key service can take its place.
 */
export interface KeyEncryption {
  /** Id of the key-encryption key that `wrap` uses. Not a secret; it stands in every wrapped key. */
  readonly id: string;
  /** `context` says whose key this is; the same text is needed to unwrap, so a wrapped key moved to another owner stays shut. */
  wrap(key: Buffer, context: string): Buffer;
  /** Throws `WrappedKeyBroken`. The caller owns the returned memory and may zero it. */
  unwrap(wrapped: Buffer, context: string): Buffer;
}

/** A wrapped key can't be opened. Names the key-encryption key at most, never key material or context. */
export class WrappedKeyBroken extends Error {
  constructor(
    readonly why: 'malformed' | 'unknown-key' | 'authentication',
    keyId?: string,
  ) {
    super(
      {
        malformed: 'A wrapped key is not in a form this version knows.',
        'unknown-key': `A key is wrapped with the key-encryption key "${keyId}", which is not configured; add it after the current one.`,
        authentication: `A wrapped key does not open with the key-encryption key "${keyId}": that key is another one than it was wrapped with, or the stored row was altered or moved.`,
      }[why],
    );
    this.name = 'WrappedKeyBroken';
  }
}

/** The configured key-encryption key can't be used. The message says what is accepted, never what was found. */
export class KeyEncryptionInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyEncryptionInvalid';
  }
}

export interface KeyEncryptionKey {
  /** 1 to 32 of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const version = 1;
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/**
 * AES-256-GCM under keys that this process holds. The first key wraps, all of them unwrap, so that rotation is: put the
 * new one first, wrap everything again, drop the old one. Wrapped form: version, length of id, id, nonce (96 random
 * bits), ciphertext, tag (128 bits). Header and context are associated data. Random nonces allow 2^32 wraps a key
 * (NIST SP 800-38D, section 8.3), one a customer.
 */
export class LocalKeyEncryption implements KeyEncryption {
  readonly id: string;
  readonly #keys = new Map<string, KeyObject>();

  /** The keys are copied; the caller may zero its buffers. Throws `KeyEncryptionInvalid`. */
  constructor(keys: readonly KeyEncryptionKey[]) {
    for (const { id, key } of keys) {
      if (!idPattern.test(id)) throw new KeyEncryptionInvalid('The id of a key-encryption key is 1 to 32 of A-Z a-z 0-9 . _ -');
      if (this.#keys.has(id)) throw new KeyEncryptionInvalid(`Two key-encryption keys have the id "${id}".`);
      if (key.length !== keyBytes) throw new KeyEncryptionInvalid(`The key-encryption key "${id}" must have ${keyBytes} bytes.`);
      // 32 random bytes have fewer than 8 different values once in about 10^24 keys: zeros, placeholders and counters by hand don't pass.
      if (new Set(key).size < 8) {
        throw new KeyEncryptionInvalid(`The key-encryption key "${id}" is not random; make one with: openssl rand -base64 32`);
      }
      this.#keys.set(id, createSecretKey(key));
    }
    const first = keys[0];
    if (!first) throw new KeyEncryptionInvalid('At least one key-encryption key is needed.');
    this.id = first.id;
  }

  /** Whether these bytes are one of the keys. */
  holds(key: Buffer): boolean {
    const asked = createSecretKey(key);
    return [...this.#keys.values()].some((each) => each.equals(asked));
  }

  wrap(key: Buffer, context: string): Buffer {
    if (key.length === 0) throw new ProgrammingError('An empty key was about to be wrapped.');
    const header = Buffer.from([version, this.id.length, ...Buffer.from(this.id, 'ascii')]);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.id)!, nonce, { authTagLength: tagBytes });
    cipher.setAAD(associated(header, context));
    return Buffer.concat([header, nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  }

  unwrap(wrapped: Buffer, context: string): Buffer {
    const headerLength = 2 + (wrapped[1] ?? 0);
    if (wrapped[0] !== version || wrapped.length <= headerLength + nonceBytes + tagBytes) throw new WrappedKeyBroken('malformed');
    const header = wrapped.subarray(0, headerLength);
    const id = header.toString('latin1', 2);
    if (!idPattern.test(id)) throw new WrappedKeyBroken('malformed');
    const key = this.#keys.get(id);
    if (!key) throw new WrappedKeyBroken('unknown-key', id);

    const nonce = wrapped.subarray(headerLength, headerLength + nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(associated(header, context));
    decipher.setAuthTag(wrapped.subarray(-tagBytes));
    const opened = decipher.update(wrapped.subarray(headerLength + nonceBytes, -tagBytes));
    try {
      decipher.final();
    } catch {
      opened.fill(0);
      throw new WrappedKeyBroken('authentication', id);
    }
    return opened;
  }
}

const associated = (header: Buffer, context: string): Buffer =>
  Buffer.concat([Buffer.from('counterfoil/key-wrap\0'), header, Buffer.from(context, 'utf8')]);

const accepted =
  '32 random bytes in base64 (make them with: openssl rand -base64 32), or several as id:base64,id:base64 of which the first wraps';

/** Null unless the text is exactly 32 bytes in base64 or base64url, padded or not. */
const decodeKey = (text: string): Buffer | null => {
  const plain = text.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  const key = Buffer.from(plain, 'base64');
  if (key.length === keyBytes && key.toString('base64').replace(/=+$/, '') === plain) return key;
  key.fill(0);
  return null;
};

const parse = (value: string, place: string): LocalKeyEncryption => {
  const keys: { id: string; key: Buffer }[] = [];
  try {
    for (const part of value.trim().split(',')) {
      const colon = part.indexOf(':');
      const key = decodeKey(part.slice(colon + 1).trim());
      // The id isn't repeated in the message: with the colon at the wrong place it would be half a key.
      if (!key || (colon < 0 && value.includes(','))) throw new KeyEncryptionInvalid(`${place}: ${accepted}.`);
      keys.push({ id: colon < 0 ? 'default' : part.slice(0, colon).trim(), key });
    }
    if (keys.some(({ id }) => !idPattern.test(id))) {
      throw new KeyEncryptionInvalid(`${place}: an id is 1 to 32 of A-Z a-z 0-9 . _ - and begins with a letter or digit.`);
    }
    return new LocalKeyEncryption(keys);
  } catch (error) {
    throw error instanceof KeyEncryptionInvalid && !error.message.startsWith(place)
      ? new KeyEncryptionInvalid(`${place}: ${error.message}`)
      : error;
  } finally {
    for (const { key } of keys) key.fill(0);
  }
};

/**
 * `value` is 32 bytes in base64 (its id is then `default`), or `id:base64[,id:base64…]`, of which the first wraps and all
 * unwrap. Throws `KeyEncryptionInvalid`, whose message names `variable` and never holds the value.
 */
export const keyEncryptionFromEnvironment = (value: string, variable = 'KEY_ENCRYPTION_KEY'): LocalKeyEncryption =>
  parse(value, variable);

/**
 * Reads the file, whose content is what `keyEncryptionFromEnvironment` takes. Refuses a file that `readKeyFile`
 * refuses. With `create`, meant for development only, a missing file is made with a random
 * key; when two processes do that at once, both end with the same key. A file that exists is never overwritten.
 * Throws `KeyEncryptionInvalid`.
 */
export const keyEncryptionFromFile = (path: string, { create }: { readonly create: boolean }): LocalKeyEncryption => {
  let content: Buffer | null;
  try {
    content = readKeyFile(path, accepted);
    if (content === null && create) {
      const key = randomBytes(keyBytes);
      createKeyFile(path, `${key.toString('base64')}\n`);
      key.fill(0);
      content = readKeyFile(path, accepted);
    }
  } catch (error) {
    throw error instanceof KeyFileInvalid ? new KeyEncryptionInvalid(error.message) : error;
  }
  if (content === null) {
    throw new KeyEncryptionInvalid(
      `${path}: there is no such file. It holds ${accepted}; losing it loses every sealed value. Its mode should be 0600.`,
    );
  }
  try {
    return parse(content.toString('utf8'), path);
  } finally {
    content.fill(0);
  }
};
