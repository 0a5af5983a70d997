import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CanonicalValue, canonicalize } from './canonical';

const numberOf = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE();

/** RFC 8785, appendix B. */
const numbers: readonly (readonly [hex: string, json: string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
];

describe('canonical JSON, by the known answers of RFC 8785', () => {
  test('3.2.2, the first example', () => {
    const value = {
      numbers: [JSON.parse('333333333.33333329') as number, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '€$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalize(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('3.2.3, members by UTF-16 code units', () => {
    const value = {
      '€': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '😀': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      ö: 'Latin Small Letter O With Diaeresis',
    };
    const order = [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ];
    const text = canonicalize(value);
    expect(order.every((name) => text.includes(name))).toBe(true);
    expect([...order].sort((a, b) => text.indexOf(a) - text.indexOf(b))).toEqual(order);
  });

  test.each(numbers)('appendix B, %s is %s', (hex, json) => {
    expect(canonicalize(numberOf(hex))).toBe(json);
  });

  test.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('appendix B, %s is refused', (hex) => {
    expect(() => canonicalize(numberOf(hex))).toThrow(TypeError);
  });
});

describe('canonical JSON', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an object', { a: undefined }],
    ['undefined in a list', [undefined]],
    ['a hole in a list', new Array(1)],
    ['a hole between two items', Object.assign([1, 2, 3], { length: 5 })],
    ['a date', { at: new Date(0) }],
    ['a buffer', Buffer.from('a')],
    ['a map', new Map([['a', 1]])],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a big integer', 5n],
    ['a lone high surrogate', '\ud800'],
    ['a lone low surrogate', 'a\udc00b'],
    ['surrogates in the wrong order', '\udc00\ud800'],
    ['a lone surrogate in a name', { '\ud800': 1 }],
    ['NaN deep inside', { a: [{ b: Number.NaN }] }],
  ])('refuses %s', (_name, value) => {
    expect(() => canonicalize(value as CanonicalValue)).toThrow(TypeError);
  });

  test('is one text for one value, in whatever order it was put together', () => {
    expect(canonicalize({ b: [{ d: 1, c: 2 }], a: 'x' })).toBe(
      canonicalize(JSON.parse('{ "a" : "x", "b": [ {"c":2,"d":1.0} ] }')),
    );
  });

  test('leaves nothing out that a prototype would hide', () => {
    expect(canonicalize(JSON.parse('{"__proto__":{"a":1},"constructor":2}'))).toBe('{"__proto__":{"a":1},"constructor":2}');
  });

  const published = join(__dirname, '../../../shared/vectors/jcs-rfc8785.json');
  if (existsSync(published)) {
    const vectors = JSON.parse(readFileSync(published, 'utf8')) as {
      files: { name: string; input_b64: string; output_b64: string }[];
      numbers: { ieee754_hex: string; json: string }[];
      refuse_ieee754_hex: string[];
    };

    test.each(vectors.files.map(({ name, ...rest }) => [name, rest] as const))(
      'is what the published %s says',
      (_name, { input_b64, output_b64 }) => {
        const input = JSON.parse(Buffer.from(input_b64, 'base64').toString('utf8')) as CanonicalValue;
        expect(Buffer.from(canonicalize(input), 'utf8').toString('base64')).toBe(output_b64);
      },
    );

    test('is what the published numbers say', () => {
      expect(vectors.numbers.map(({ ieee754_hex }) => canonicalize(numberOf(ieee754_hex)))).toEqual(
        vectors.numbers.map(({ json }) => json),
      );
      for (const hex of vectors.refuse_ieee754_hex) expect(() => canonicalize(numberOf(hex))).toThrow(TypeError);
    });
  }
});
