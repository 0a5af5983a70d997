import { createHmac, hash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { ProgrammingError } from '../failure';
import { assertLiveKey } from './sealing';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** What ten bits are in base32. */
const pairs: readonly string[] = Array.from({ length: 1_024 }, (_, bits) => `${alphabet[bits >>> 5]}${alphabet[bits & 31]}`);

/** 160 bits of a digest in base32 (RFC 4648, section 6), lower case. One case only: MariaDB's default collation ignores it. */
const base32 = (digest: string): string => {
  let text = '';
  let bits = 0;
  let value = 0;
  for (let at = 0; at < 20; at += 1) {
    value = (value << 8) | digest.charCodeAt(at);
    bits += 8;
    if (bits < 10) continue;
    bits -= 10;
    text += pairs[value >>> bits];
    value &= (1 << bits) - 1;
  }
  return text;
};

/** HKDF-SHA256 (RFC 5869) without salt: the input is already a uniformly random key. 32 bytes. */
const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `counterfoil/${purpose}/1`, 32));

/** Bytes that SHA-256 takes at once. */
const block = 64;
/** Bytes of parts that a `Mac` has room for: names, addresses and ids are shorter. */
const usual = 1_024;
/** One byte a character: a digest in a buffer of its own costs as much as making it. */
const sha256 = (bytes: Buffer): string => hash('sha256', bytes, 'binary');
const padded = (key: Buffer, by: number): Buffer => {
  const bytes = Buffer.alloc(block, by);
  for (const [at, byte] of key.entries()) bytes[at] = byte ^ by;
  return bytes;
};

/**
 * HMAC-SHA256 (RFC 2104) under one key over parts, each with its length before it, so that no two lists of parts are the same input. Of two calls for
 * a hash: `createHmac` makes an object for each digest, which takes twice as long as all of this.
 */
