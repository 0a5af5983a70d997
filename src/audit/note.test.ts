import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint';
import { emptyRoot } from './merkle';
import {
  formatNote,
  formatSignerKey,
  formatVerifierKey,
  generateSignerKey,
  NoteInvalid,
  openNote,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  signNote,
  verifierKeyOf,
} from './note';

/** The key and note that Go's note package documents, and the example of the specification. */
const neumann = {
  signer: 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  verifier: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature: '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};
const example = {
  verifier: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  note: 'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
};
const signer = generateSignerKey('audit.example/log');
const key = verifierKeyOf(signer);

describe('a key', () => {
  test('comes out of its text and back, and its private half knows the public one', () => {
    expect(formatVerifierKey(parseVerifierKey(neumann.verifier))).toBe(neumann.verifier);
    expect(formatSignerKey(parseSignerKey(neumann.signer))).toBe(neumann.signer);
    expect(formatVerifierKey(verifierKeyOf(parseSignerKey(neumann.signer)))).toBe(neumann.verifier);
    expect(formatSignerKey(parseSignerKey(formatSignerKey(signer)))).toBe(formatSignerKey(signer));
  });

  test('isn’t read from a part of its text, or with any byte changed', () => {
    const texts = [neumann.verifier, example.verifier].flatMap((text) =>
      Array.from(text, (_, at) => [
        text.slice(0, at),
        text.slice(at + 1),
        text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 1) + text.slice(at + 1),
      ]).flat(),
    );
    for (const text of texts) expect(() => parseVerifierKey(text)).toThrow(NoteInvalid);
  });

  test.each([
    ['another hash than its own', 'PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['a hash in capitals', neumann.verifier.replace('c74f20a3', 'C74F20A3')],
    ['another type', 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
    ['bytes to spare', 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='],
    ['base64 of the other alphabet', neumann.verifier.replaceAll('/', '_')],
    ['a private key', neumann.signer],
  ])('isn’t read with %s, and the message repeats nothing of it', (_what, text) => {
    expect(() => parseVerifierKey(text)).toThrow(NoteInvalid);
    expect(() => parseVerifierKey(text)).not.toThrow(new RegExp(text.slice(-20).replaceAll(/[+/]/g, '.')));
  });

  test.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u0085b', 'a\u3000b', 'a\nb'])('isn’t named %j', (name) => {
    expect(() => generateSignerKey(name)).toThrow(NoteInvalid);
  });
});

describe('a note', () => {
  test('is signed as the known answer has it', () => {
    const note = signNote(neumann.text, [parseSignerKey(neumann.signer)]);
    expect(note).toBe(`${neumann.text}\n${neumann.signature}`);
    expect(openNote(note, [parseVerifierKey(neumann.verifier)])).toMatchObject({ text: neumann.text, unverified: [] });
    expect(openNote(example.note, [parseVerifierKey(example.verifier)]).text).toBe('This is an example message.\n');
  });

  test('opens to what was signed, whatever empty lines are in it, and with no bit changed', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\n', '—', ' ', 'é', '😀') }).map((words) => `${words}\n`);
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(7), (words, at, bit) => {
        const note = signNote(words, [signer]);
        expect(openNote(note, [key]).text).toBe(words);
        expect(formatNote(parseNote(note))).toBe(note);
        const bytes = Buffer.from(note, 'utf8');
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ (1 << bit);
        expect(() => openNote(bytes, [key])).toThrow(NoteInvalid);
      }),
    );
  });

  test('needs one known key, keeps what others signed, and is spoiled by a signature that a known key didn’t make', () => {
    const other = generateSignerKey('witness.example');
    const both = signNote('text\n', [signer, other]);
    expect(openNote(both, [key])).toMatchObject({ verified: [{ name: key.name }], unverified: [{ name: 'witness.example' }] });
    expect(openNote(both, [key, verifierKeyOf(other)])).toMatchObject({ verified: [{}, {}], unverified: [] });
    expect(() => openNote(both, [])).toThrow('none of the given keys');
    const [first, second] = parseNote(both).signatures;
    const mixed = formatNote({ text: 'text\n', signatures: [{ ...first!, signature: second!.signature }, second!] });
    expect(() => openNote(mixed, [key, verifierKeyOf(other)])).toThrow('signature of a known key');
    expect(() => openNote(both, [key, key])).toThrow('same name and hash');
  });

  const signature = neumann.signature;
  test.each([
    ['no text', signature],
    ['no signature', `${neumann.text}\n`],
    ['no empty line', `${neumann.text}${signature}`],
    ['no newline at its end', `${neumann.text}\n${signature.trimEnd()}`],
    ['another line among the signatures', `${neumann.text}\n${signature}more\n`],
    ['a control character', `\u0001${neumann.text}\n${signature}`],
    ['a carriage return', `${neumann.text}\n${signature}`.replaceAll('\n', '\r\n')],
    ['more signatures than anyone needs', `${neumann.text}\n${signature.repeat(101)}`],
    ['base64 in another spelling', `${neumann.text}\n${signature.replace('AM=', 'AN=')}`],
    ['a signature of a hash alone', `${neumann.text}\n— PeterNeumann x08gow==\n`],
  ])('isn’t one with %s', (_what, note) => {
    expect(() => openNote(note, [parseVerifierKey(neumann.verifier)])).toThrow(NoteInvalid);
    expect(() => parseNote(note)).toThrow(NoteInvalid);
  });

  test('isn’t one that isn’t UTF-8', () => {
    const note = Buffer.concat([Buffer.of(0xff), Buffer.from(`${neumann.text}\n${signature}`)]);
    expect(() => parseNote(note)).toThrow(NoteInvalid);
  });

  test.each(['no newline', 'tab\t\n', 'lone \ud800\n'])('isn’t made of %j', (text) => {
    expect(() => signNote(text, [signer])).toThrow(NoteInvalid);
  });
});

