import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { formatCheckpoint } from './checkpoint';
import { cosignatureOn, cosignedText, cosignedTree, parseWitnessKey } from './cosignature';
import { formatNote, NoteInvalid } from './note';

const name = 'witness.example.com/w2';
const vkey = (type: number, raw: Buffer, hash?: string): string => {
  const bytes = Buffer.concat([Buffer.of(type), raw]);
  const digest = createHash('sha256').update(`${name}\n`).update(bytes).digest().subarray(0, 4).toString('hex');
  return `${name}+${hash ?? digest}+${bytes.toString('base64')}`;
};
const told = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof NoteInvalid) return error.message;
    throw error;
  }
  return '';
};

const root = Buffer.alloc(32, 7);
const text = formatCheckpoint({ origin: 'log.example.com', size: 0x1234, root, extensions: ['UNANCHORED'] });
const noteOf = (keyId: number, seconds: bigint, signature: Buffer): string => {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(seconds);
  return formatNote({ text, signatures: [{ name, keyId, signature: Buffer.concat([time, signature]) }] });
};
const seconds = 1_790_000_000n;

/** A pair of keys where this Node has the algorithm. */
const pairOf = (algorithm: string): { publicKey: KeyObject; privateKey: KeyObject } | null => {
  try {
    return (generateKeyPairSync as (of: string) => { publicKey: KeyObject; privateKey: KeyObject })(algorithm);
  } catch {
    return null;
  }
};

describe('a witness’s key', () => {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);

  it('is of one of two types, and its hash is that of its name and bytes', () => {
    expect(parseWitnessKey(vkey(4, raw))).toMatchObject({ name, type: 'Ed25519' });
    for (const text of [vkey(1, raw), vkey(5, raw), vkey(4, raw.subarray(1)), vkey(6, raw), `${name}+00000000+`, name])
      expect(told(() => parseWitnessKey(text))).toMatch(/0x04 .*0x06/);
    expect(told(() => parseWitnessKey(vkey(4, raw, '00000000')))).toMatch(/hash of this witness key/);
    expect(told(() => parseWitnessKey(vkey(6, Buffer.alloc(1_312, 1), '00000000')))).toMatch(/hash of this witness key/);
  });

  const pair = pairOf('ml-dsa-44');
  it('of type 0x06 is taken where this Node has ML-DSA-44, and otherwise refused with the type’s name', () => {
    const bytes = pair?.publicKey.export({ type: 'spki', format: 'der' }).subarray(-1_312) ?? Buffer.alloc(1_312, 1);
    const key = vkey(6, bytes);
    if (pair === null) expect(told(() => parseWitnessKey(key))).toMatch(/type 0x06 \(ML-DSA-44\), which this Node .*24\.6.*0x04/);
    else expect(parseWitnessKey(key)).toMatchObject({ name, type: 'ML-DSA-44' });
  });
});

describe('a cosignature', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = parseWitnessKey(vkey(4, publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)));

  it('is over the time and the whole checkpoint, by Ed25519', () => {
    const note = noteOf(key.keyId, seconds, sign(null, cosignedText(text, seconds), privateKey));
    expect(cosignatureOn(note, key)).toEqual({ witness: name, at: new Date(Number(seconds) * 1_000) });
    expect(told(() => cosignatureOn(note.replace('UNANCHORED', 'ANCHORED'), key))).toMatch(/isn’t over this checkpoint/);
  });

  it('by ML-DSA-44 is over a structure with the witness’s name, the time, the log’s name, the leaves and their root', () => {
    // https://c2sp.org/tlog-cosignature, "ML-DSA-44 signed message", written out byte by byte.
    const hex = (value: string) => Buffer.from(value, 'latin1').toString('hex');
    expect(cosignedTree(text, seconds, name).toString('hex')).toBe(
      [
        `${hex('subtree/v1')}0a00`,
        `16${hex('witness.example.com/w2')}`,
        '000000006ab13b80',
        `0f${hex('log.example.com')}`,
        '0000000000000000',
        '0000000000001234',
        '07'.repeat(32),
      ].join(''),
    );
    expect(told(() => cosignedTree(text, seconds, 'w'.repeat(256)))).toMatch(/1 to 255 bytes/);
  });

  const pair = pairOf('ml-dsa-44');
  it('by ML-DSA-44 is checked, and is none without a time; where this Node hasn’t that, no key believes it', () => {
    if (pair === null) {
      expect(told(() => parseWitnessKey(vkey(6, Buffer.alloc(1_312, 1))))).toMatch(/ML-DSA-44.*can’t check/);
      return;
    }
    const { publicKey: open, privateKey: secret } = pair;
    const witness = parseWitnessKey(vkey(6, open.export({ type: 'spki', format: 'der' }).subarray(-1_312)));
    const at = (time: bigint) => noteOf(witness.keyId, time, sign(null, cosignedTree(text, time, name), secret));
    expect(cosignatureOn(at(seconds), witness)).toEqual({ witness: name, at: new Date(Number(seconds) * 1_000) });
    // No statement is made about extension lines.
    expect(cosignatureOn(at(seconds).replace('UNANCHORED', 'ANCHORED'), witness)).not.toBeNull();
    expect(told(() => cosignatureOn(at(seconds).replace('4660', '4661'), witness))).toMatch(/isn’t over this checkpoint/);
    expect(told(() => cosignatureOn(at(0n), witness))).toMatch(/isn’t over this checkpoint/);
  });
});