class Mac {
  // Of their own, never of a pool that other buffers are cut from: both begin with what the key can be read from.
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** `key` has 32 bytes. */
  constructor(key: Buffer) {
    this.#inner = Buffer.alloc(block + usual);
    padded(key, 0x36).copy(this.#inner);
    this.#outer = Buffer.alloc(block + 32);
    padded(key, 0x5c).copy(this.#outer);
  }

  /** 32 bytes, one a character. */
  of(...parts: readonly string[]): string {
    let length = block;
    for (const part of parts) length += 4 + Buffer.byteLength(part);
    const input = length <= this.#inner.length ? this.#inner : Buffer.alloc(length);
    if (input !== this.#inner) this.#inner.copy(input, 0, 0, block);
    let at = block;
    for (const part of parts) {
      const written = input.write(part, at + 4);
      input.writeUInt32BE(written, at);
      at += 4 + written;
    }
    this.#outer.write(sha256(input.subarray(0, length)), block, 'latin1');
    // What was digested is clear text.
    input.fill(0, block, length);
    return sha256(this.#outer);
  }
}

/** Of a key for one purpose. */
const macFor = (secret: Buffer, purpose: string): Mac => new Mac(derive(secret, purpose));

/**
 * Keyed digests (HMAC-SHA256) of values that must be compared but not read: without the secret nobody can try out
 * e-mail addresses or phone numbers against a stolen column. Each purpose has a key of its own (HKDF, RFC 5869), so that
 * a digest for one purpose says nothing in another.
 */
export class KeyedDigests {
  readonly #search: Mac;
  readonly #surrogate: Mac;
  readonly #device: Mac;
  readonly #pseudonym: Mac;
  readonly #operation: Mac;
  readonly #subject: Mac;

  /** `secret` has 32 random bytes; it isn't kept and may be zeroed afterwards. */
  constructor(secret: Buffer) {
    assertLiveKey(secret);
    this.#search = macFor(secret, 'search');
    this.#surrogate = macFor(secret, 'surrogate');
    this.#device = macFor(secret, 'device');
    this.#pseudonym = macFor(secret, 'pseudonym');
    this.#operation = macFor(secret, 'operation');
    this.#subject = macFor(secret, 'signal');
  }

  /**
   * 32 bytes for an equality search column. `domain` names what is compared (`email`, `phone`, `name`); equal texts in
   * different domains have unrelated digests. The text must be normalized: what isn't there (null) has no digest.
   */
  search(domain: string, normalizedText: string): Buffer {
    if (!domain || !normalizedText)
      throw new ProgrammingError('A search digest needs a domain and a text; store null for no text.');
    return Buffer.from(this.#search.of(domain, normalizedText), 'latin1');
  }

  /** `tok_…`: stands for a provider's token towards the graph. Stable for (source, token), useless at the provider. */
  surrogate(source: string, providerToken: string): string {
    return `tok_${base32(this.#surrogate.of(source, providerToken))}`;
  }

  /** `dev_…`: tells that two payments came from one device, whatever the source; nothing else about it. */
  device(fingerprint: string): string {
    return `dev_${base32(this.#device.of(fingerprint))}`;
  }

  /** `psn_…`: a stable stand-in for any other text, where a log or a report must tell persons apart. */
  pseudonym(text: string): string {
    return `psn_${base32(this.#pseudonym.of(text))}`;
  }

  /** `opn_…`: stands in the log for the name that a client gave its operation, which may be any text: equal names look equal. */
  operation(name: string): string {
    return `opn_${base32(this.#operation.of(name))}`;
  }

  /** `sub_…`: whom or what a signal is about that has no id of ours. Equal texts of one kind look equal within their namespace. */
  subject(kind: string, namespace: string, text: string): string {
    return `sub_${base32(this.#subject.of(kind, namespace, text))}`;
  }
}

/** Bytes of the random salt that each value in the audit log has. */
export const auditSaltBytes = 16;

/**
 * What stands in an audit leaf instead of a personal value: base64url HMAC-SHA256 over salt and value, under a key
 * derived from the customer's own (HKDF, RFC 5869). Whoever has key, salt and value can prove what was logged; once the
 * customer's key is destroyed the digest says nothing, even to somebody who guesses the value. Throws `KeyDestroyed`.
 */
export const auditDigest = (customerKey: Buffer, salt: Buffer, value: string): string =>
  auditMac(customerKey, salt, value).toString('base64url');

/** Whether the digest in a leaf is that of this value, in time that doesn't depend on where they differ. */
export const matchesAuditDigest = (customerKey: Buffer, salt: Buffer, value: string, digest: string): boolean => {
  const expected = auditMac(customerKey, salt, value);
  const given = Buffer.from(digest, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected) && given.toString('base64url') === digest;
};

const auditMac = (customerKey: Buffer, salt: Buffer, value: string): Buffer => {
  assertLiveKey(customerKey);
  if (salt.length !== auditSaltBytes) throw new ProgrammingError(`The salt of an audit digest has ${auditSaltBytes} bytes.`);
  let key = auditKeys.get(customerKey);
  if (!key) {
    key = derive(customerKey, 'audit-digest');
    auditKeys.set(customerKey, key);
  }
  // The salt's length is fixed, so where the value begins is never in doubt.
  return createHmac('sha256', key).update(salt).update(value, 'utf8').digest();
};

/** Derived keys by the customer's key: a page of fifty customers would derive fifty. They live no longer than what they are from. */
const auditKeys = new WeakMap<Buffer, Buffer>();

/** Zeroes what was derived from a customer's key, together with which it is destroyed. */
export const forgetAuditKey = (customerKey: Buffer): void => {
  auditKeys.get(customerKey)?.fill(0);
  auditKeys.delete(customerKey);
};

/**
 * The form in which names and addresses are compared: trimmed, lower case, Unicode NFC. Lower-casing can leave a letter and
 * its accent apart that have a character of their own in lower case only (U+01F0), so NFC comes after it too.
 */
export const normalForm = (text: string): string => text.trim().normalize('NFC').toLowerCase().normalize('NFC');
