import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { ProgrammingError } from '../failure';
import { assertLiveKey } from './sealing';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Base32 (RFC 4648, section 6), lower case, no padding. One case only: MariaDB's default collation ignores it. */
const base32 = (bytes: Buffer): string => {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text;
};

/** HKDF-SHA256 (RFC 5869) without salt: the input is already a uniformly random key. 32 bytes. */
const derive = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `counterfoil/${purpose}/1`, 32));

/** HMAC-SHA256 over the parts, each with its length before it, so that no two lists of parts are the same input. */
const mac = (key: Buffer, ...parts: readonly string[]): Buffer => {
  const lengths = parts.map((part) => Buffer.byteLength(part));
  const input = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, 0));
  let at = 0;
  for (const [index, part] of parts.entries()) {
    at = input.writeUInt32BE(lengths[index] as number, at);
    at += input.write(part, at);
  }
  // One update: a call costs more than what it hashes.
  return createHmac('sha256', key).update(input).digest();
};

/** 160 bits, 32 characters: two of a billion values meet with a probability below 10^-30. */
const short = (digest: Buffer): string => base32(digest.subarray(0, 20));

/**
 * Keyed digests (HMAC-SHA256) of values that must be compared but not read: without the secret nobody can try out
 * e-mail addresses or phone numbers against a stolen column. Each purpose has a key of its own (HKDF, RFC 5869), so that
 * a digest for one purpose says nothing in another.
 */
export class KeyedDigests {
  readonly #search: Buffer;
  readonly #surrogate: Buffer;
  readonly #device: Buffer;
  readonly #pseudonym: Buffer;
  readonly #operation: Buffer;
  readonly #subject: Buffer;

  /** `secret` has 32 random bytes; it isn't kept and may be zeroed afterwards. */
  constructor(secret: Buffer) {
    assertLiveKey(secret);
    this.#search = derive(secret, 'search');
    this.#surrogate = derive(secret, 'surrogate');
    this.#device = derive(secret, 'device');
    this.#pseudonym = derive(secret, 'pseudonym');
    this.#operation = derive(secret, 'operation');
    this.#subject = derive(secret, 'signal');
  }

  /**
   * 32 bytes for an equality search column. `domain` names what is compared (`email`, `phone`, `name`); equal texts in
   * different domains have unrelated digests. The text must be normalized: what isn't there (null) has no digest.
   */
  search(domain: string, normalizedText: string): Buffer {
    if (!domain || !normalizedText)
      throw new ProgrammingError('A search digest needs a domain and a text; store null for no text.');
    return mac(this.#search, domain, normalizedText);
  }

  /** `tok_…`: stands for a provider's token towards the graph. Stable for (source, token), useless at the provider. */
  surrogate(source: string, providerToken: string): string {
    return `tok_${short(mac(this.#surrogate, source, providerToken))}`;
  }

  /** `dev_…`: tells that two payments came from one device, whatever the source; nothing else about it. */
  device(fingerprint: string): string {
    return `dev_${short(mac(this.#device, fingerprint))}`;
  }

  /** `psn_…`: a stable stand-in for any other text, where a log or a report must tell persons apart. */
  pseudonym(text: string): string {
    return `psn_${short(mac(this.#pseudonym, text))}`;
  }

  /** `opn_…`: stands in the log for the name that a client gave its operation, which may be any text: equal names look equal. */
  operation(name: string): string {
    return `opn_${short(mac(this.#operation, name))}`;
  }

  /** `sub_…`: whom or what a signal is about that has no id of ours. Equal texts of one kind look equal within their namespace. */
  subject(kind: string, namespace: string, text: string): string {
    return `sub_${short(mac(this.#subject, kind, namespace, text))}`;
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
