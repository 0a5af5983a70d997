import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';
import { Buffer } from 'browser-buffer';

/**
 * What the verifier takes from `node:crypto`, for places that have no Node: SHA-256, and the verification of Ed25519 (RFC 8032) and
 * ML-DSA-44 (FIPS 204), in JavaScript alone. A page opened from disk has WebCrypto, but no Ed25519 in every browser, and nothing of it
 * without waiting.
 */

type KeyType = 'Ed25519' | 'ML-DSA-44';

/** A public key by its own bytes. */
export class PublicKey {
  constructor(
    readonly type: KeyType,
    readonly raw: Uint8Array,
    private readonly der: Uint8Array,
  ) {}

  /** SubjectPublicKeyInfo, the one form that the verifier asks for. */
  export(): Buffer {
    return Buffer.from(this.der);
  }
}

/** DER of SubjectPublicKeyInfo before the key's own bytes (RFC 8410, RFC 9881), and how many those are. */
const prefixes: readonly (readonly [type: KeyType, prefix: string, bytes: number])[] = [
  ['Ed25519', '302a300506032b6570032100', 32],
  ['ML-DSA-44', '30820532300b06096086480165030403110382052100', 1_312],
];

export const createPublicKey = ({ key }: { readonly key: Uint8Array }): PublicKey => {
  const hex = Buffer.from(key).toString('hex');
  for (const [type, prefix, bytes] of prefixes)
    if (hex.startsWith(prefix) && key.length === prefix.length / 2 + bytes)
      return new PublicKey(type, Uint8Array.from(key.subarray(-bytes)), Uint8Array.from(key));
  throw new TypeError('expected the SubjectPublicKeyInfo of an Ed25519 or ML-DSA-44 key');
};

const { Point } = ed25519;
const order = Point.Fn.ORDER;
const [pointBytes, signatureBytes] = [32, 64];

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

const areEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);

/**
 * RFC 8032, 5.1.7, without the cofactor: R as it stands in the signature is compared, byte by byte, with S·B - k·A. So do OpenSSL and
 * browsers; who may choose a key otherwise (its own log's owner) could make one by which two verifiers differ.
 */
const isEd25519 = (message: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean => {
  if (signature.length !== signatureBytes) return false;
  const r = signature.subarray(0, pointBytes);
  const s = littleEndian(signature.subarray(pointBytes));
  if (s >= order) return false;
  let a: InstanceType<typeof Point>;
  try {
    // What isn't reduced is reduced, as OpenSSL does.
    a = Point.fromBytes(key, true);
  } catch {
    return false;
  }
  const k = littleEndian(sha512(concatBytes(r, key, message))) % order;
  const times = (point: InstanceType<typeof Point>, scalar: bigint) =>
    scalar === 0n ? Point.ZERO : point.multiplyUnsafe(scalar);
  return areEqual(times(Point.BASE, s).subtract(times(a, k)).toBytes(), r);
};

/** A signature that was looked at, and what came of it. */
export interface CheckedSignature {
  readonly type: KeyType;
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  readonly isValid: boolean;
}

let checked: CheckedSignature[] = [];

/** The signatures that were checked since it was asked last. */
export const takeChecked = (): readonly CheckedSignature[] => {
  const taken = checked;
  checked = [];
  return taken;
};

export const verify = (_digest: null, message: Uint8Array, { type, raw }: PublicKey, signature: Uint8Array): boolean => {
  const [own, over] = [Uint8Array.from(signature), Uint8Array.from(message)];
  const isValid =
    type === 'Ed25519' ? isEd25519(over, raw, own) : own.length === ml_dsa44.lengths.signature && ml_dsa44.verify(own, over, raw);
  checked.push({ type, message: over, key: raw, signature: own, isValid });
  return isValid;
};

/** `hash('sha256', bytes, 'binary')`: the digest as a text of its bytes. */
export const hash = (_algorithm: 'sha256', bytes: Uint8Array, _encoding: 'binary'): string =>
  String.fromCharCode(...sha256(bytes));

class Hash {
  private readonly pieces: Uint8Array[] = [];

  update(piece: Uint8Array | string): this {
    this.pieces.push(typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece);
    return this;
  }

  digest(): Buffer;
  digest(encoding: 'hex'): string;
  digest(encoding?: 'hex'): Buffer | string {
    const digest = Buffer.from(sha256(concatBytes(...this.pieces.map((piece) => Uint8Array.from(piece)))));
    return encoding === undefined ? digest : digest.toString(encoding);
  }
}

export const createHash = (_algorithm: 'sha256'): Hash => new Hash();

/** What signs has no place in a verifier. */
const refuse = (): never => {
  throw new TypeError('a verifier makes and uses no private key');
};
export const createPrivateKey = refuse;
export const generateKeyPairSync = refuse;
export const sign = refuse;
