import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { ProgrammingError } from '../failure';

/** Where a sealed value stands. A ciphertext moved to any other place doesn't open. */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  /** The row's id. */
  readonly row: string;
}

/** A sealed value can't be opened: altered, moved, or sealed under another key. Names the place, never content. */
export class SealBroken extends Error {
  constructor(
    readonly place: SealedPlace,
    readonly why: 'malformed' | 'authentication',
  ) {
    super(`The sealed value of ${place.table}.${place.column} in row ${place.row} can't be opened (${why}).`);
    this.name = 'SealBroken';
  }
}

/** The key's memory was zeroed: its customer was erased while somebody still held it. */
export class KeyDestroyed extends Error {
  constructor() {
    super('This key was destroyed; what it sealed is gone.');
    this.name = 'KeyDestroyed';
  }
}

const version = 1;
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + nonceBytes;
const bucket = 32;
const endOfText = 0x80;
const zeros = Buffer.alloc(keyBytes);
const separator = '|';

/**
 * Refuses a key of the wrong size, and one that was zeroed on erasure: sealing under zeros would be readable by anybody.
 * Throws `KeyDestroyed`.
 */
export const assertLiveKey = (key: Buffer): void => {
  if (key.length !== keyBytes) throw new ProgrammingError(`A key has ${keyBytes} bytes here.`);
  if (key.equals(zeros)) throw new KeyDestroyed();
};

/** Unambiguous, because only the row, which comes last, may hold the separator. */
const associated = ({ table, column, row }: SealedPlace): Buffer => {
  if (!table || !column || !row || table.includes(separator) || column.includes(separator)) {
    throw new ProgrammingError('A sealed place needs a table and a column without "|", and the id of a row.');
  }
  return Buffer.from(`counterfoil/seal/${version}${separator}${table}${separator}${column}${separator}${row}`, 'utf8');
};

/**
 * AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce and a 128-bit tag: version, nonce, ciphertext, tag. With
 * random nonces a key may seal 2^32 values (section 8.3), far above what one customer has.
 *
 * The text's UTF-8 bytes are closed by 0x80 and filled with zeros to a multiple of 32 (the padding of ISO/IEC 7816-4),
 * so that the length of a name, a phone number or a short "yes" isn't told by its column: all texts up to 31 bytes
 * look alike, and a longer one shows its length to 32 bytes. A sealed value has 29 bytes more than its padded text.
 * Unpaired surrogates become U+FFFD. Throws `KeyDestroyed`.
 */
export const seal = (key: Buffer, place: SealedPlace, text: string): Buffer => {
  assertLiveKey(key);
  const length = Buffer.byteLength(text, 'utf8');
  // Memory of its own: a slice of Node's shared pool would leave the text to whoever gets the slice next.
  const padded = Buffer.alloc(Math.ceil((length + 1) / bucket) * bucket);
  padded.write(text, 0, length, 'utf8');
  padded[length] = endOfText;

  const sealed = Buffer.allocUnsafeSlow(headerBytes + padded.length + tagBytes);
  sealed[0] = version;
  randomFillSync(sealed, 1, nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, sealed.subarray(1, headerBytes), { authTagLength: tagBytes });
  cipher.setAAD(associated(place));
  cipher.update(padded).copy(sealed, headerBytes);
  cipher.final();
  cipher.getAuthTag().copy(sealed, headerBytes + padded.length);
  padded.fill(0);
  return sealed;
};

/** The text that `seal` was given for this key and place. Throws `SealBroken` and `KeyDestroyed`. */
export const open = (key: Buffer, place: SealedPlace, sealed: Buffer): string => {
  assertLiveKey(key);
  const paddedLength = sealed.length - headerBytes - tagBytes;
  if (sealed[0] !== version || paddedLength <= 0 || paddedLength % bucket !== 0) throw new SealBroken(place, 'malformed');

  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, headerBytes), { authTagLength: tagBytes });
  decipher.setAAD(associated(place));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const padded = decipher.update(sealed.subarray(headerBytes, -tagBytes));
  try {
    decipher.final();
    const end = padded.lastIndexOf(endOfText);
    if (end < 0) throw new SealBroken(place, 'malformed');
    return padded.toString('utf8', 0, end);
  } catch (error) {
    throw error instanceof SealBroken ? error : new SealBroken(place, 'authentication');
  } finally {
    padded.fill(0);
  }
};
