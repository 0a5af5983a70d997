/** Bytes of a text that is ASCII. */
export const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A part of some bytes, the end excluded: what it takes to look at it without a copy. It is good for as long as the bytes are. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export const partOf = (text: string): Part => {
  const bytes = Buffer.from(text, 'utf8');
  return { bytes, start: 0, end: bytes.length };
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** The text that these bytes are in UTF-8; undefined where they are none. What decoders put in place of such bytes differs. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

/** Whether these bytes stand there. */
export const standsAt = (bytes: Uint8Array, at: number, expected: Uint8Array): boolean => {
  for (let place = 0; place < expected.length; place += 1) if (bytes[at + place] !== expected[place]) return false;
  return true;
};

export const zero = 0x30;
export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= zero + 9;

const hexDigits = ascii('0123456789abcdef');

/** Whether these bytes stand there in lower-case hexadecimal. */
export const standsInHexAt = (text: Uint8Array, at: number, bytes: Uint8Array): boolean => {
  for (let place = 0; place < bytes.length; place += 1) {
    const byte = bytes[place] as number;
    if (text[at + 2 * place] !== hexDigits[byte >> 4] || text[at + 2 * place + 1] !== hexDigits[byte & 15]) return false;
  }
  return true;
};
