import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodeBase64, NoteInvalid, type NoteSignature, parseNote } from './note';

/** A witness's key, as it publishes it: https://c2sp.org/tlog-cosignature@v1.0.0, type 0x04. */
export interface WitnessKey {
  readonly name: string;
  readonly keyId: number;
  readonly publicKey: KeyObject;
}

/** A witness saw the checkpoint then, and that it continues everything it saw before. */
export interface Cosignature {
  readonly witness: string;
  readonly at: Date;
}

const cosignatureType = 0x04;
const keyBytes = 32;
const timestampBytes = 8;
const signatureBytes = 64;

// RFC 8410: what stands before the 32 bytes of an Ed25519 public key.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Reads `name+hash+base64`. Throws `NoteInvalid`. */
export const parseWitnessKey = (text: string): WitnessKey => {
  const [name = '', hash = '', ...rest] = text.split('+');
  // Base64 itself may have a plus.
  const bytes = decodeBase64(rest.join('+'));
  if (name === '' || /\s/.test(name) || bytes?.length !== 1 + keyBytes || bytes[0] !== cosignatureType)
    throw new NoteInvalid('expected a witness key as name+hash+base64, of type cosignature/v1');
  const keyId = createHash('sha256').update(`${name}\n`).update(bytes).digest().readUInt32BE();
  if (keyId.toString(16).padStart(8, '0') !== hash)
    throw new NoteInvalid('the hash of this witness key isn’t that of its name and bytes');
  const der = Buffer.concat([spkiPrefix, bytes.subarray(1)]);
  return { name, keyId, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
};

const isBy = (key: WitnessKey, { name, keyId }: NoteSignature): boolean => name === key.name && keyId === key.keyId;

/** What is signed: the time and the checkpoint's text, so that a cosignature is no signature of the log itself. */
export const cosignedText = (text: string, seconds: bigint | number): Buffer =>
  Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`, 'utf8');

/** The witness's cosignature on a checkpoint's note; null where it has none. Throws `NoteInvalid` for one that isn't over this text. */
export const cosignatureOn = (note: string, key: WitnessKey): Cosignature | null => {
  const { text, signatures } = parseNote(note);
  const found = signatures.find((signature) => isBy(key, signature));
  if (!found) return null;
  const seconds = found.signature.length === timestampBytes + signatureBytes ? found.signature.readBigUInt64BE() : null;
  if (
    seconds === null ||
    seconds > BigInt(Number.MAX_SAFE_INTEGER) / 1_000n ||
    !verify(null, cosignedText(text, seconds), key.publicKey, found.signature.subarray(timestampBytes))
  )
    throw new NoteInvalid('the cosignature of the witness isn’t over this checkpoint');
  return { witness: key.name, at: new Date(Number(seconds) * 1_000) };
};
