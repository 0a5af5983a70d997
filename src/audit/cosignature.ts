import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { parseCheckpoint } from './checkpoint';
import { decodeBase64, NoteInvalid, type NoteSignature, parseNote } from './note';

/** A witness's key, as it publishes it (https://c2sp.org/tlog-cosignature): Ed25519, type 0x04, or ML-DSA-44, type 0x06. */
export interface WitnessKey {
  readonly name: string;
  readonly keyId: number;
  readonly type: 'Ed25519' | 'ML-DSA-44';
  readonly publicKey: KeyObject;
}

/** A witness saw the checkpoint then, and that it continues everything it saw before. */
export interface Cosignature {
  readonly witness: string;
  readonly at: Date;
}

const timestampBytes = 8;

interface Algorithm {
  readonly name: WitnessKey['type'];
  readonly keyBytes: number;
  readonly signatureBytes: number;
  /** DER of SubjectPublicKeyInfo before the key's own bytes: RFC 8410, RFC 9881. */
  readonly spkiPrefix: Buffer;
  /** What is signed for a note's text at a time. */
  readonly message: (text: string, seconds: bigint, witness: string) => Buffer;
}

/** What an Ed25519 witness signs: the time and the checkpoint's text, so that a cosignature is no signature of the log itself. */
export const cosignedText = (text: string, seconds: bigint | number): Buffer =>
  Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`, 'utf8');

/** `opaque text<1..2^8-1>` of RFC 8446. Throws `NoteInvalid`. */
const shortText = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length === 0 || bytes.length > 255) throw new NoteInvalid('expected names of 1 to 255 bytes');
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
};

const uint64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};

/** What an ML-DSA-44 witness signs, `cosigned_message`: its own name, the time, and the tree from its first leaf on, without extension lines. */
export const cosignedTree = (text: string, seconds: bigint, witness: string): Buffer => {
  const { origin, size, root } = parseCheckpoint(text);
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0', 'latin1'),
    shortText(witness),
    uint64(seconds),
    shortText(origin),
    uint64(0n),
    uint64(BigInt(size)),
    root,
  ]);
};

const algorithms: ReadonlyMap<number, Algorithm> = new Map([
  [
    0x04,
    {
      name: 'Ed25519',
      keyBytes: 32,
      signatureBytes: 64,
      spkiPrefix: Buffer.from('302a300506032b6570032100', 'hex'),
      message: cosignedText,
    },
  ],
  [
    0x06,
    {
      name: 'ML-DSA-44',
      keyBytes: 1_312,
      signatureBytes: 2_420,
      spkiPrefix: Buffer.from('30820532300b06096086480165030403110382052100', 'hex'),
      message: cosignedTree,
    },
  ],
]);
const algorithmNamed = (name: WitnessKey['type']) =>
  [...algorithms.values()].find((algorithm) => algorithm.name === name) as Algorithm;

/** Reads `name+hash+base64`. Throws `NoteInvalid`, for a key of a type that this Node can't check as well. */
export const parseWitnessKey = (text: string): WitnessKey => {
  const [name = '', hash = '', ...rest] = text.split('+');
  // Base64 itself may have a plus.
  const bytes = decodeBase64(rest.join('+'));
  const type = bytes?.[0] ?? -1;
  const algorithm = algorithms.get(type);
  if (
    name === '' ||
    /\s/.test(name) ||
    bytes === undefined ||
    bytes.length !== 1 + (algorithm?.keyBytes ?? Number.NaN) ||
    !algorithm
  )
    throw new NoteInvalid(
      'expected a witness key as name+hash+base64, as the witness publishes it: of type 0x04 (cosignature/v1, Ed25519) or 0x06 (ML-DSA-44)',
    );
  const keyId = createHash('sha256').update(`${name}\n`).update(bytes).digest().readUInt32BE();
  if (keyId.toString(16).padStart(8, '0') !== hash)
    throw new NoteInvalid('the hash of this witness key isn’t that of its name and bytes');
  const der = Buffer.concat([algorithm.spkiPrefix, bytes.subarray(1)]);
  try {
    return { name, keyId, type: algorithm.name, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
  } catch {
    throw new NoteInvalid(
      `this witness key is of type 0x0${type} (${algorithm.name}), which this Node (${process.version}) can’t check: expected Node 24.6 or newer, or the witness’s key of type 0x04 (Ed25519)`,
    );
  }
};

const isBy = (key: WitnessKey, { name, keyId }: NoteSignature): boolean => name === key.name && keyId === key.keyId;

/**
 * The witness's cosignature on a checkpoint's note; null where it has none. Throws `NoteInvalid` for one that isn't over this text, or
 * that says no time.
 */
export const cosignatureOn = (note: string, key: WitnessKey): Cosignature | null => {
  const { text, signatures } = parseNote(note);
  const found = signatures.find((signature) => isBy(key, signature));
  if (!found) return null;
  const { signatureBytes, message } = algorithmNamed(key.type);
  const seconds = found.signature.length === timestampBytes + signatureBytes ? found.signature.readBigUInt64BE() : null;
  if (
    seconds === null ||
    seconds > BigInt(Number.MAX_SAFE_INTEGER) / 1_000n ||
    // ML-DSA's may be without a time, and then says nothing of what is the latest.
    (seconds === 0n && key.type === 'ML-DSA-44') ||
    !verify(null, message(text, seconds, key.name), key.publicKey, found.signature.subarray(timestampBytes))
  )
    throw new NoteInvalid('the cosignature of the witness isn’t over this checkpoint');
  return { witness: key.name, at: new Date(Number(seconds) * 1_000) };
};