describe('a checkpoint', () => {
  const checkpoint = { origin: signer.name, size: 123456789012, root: emptyRoot, extensions: ['more'] };

  test('is three lines and what was added', () => {
    expect(formatCheckpoint(checkpoint)).toBe(`audit.example/log\n123456789012\n${emptyRoot.toString('base64')}\nmore\n`);
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    expect(openCheckpoint(signCheckpoint(checkpoint, [signer]), [key])).toEqual(checkpoint);
  });

  test('is signed and believed only by keys of its own log', () => {
    const other = generateSignerKey('other.example/log');
    expect(() => signCheckpoint(checkpoint, [other])).toThrow(NoteInvalid);
    expect(() => signCheckpoint(checkpoint, [])).toThrow(NoteInvalid);
    const note = signNote(formatCheckpoint(checkpoint), [other]);
    expect(() => openCheckpoint(note, [verifierKeyOf(other)])).toThrow('of another log');
    expect(() => openCheckpoint(note, [key])).toThrow('none of the given keys');
  });

  const root = emptyRoot.toString('base64');
  test.each([
    ['a size in hexadecimal', `log\n0xabc\n${root}\n`],
    ['a size with a leading zero', `log\n012\n${root}\n`],
    ['a negative size', `log\n-1\n${root}\n`],
    ['a size that no number holds exactly', `log\n9007199254740992\n${root}\n`],
    ['a root of other length', 'log\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBTOOBIG=\n'],
    ['a root in another spelling', `log\n1\n${root.slice(0, -2)}V=\n`],
    ['another root than the empty one at size 0', `log\n0\n${Buffer.alloc(32).toString('base64')}\n`],
    ['no origin', `\n1\n${root}\n`],
    ['no root', 'log\n1\n'],
    ['an empty line', `log\n1\n${root}\n\n`],
    ['no newline at its end', `log\n1\n${root}`],
  ])('isn’t one with %s', (_what, text) => {
    expect(() => parseCheckpoint(text)).toThrow(NoteInvalid);
  });

  test.each([
    { ...checkpoint, origin: 'two\nlines' },
    { ...checkpoint, origin: '' },
    { ...checkpoint, size: 1.5 },
    { ...checkpoint, size: 2 ** 53 },
    { ...checkpoint, root: Buffer.alloc(31) },
    { ...checkpoint, extensions: [''] },
    { ...checkpoint, size: 0, root: Buffer.alloc(32) },
  ])('isn’t made of what wouldn’t be read again: %j', (wrong) => {
    expect(() => formatCheckpoint(wrong)).toThrow(NoteInvalid);
  });
});

const published = join(__dirname, '../../../shared/vectors/signed-note.json');
if (existsSync(published)) {
  const vectors = JSON.parse(readFileSync(published, 'utf8')) as {
    sign: { skey: string; text: string; msg: string }[];
    good_vkeys: string[];
    bad_vkeys: string[];
    open: { name: string; msg_b64: string; vkeys: string[]; ok: boolean; verified: number; unverified: number }[];
    tree_format: { origin: string; ok: string[]; bad: string[]; size: number };
    checkpoint_example: string;
  };

  describe('the published notes', () => {
    test.each(vectors.sign)('$skey signs as it says', ({ skey, text, msg }) => {
      expect(signNote(text, [parseSignerKey(skey)])).toBe(msg);
    });

    test('have keys that are read, and keys that aren’t', () => {
      expect(vectors.good_vkeys.map((text) => formatVerifierKey(parseVerifierKey(text)))).toEqual(vectors.good_vkeys);
      for (const text of vectors.bad_vkeys) expect(() => parseVerifierKey(text)).toThrow(NoteInvalid);
    });

    test.each(vectors.open.map(({ name, ...rest }) => [name, rest] as const))('%s', (_name, vector) => {
      const opened = () => openNote(Buffer.from(vector.msg_b64, 'base64'), vector.vkeys.map(parseVerifierKey));
      if (!vector.ok) expect(opened).toThrow(NoteInvalid);
      else
        expect({ verified: opened().verified.length, unverified: opened().unverified.length }).toEqual({
          verified: vector.verified,
          unverified: vector.unverified,
        });
    });

    test('have checkpoints that are read, and some that aren’t, or are of another log', () => {
      const { origin, size, ok, bad } = vectors.tree_format;
      for (const text of ok) expect(parseCheckpoint(text)).toMatchObject({ origin, size });
      const isThisLogs = (text: string): boolean => {
        try {
          return parseCheckpoint(text).origin === origin;
        } catch {
          return false;
        }
      };
      expect(bad.filter(isThisLogs)).toEqual([]);
      expect(parseCheckpoint(parseNote(vectors.checkpoint_example).text)).toMatchObject({
        origin: 'example.com/behind-the-sofa',
        size: 20852163,
      });
    });
  });
}
