import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { textOf } from './bytes';

/**
 * Signed notes: text that one or more named keys signed, https://c2sp.org/signed-note@v1.0.0. Ed25519 (type 0x01) only;
 * signatures of other types, such as witnesses' cosignatures, are kept and count as unknown.
 */

/** A note, key or checkpoint that isn't one, or that no known key signed. The message repeats nothing of it. */
export class NoteInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoteInvalid';
  }
}

export interface NoteSignature {
  readonly name: string;
  /** First four bytes of what is signed with, big-endian: tells keys of one name apart, and proves nothing. */
  readonly keyId: number;
  readonly signature: Buffer;
}

export interface Note {
  /** What is signed: ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface VerifierKey {
  readonly name: string;
  readonly keyId: number;
  readonly publicKey: KeyObject;
}

export interface SignerKey {
  readonly name: string;
  readonly keyId: number;
  readonly privateKey: KeyObject;
}

export interface OpenedNote {
  readonly text: string;
  readonly verified: readonly NoteSignature[];
  /** By keys that aren't known: they say nothing. */
  readonly unverified: readonly NoteSignature[];
}

const ed25519 = 0x01;
const keyBytes = 32;
const keyIdBytes = 4;
/** As many as Go's implementation reads; the specification asks for at least 16. */
const mostSignatures = 100;
const signatureMark = '— ';
const signerMark = 'PRIVATE+KEY+';

// RFC 8410: what stands before the 32 bytes of an Ed25519 key.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Standard base64 with padding, and in no other spelling; undefined otherwise. Node's decoder accepts anything. */
export const decodeBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};

/** Text of bytes that are UTF-8 without control characters but newline; undefined otherwise. */
const noteTextOf = (bytes: Uint8Array): string | undefined => {
  const text = textOf(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the specification forbids.
  return text === undefined || /[\u0000-\u0009\u000b-\u001f]/.test(text) ? undefined : text;
};

const isKeyName = (name: string): boolean => name !== '' && !/[\p{White_Space}+]/u.test(name);

const keyIdOf = (name: string, publicKey: Uint8Array): number =>
  createHash('sha256').update(`${name}\n`).update(Buffer.of(ed25519)).update(publicKey).digest().readUInt32BE();

const hexOf = (keyId: number): string => keyId.toString(16).padStart(2 * keyIdBytes, '0');

const rawPublicKey = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' }).subarray(-keyBytes);

/** Splits `name+hash+base64` into its parts; the key is that of Ed25519. */
const parseKeyText = (text: string): { name: string; keyId: number; key: Buffer } => {
  const expected = new NoteInvalid('expected a key as name+hash+base64, of type Ed25519');
  const [name = '', hash = '', ...rest] = text.split('+');
  // Base64 itself may have a plus.
  const bytes = decodeBase64(rest.join('+'));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(hash)) throw expected;
  if (bytes === undefined || bytes.length !== 1 + keyBytes || bytes[0] !== ed25519) throw expected;
  return { name, keyId: Number.parseInt(hash, 16), key: bytes.subarray(1) };
};

/** Reads a public key (vkey), `name+hash+base64`. Throws `NoteInvalid`. */
export const parseVerifierKey = (text: string): VerifierKey => {
  const { name, keyId, key } = parseKeyText(text);
  if (keyIdOf(name, key) !== keyId) throw new NoteInvalid('the hash of this key isn’t that of its name and bytes');
  return { name, keyId, publicKey: createPublicKey({ key: Buffer.concat([spkiPrefix, key]), format: 'der', type: 'spki' }) };
};

export const formatVerifierKey = ({ name, keyId, publicKey }: VerifierKey): string =>
  `${name}+${hexOf(keyId)}+${Buffer.concat([Buffer.of(ed25519), rawPublicKey(publicKey)]).toString('base64')}`;

/** Each key once: `openNote` refuses two of one name and hash. */
export const distinctKeys = (keys: readonly VerifierKey[]): readonly VerifierKey[] => [
  ...new Map(keys.map((key) => [formatVerifierKey(key), key])).values(),
];

export const signerKeyOf = (name: string, privateKey: KeyObject): SignerKey => ({
  name,
  keyId: keyIdOf(name, rawPublicKey(createPublicKey(privateKey))),
  privateKey,
});

/** Reads a private key, `PRIVATE+KEY+name+hash+base64`, as Go's note package writes it. Throws `NoteInvalid`. */
export const parseSignerKey = (text: string): SignerKey => {
  if (!text.startsWith(signerMark)) throw new NoteInvalid('expected a private key as PRIVATE+KEY+name+hash+base64');
  const { name, keyId, key } = parseKeyText(text.slice(signerMark.length));
  const signer = signerKeyOf(name, createPrivateKey({ key: Buffer.concat([pkcs8Prefix, key]), format: 'der', type: 'pkcs8' }));
  if (signer.keyId !== keyId) throw new NoteInvalid('the hash of this private key isn’t that of its name and public key');
  return signer;
};

