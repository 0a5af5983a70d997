import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** The configured signing key can't be used. The message says what is accepted, never what was found. */
export class SigningKeyInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SigningKeyInvalid';
  }
}

const accepted =
  'expected Ed25519 private keys: PEM (openssl genpkey -algorithm ed25519), or 32 random bytes in base64, one below the other or separated by commas';

/** RFC 8410, section 7: a private key is this and its 32 bytes. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const seedBytes = 32;

const ofSeed = (text: string): KeyObject => {
  const seed = Buffer.from(text, 'base64');
  try {
    if (seed.length !== seedBytes || seed.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, ''))
      throw new SigningKeyInvalid(accepted);
    // A seed of zeros or a placeholder has few different values; 32 random bytes have fewer than 8 once in 10^24.
    if (new Set(seed).size < 8) throw new SigningKeyInvalid('expected random bytes; make them with: openssl rand -base64 32');
    return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  } finally {
    seed.fill(0);
  }
};

const ofPem = (text: string): KeyObject => {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw new SigningKeyInvalid(accepted);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new SigningKeyInvalid(accepted);
  return key;
};

const pemBlock = /-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g;

/**
 * One key or, while keys are rotated, several, each of which signs: PEM blocks and seeds of 32 bytes in base64, one below the other or
 * separated by commas. Throws `SigningKeyInvalid`.
 */
export const parseSigningKeys = (text: string): readonly KeyObject[] => {
  const seeds = text
    .replaceAll(pemBlock, ' ')
    .split(/[\s,]+/)
    .filter((part) => part !== '');
  const keys = [...(text.match(pemBlock) ?? []).map(ofPem), ...seeds.map(ofSeed)];
  if (keys.length === 0) throw new SigningKeyInvalid(accepted);
  const publicKeys = new Set(keys.map((key) => publicBytes(key).toString('hex')));
  if (publicKeys.size !== keys.length) throw new SigningKeyInvalid('expected different keys, found one twice');
  return keys;
};

/** The 32 bytes that a private Ed25519 key is made of (RFC 8032, 5.1.5). The caller owns the memory. */
export const seedOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' }).subarray(pkcs8Prefix.length);

/** The 32 bytes of the public key (RFC 8032) of a private or public Ed25519 key. */
export const publicBytes = (key: KeyObject): Buffer => {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
  return spki.subarray(-32);
};
