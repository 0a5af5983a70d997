import fc from 'fast-check';
import { growthOf } from '../../test/support/growth';
import { DecodedText } from './decoded-text';
import { readingsOf } from './decoding';

const texts = (text: string): string[] => readingsOf(text).map((reading) => reading.text);

/** How each character may be written in an encoding, and what the encoding calls its own. */
const hex = (value: number, width = 2): string => value.toString(16).padStart(width, '0');
const bytes = (character: string): number[] => [...Buffer.from(character, 'utf8')];
const encodings: Readonly<Record<string, (character: string) => string>> = {
  'a decimal reference': (character) => `&#${character.codePointAt(0)};`,
  'a decimal reference with zeros': (character) => `&#000${character.codePointAt(0)};`,
  'a hexadecimal reference': (character) => `&#x${hex(character.codePointAt(0)!)};`,
  'percent encoding': (character) =>
    bytes(character)
      .map((byte) => `%${hex(byte)}`)
      .join(''),
  'quoted-printable': (character) =>
    bytes(character)
      .map((byte) => `=${hex(byte).toUpperCase()}`)
      .join(''),
  'broken quoted-printable': (character) =>
    bytes(character)
      .map((byte) => `=${hex(byte).toUpperCase()}=\r\n`)
      .join(''),
  'an escape of JSON': (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
  'an escape of programs': (character) => `\\u{${hex(character.codePointAt(0)!)}}`,
};

describe('a text that may be encoded', () => {
  it.each([
    ['4242=C2=A04242=20\n4242', '4242\u00a04242 \n4242'],
    ['4242=A04242', '4242\u00a04242'],
    ['42=\r\n42', '4242'],
    ['42=C2=\n=A042', '42\u00a042'],
    ['=34=32', '42'],
    ['4242&nbsp4242&nbsp;42', '4242\u00a04242\u00a042'],
    ['4242&hyphen;42', '4242\u201042'],
    ['&#52&#50', '42'],
    ['&#x34;&#X32', '42'],
    ['&amp;#52;', '4'],
    ['%34%32%C2%A0%a0', '42\u00a0\u00a0'],
    ['%2534', '4'],
    ['%u0034', '4'],
    ['\\u0034\\x32', '42'],
    ['\\\\u0034', '4'],
    ['4242Â\u00a04242Â 4242', '4242\u00a04242 4242'],
    ['4242â€“4242', '4242–4242'],
    ['ï¼”', '４'],
    ['4<b>2</b><!-- 99 -->4<span style="color:#333333;font:12px">2</span>', '4242'],
    ['&lt;b&gt;42', '42'],
    ['<td>42</td><td>42</td>', ' 42  42 '],
    ['42\u200b\u00ad42', '4242'],
    ['④②⁴₂❹➁', '424242'],
    ['NDI0MiA0MjQyIDQyNDIgNDI0Mg==', '4242 4242 4242 4242'],
    ['TXkgY2FyZCBpcyA0MjQyIDQyNDIgNDI0\nMiA0MjQyLg==', 'My card is 4242 4242 424\n2 4242.'],
    ['34323432203432343220343234322034323432', '4242 4242 4242 4242'],
  ])('is read: %j', (written, read) => {
    expect(texts(written)).toContain(read);
  });

  it.each([
    ['card=4242424242424242'],
    ['100%4242'],
    ['C:\\4242'],
    ['a < b & c'],
    ['Straße, é, naïve'],
    ['internationalization'],
    ['4242424242424242'],
    ['<4242>'],
    ['<!-- '],
  ])('is always read as it is written too: %j', (written) => {
    expect(texts(written)[0]).toBe(written);
  });

  const part = fc.record({
    character: fc.constantFrom('4', '2', '0', ' ', '-', 'c', '\u00a0', '４', '😀', '\n', '–'),
    encoding: fc.constantFrom(null, ...Object.keys(encodings)),
  });

  it('knows of each character where that stands which it was read from', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), (parts) => {
        const pieces = parts.map(({ character, encoding }) => (encoding === null ? character : encodings[encoding]!(character)));
        const written = pieces.join('');
        const expected = parts.map(({ character }) => character).join('');
        const reading = readingsOf(written).find(({ text }) => text === expected);
        // A line's end in the middle is itself something else's sign; what is plain beside a sign may be its rest.
        fc.pre(reading !== undefined);
        let at = 0;
        let unit = 0;
        for (const [index, { character }] of parts.entries()) {
          const { start, end } = reading.written({ start: unit, end: unit + character.length });
          expect([start, end <= at + pieces[index]!.length]).toEqual([at, true]);
          expect(texts(written.slice(start, end))).toContain(character);
          at += pieces[index]!.length;
          unit += character.length;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is read through several layers, with the places of the outermost', () => {
    const layers = fc.array(fc.constantFrom('a decimal reference', 'percent encoding', 'an escape of JSON', 'quoted-printable'), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(layers, fc.constantFrom('4242 4242 4242 4242', '4242\u00a042', '４２'), (names, text) => {
        const encoded = names.reduce<string>((inner, name) => Array.from(inner, encodings[name]!).join(''), text);
        const reading = readingsOf(`a ${encoded} b`).find((each) => each.text === `a ${text} b`);
        expect(reading?.written({ start: 2, end: 2 + text.length })).toEqual({ start: 2, end: 2 + encoded.length });
      }),
    );
  });

  it('is followed through edits of edits', () => {
    const edit = fc.record({ at: fc.nat({ max: 99 }), length: fc.nat({ max: 4 }), text: fc.string({ maxLength: 4 }) });
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 30 }),
        fc.array(fc.array(edit, { maxLength: 4 }), { maxLength: 4 }),
        (text, rounds) => {
          let read = DecodedText.asWritten(text);
          for (const edits of rounds) {
            let free = 0;
            const apart = [...edits]
              .sort((a, b) => a.at - b.at)
              .flatMap(({ at, length, text: by }) => {
                const start = Math.max(at % (read.text.length + 1), free);
                const end = Math.min(start + length, read.text.length);
                if (start >= end) return [];
                free = end;
                return [{ start, end, text: by }];
              });
            read = read.edited(apart);
          }
          let last = 0;
          for (let unit = 0; unit < read.text.length; unit++) {
            const [start, end] = [read.startOf(unit), read.endOf(unit)];
            expect(start).toBeGreaterThanOrEqual(last);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(text.length);
            last = start;
          }
        },
      ),
    );
  });

  const hostile = [
    '<',
    '<a',
    '<!--',
    '<!-- -->',
    '<b>',
    '&',
    '&#',
    '&#0',
    '&nbsp',
    '&nbsp;',
    '&ab',
    '%',
    '%25',
    '%2',
    '=',
    '=3D',
    '=\n',
    '=A0',
    '\\',
    '\\\\',
    '\\u0034',
    'Â',
    'â€',
    'é',
    'A',
    `${'a'.repeat(16)}\n`,
    `${'a'.repeat(17)} `,
    'NDI0MjQyNDI0MjQyNDI0\n',
    '34',
    '3',
    '0x',
    '&amp;amp;',
    '%2525',
    '=3D3D',
    '1',
  ];
  /** Of what begins and never ends. */
  const endless = ['<', '</', '<!', '<!--', '<a ', '&', '&#', '&#x', '%', '=', '\\u{', '0x'];
  it.each([
    ...hostile.map((unit) => ['', unit] as const),
    ...endless.flatMap((begin) => ['a', '0', 'a0', ' ', '-', '="'].map((unit) => [begin, unit] as const)),
  ])('takes time in proportion to its length, of %j and then %j', (begin, unit) => {
    const longest = begin + unit.repeat(Math.ceil((1 << 16) / unit.length));
    expect(growthOf((length) => readingsOf(longest.slice(0, length)), 1 << 12, 1 << 16)).toBeLessThan(1.5);
  });
});