/** The private key as text: a secret. */
export const formatSignerKey = ({ name, keyId, privateKey }: SignerKey): string => {
  const seed = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-keyBytes);
  return `${signerMark}${name}+${hexOf(keyId)}+${Buffer.concat([Buffer.of(ed25519), seed]).toString('base64')}`;
};

/** Throws `NoteInvalid` for a name that is empty or has a space or a plus. */
export const generateSignerKey = (name: string): SignerKey => {
  if (!isKeyName(name)) throw new NoteInvalid('expected a key name without spaces and plus signs');
  return signerKeyOf(name, generateKeyPairSync('ed25519').privateKey);
};

export const verifierKeyOf = ({ name, keyId, privateKey }: SignerKey): VerifierKey => ({
  name,
  keyId,
  publicKey: createPublicKey(privateKey),
});

const formatSignature = ({ name, keyId, signature }: NoteSignature): string => {
  const id = Buffer.alloc(keyIdBytes);
  id.writeUInt32BE(keyId);
  return `${signatureMark}${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
};

/** The note as text. What `parseNote` made comes out as it went in. */
export const formatNote = ({ text, signatures }: Note): string => `${text}\n${signatures.map(formatSignature).join('')}`;

const parseSignature = (line: string): NoteSignature | undefined => {
  if (!line.startsWith(signatureMark)) return undefined;
  const [name = '', encoded = '', ...rest] = line.slice(signatureMark.length).split(' ');
  const bytes = decodeBase64(encoded);
  if (rest.length > 0 || !isKeyName(name) || bytes === undefined || bytes.length <= keyIdBytes) return undefined;
  return { name, keyId: bytes.readUInt32BE(), signature: bytes.subarray(keyIdBytes) };
};

/** Takes a note apart without believing it. Throws `NoteInvalid`. */
export const parseNote = (note: Uint8Array | string): Note => {
  const text = noteTextOf(typeof note === 'string' ? Buffer.from(note, 'utf8') : note);
  if (text === undefined) throw new NoteInvalid('expected a signed note: UTF-8 without control characters');
  const end = text.lastIndexOf('\n\n');
  const lines = text.slice(end + 2).split('\n');
  if (end < 0 || lines.length < 2 || lines.pop() !== '')
    throw new NoteInvalid('expected a signed note: text, an empty line, and lines of signatures');
  if (lines.length > mostSignatures) throw new NoteInvalid(`expected a signed note with at most ${mostSignatures} signatures`);
  const signatures = lines.map((line) => {
    const signature = parseSignature(line);
    if (signature === undefined) throw new NoteInvalid('expected a signed note whose signatures are lines of — name base64');
    return signature;
  });
  return { text: text.slice(0, end + 1), signatures };
};

/** Signs `text`, which ends in a newline. Ed25519 is deterministic (RFC 8032): the same note each time. Throws `NoteInvalid`. */
export const signNote = (text: string, signers: readonly SignerKey[]): string => {
  if (!text.endsWith('\n') || noteTextOf(Buffer.from(text, 'utf8')) !== text)
    throw new NoteInvalid('expected text that ends in a newline and has no other control character');
  return formatNote({
    text,
    signatures: signers.map(({ name, keyId, privateKey }) => ({
      name,
      keyId,
      signature: sign(null, Buffer.from(text, 'utf8'), privateKey),
    })),
  });
};

/**
 * The text of a note that at least one of `keys` signed. A signature that names a known key and isn't that key's spoils the
 * note. Repeated signatures count once. Throws `NoteInvalid`.
 */
export const openNote = (note: Uint8Array | string, keys: readonly VerifierKey[]): OpenedNote => {
  const { text, signatures } = parseNote(note);
  const verified: NoteSignature[] = [];
  const unverified = new Map<string, NoteSignature>();
  for (const signature of signatures) {
    const isBySame = ({ name, keyId }: { name: string; keyId: number }) => name === signature.name && keyId === signature.keyId;
    const [key, ...further] = keys.filter(isBySame);
    if (key === undefined) {
      unverified.set(formatSignature(signature), signature);
      continue;
    }
    if (further.length > 0) throw new NoteInvalid('two of the given keys have the same name and hash');
    if (verified.some(isBySame)) continue;
    if (!verify(null, Buffer.from(text, 'utf8'), key.publicKey, signature.signature))
      throw new NoteInvalid('the signature of a known key isn’t over this text');
    verified.push(signature);
  }
  if (verified.length === 0) throw new NoteInvalid('none of the given keys signed this note');
  return { text, verified, unverified: [...unverified.values()] };
};
