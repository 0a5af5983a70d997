import fc from 'fast-check';
import { findCardNumbers } from './card-numbers';
import { containsCardNumber, TextRedactor } from './redaction';

/** Card numbers alone: what else is removed is tried in `redaction.test.ts`. */
const redactor = new TextRedactor([(text) => findCardNumbers(text).map((span) => ({ kind: 'CARD_NUMBER', ...span }))]);
const redacted = (text: string): string => redactor.redact(text).text;
const mark = '[card number removed]';

/** Payment networks' published test numbers. */
const published = [
  ['Visa', '4242424242424242'],
  ['Mastercard', '5555555555554444'],
  ['Mastercard, 2-series', '2223003122003222'],
  ['American Express', '378282246310005'],
  ['American Express', '341111111111111'],
  ['Discover', '6011111111111117'],
  ['Diners Club', '30569309025904'],
  ['Diners Club, 16 digits', '3056930009020004'],
  ['Diners Club', '36227206271667'],
  ['JCB', '3530111333300000'],
  ['UnionPay', '6200000000000047'],
  ['UnionPay, 14 digits', '62123456789002'],
  ['UnionPay, 19 digits', '6205500000000000004'],
  ['Maestro, 16 digits', '6759649826438453'],
  ['Maestro, 18 digits', '586824160825533338'],
  ['Maestro, 19 digits', '6759560045005727054'],
] as const;

const checkDigit = (payload: string): number => {
  for (let digit = 0; digit < 10; digit++) {
    const sum = [...`${payload}${digit}`].reverse().reduce((total, each, index) => {
      const value = Number(each) * (index % 2 === 1 ? 2 : 1);
      return total + Math.floor(value / 10) + (value % 10);
    }, 0);
    if (sum % 10 === 0) return digit;
  }
  throw new Error('unreachable');
};

const networks: readonly (readonly [prefix: string, length: number])[] = [
  ['4', 16],
  ['4', 19],
  ['51', 16],
  ['55', 16],
  ['2221', 16],
  ['2720', 16],
  ['34', 15],
  ['37', 15],
  ['6011', 16],
  ['644', 16],
  ['65', 19],
  ['622126', 16],
  ['622925', 19],
  ['62', 17],
  ['300', 14],
  ['305', 16],
  ['3095', 14],
  ['36', 14],
  ['39', 19],
  ['3528', 16],
  ['3589', 16],
  ['5018', 12],
  ['6761', 13],
  ['5893', 15],
  ['67', 19],
  ['2200', 16],
  ['2204', 19],
  ['606282', 16],
  ['508500', 16],
  ['9792', 16],
];

const digitsArbitrary = fc.array(fc.nat({ max: 9 }), { minLength: 18, maxLength: 18 });
const pan = fc.tuple(fc.constantFrom(...networks), digitsArbitrary).map(([[prefix, length], account]) => {
  const payload = `${prefix}${account.join('')}`.slice(0, length - 1);
  return `${payload}${checkDigit(payload)}`;
});

const closeSeparators = [
  ' ',
  '  ',
  '\u00a0',
  '\u2009',
  '\u202f',
  '\u3000',
  '-',
  '\u2010',
  '\u2011',
  '\u2013',
  '\u2014',
  '\u2212',
  ' - ',
  '.',
  '/',
  '_',
  '\t',
  '\n',
  '\r\n',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\n> ',
  '\n>> ',
  '</b><b>',
  '<br/>',
  '</span> <span class="x">',
  '<!-- -->',
  '&nbsp;',
  '&#160;',
  '&#xA0;',
  '&#8209;',
  '%20',
  '%2D',
  '=\n',
  '\ufe0f\u20e3',
  '\u0336',
  '\0',
  '\u{e0020}',
  '\u{e0041}',
] as const;
const looseSeparators = [',', ', ', ' | ', ':', '** **', '`', '+', ')(', '", "', "'"] as const;

const cut = (number: string, sizes: readonly number[]): string[] => {
  const groups: string[] = [];
  let rest = number;
  for (let index = 0; rest; index++) {
    const size = sizes[index % sizes.length]!;
    groups.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return groups;
};

const scripts = ['0', '\uff10', '\u0660', '\u06f0', '\u0966', '\u0e50', '\u{1d7ce}', '\u{1fbf0}'] as const;
const inScript = (text: string, zero: string): string =>
  text.replace(/[0-9]/g, (digit) => String.fromCodePoint(zero.codePointAt(0)! + Number(digit)));

const closeStyle = fc.record({
  separator: fc.constantFrom(...closeSeparators),
  sizes: fc.oneof(
    fc.constantFrom([4], [4, 6, 5], [4, 6, 4], [2], [1], [3], [5], [6, 13], [19]),
    fc.array(fc.integer({ min: 3, max: 7 }), { minLength: 2, maxLength: 6 }),
  ),
});
const looseStyle = fc.record({ separator: fc.constantFrom(...looseSeparators), sizes: fc.constant([4]) });

/** Text with letters, digits, separators, tags and entities of its own. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.string({ unit: fc.constantFrom(...'0123456789 .<>a&#;%=*+-'), maxLength: 12 }),
      fc.constantFrom(
        ...closeSeparators,
        ...looseSeparators,
        '<td width="4',
        '&#',
        '%',
        '1%2',
        '<a ',
        '4242 42',
        '4242424242424242',
        mark,
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));
const before = anyText.map((text) => text.replace(/[\p{Nd}+]+$/u, ''));
const after = anyText.map((text) => text.replace(/^\p{Nd}+/u, ''));

const zeros = scripts.map((zero) => zero.codePointAt(0)!);
/** All digits of the text as ASCII ones, with everything between them left out. */
const digitsOf = (text: string): string => {
  let digits = '';
  for (const character of text.replace(/\P{Nd}+/gu, '')) {
    const codePoint = character.codePointAt(0)!;
    const zero = zeros.find((each) => codePoint >= each && codePoint < each + 10);
    digits += zero === undefined ? '?' : String(codePoint - zero);
  }
  return digits;
};

describe('a card number', () => {
  it.each(published)('of %s is removed: %s', (_, number) => {
    expect(redacted(`my card is ${number}, thanks`)).toBe(`my card is ${mark}, thanks`);
    expect(redacted(`card${number}exp1229`)).toBe(`card${mark}exp1229`);
    expect(containsCardNumber(number)).toBe(true);
  });

  it('never survives, in any style, amid any text', () => {
    fc.assert(
      fc.property(
        before,
        pan,
        fc.oneof(closeStyle, closeStyle, looseStyle),
        fc.constantFrom(...scripts),
        after,
        (head, number, style, zero, tail) => {
          const groups = cut(number, style.sizes).map((group) => inScript(group, zero));
          const text = `${head}${groups.join(style.separator)}${tail}`;
          const outside = digitsOf(`${head}x${tail}`);
          fc.pre(!outside.includes(number));
          expect(digitsOf(redacted(text))).not.toContain(number);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each(['4242-4242-4242-4242', '4242 4242 4242 4242', '4242424242424242'])(
    'is found in %s before, after and between other numbers',
    (number) => {
      expect(redacted(`12 ${number} 7`)).toBe(`12 ${mark} 7`);
      expect(redacted(`2024-01-15 10:22:33 ${number} 12/29 123`)).toBe(`2024-01-15 10:22:33 ${mark} 12/29 123`);
      expect(redacted(`${number},${number}`)).not.toMatch(/[0-9]/);
      expect(redacted(`order 1234567 ${number}`)).toBe(`order 1234567 ${mark}`);
    },
  );

  it.each([
    ['{"number":"4242424242424242"}', `{"number":"${mark}"}`],
    ['?card=4242%204242%204242%204242&x=1', `?card=${mark}&x=1`],
    ['?q=pay%204242424242424242', `?q=pay%20${mark}`],
    ['?q=%224242424242424242%22', `?q=%22${mark}%22`],
    [';4242424242424242=29121010000000000000?', `;${mark}=29121010000000000000?`],
    ['%B4242424242424242^DOE/JOHN^2912101?', `%B${mark}^DOE/JOHN^2912101?`],
    ['**4242** **4242** **4242** **4242**', `**${mark}**`],
    ['| 4242 | 4242 | 4242 | 4242 |', `| ${mark} |`],
    ['4,242,424,242,424,242', mark],
    ['<td width="50">4242424242424242</td>', `<td width="50">${mark}</td>`],
    ['<a href="4242424242424242">1</a>', `<a href="${mark}">1</a>`],
    ['1<a href="4242424242424242">2', `1<a href="${mark}">2`],
    ['4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣4️⃣2️⃣', `${mark}\ufe0f\u20e3`],
    ['+4242424242424242', `+${mark}`],
    ['4242424242424242¹', `${mark}¹`],
  ])('is found in %s', (text, expected) => {
    expect(redacted(text)).toBe(expected);
  });

  it('takes what is glued to it along: zeros of a fixed-width field, its expiry, its security code', () => {
    for (const text of [
      '0004242424242424242',
      '42424242424242421229',
      '42424242424242421229123',
      '42424242424242422912',
      '3782822463100051229' + '1234',
    ]) {
      expect(redacted(text)).toBe(mark);
    }
    expect(redacted('4242 4242 4242 42421229')).toBe(mark);
  });
});

describe('what is no card number stays', () => {
  it.each([
    ['fails the check', '4242424242424241'],
    ['fails the check', '378282246310006'],
    ['has no issuer', '9242424242424246'],
    ['is too short for its issuer', '424242424242'],
    ['is too long for its issuer', '42424242424242424242424'],
    ['is a masked number', 'card 4242 42** **** 4242, exp 12/29'],
    ['is a masked number', '424242******4242'],
    ['is a masked number', '•••• 4242'],
    ['is a masked number', 'XXXX-XXXX-XXXX-4242'],
    ['is an IBAN', 'DE89 3704 0044 0532 0130 00'],
    ['is an IBAN', 'GB29NWBK60161331926819'],
    ['is a phone number', 'Call +49 1512 3456789 or +1 (415) 555-2671'],
    ['is a phone number that passes as a card', '+4222222222222'],
    ['is an instant', '2024-01-15T10:22:33.123456789Z'],
    ['is an instant', '20240115102233 1705314153123 1705314153123456'],
    ['is a uuid', 'c36d3a55-2e44-2c96-1ac4-edb2d8e8fbe8'],
    ['is a parcel', '9400 1000 0000 0000 0000 00'],
    ['is an IMEI', '490154203237518'],
    ['is a SIM card', '8944500102198304826'],
    ['is a list of ratings', '[4,2,4,2,4,2,4,2,4,2,4,2,4,2,4,2]'],
    ['is as long as Visa’s once were', '4222222222222'],
    ['is in groups that no card has', '42 4242 42 424242 4242'],
    ['is in groups that no card has', '4242 42 42 42 42 42 42'],
    ['is amid more digits', '74242424242424242'],
    ['is an amount', '4,242.42 + 4,242.42 = 8,484.84 EUR'],
    ['is a version', 'v4.2.42 build 42424242'],
    ['is masked amid digits that would pass', '4242***4242***4242***4242'],
    ['has too much between', `4242${' '.repeat(161)}424242424242`],
    ['has too long a tag between', `4242<a class="${'x'.repeat(64)}">424242424242`],
    ['has words between', '4242 is not 4242 nor 4242 nor 4242'],
  ])('because it %s: %s', (_, text) => {
    expect(redactor.redact(text)).toEqual({ text, redactions: [] });
  });

  it('because it has no digits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (written) => {
        const text = written.replace(/\p{Nd}/gu, '');
        expect(redacted(text)).toBe(text);
      }),
    );
  });

  it('to all but a fiftieth of random long numbers', () => {
    let state = 1;
    let found = 0;
    const count = 20_000;
    for (let index = 0; index < count; index++) {
      let number = '';
      for (let length = 12 + (index % 10); length > 0; length--) {
        state = (state * 48271) % 0x7fffffff;
        number += state % 10;
      }
      if (containsCardNumber(number)) found++;
    }
    expect(found / count).toBeLessThan(0.02);
  });
});

describe('the search', () => {
  const repeated = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  it.each([
    '4',
    '0',
    '4 ',
    '4242 ',
    '4242-4242-4242-4241 ',
    '424242424242424',
    '4<a',
    '4<',
    '<',
    '4&#',
    '4%20',
    '4%2',
    '4=\n',
    '4\n>',
    '4*',
    `4${' '.repeat(159)}`,
    `4${'<b>'.repeat(60)}`,
    `4<${'a'.repeat(62)}`,
    '٤',
    '4\u200b',
    '\u{1d7d2}',
    '\ud835',
    '4,242,',
    '%4',
    '+4',
    '5 0 1 8 ',
    '62',
    ' ',
    'a',
    `${'0'.repeat(30)}4`,
  ])('takes steps in proportion to its text, of %j', (unit) => {
    const steps = (length: number): number => {
      const work = { steps: 0 };
      findCardNumbers(repeated(unit, length), work);
      return work.steps;
    };
    const [small, large] = [steps(16_384), steps(131_072)];
    expect(large / small).toBeLessThan(8.5);
    expect(large).toBeLessThan(131_072 * 40);
  });

  it('reads a mebibyte of anything', () => {
    const hostile = repeated('4242 4242 4242 4241 <b>4<a &#4242 %204 4,242', 1 << 20);
    const work = { steps: 0 };
    findCardNumbers(hostile, work);
    expect(work.steps).toBeLessThan((1 << 20) * 12);
  });

  it('gives spans in UTF-16 offsets', () => {
    expect(findCardNumbers('😀 4242 4242 4242 4242!')).toEqual([{ start: 3, end: 22 }]);
    const mathematical = inScript('4242424242424242', '\u{1d7ce}');
    expect(findCardNumbers(`a${mathematical}`)).toEqual([{ start: 1, end: 33 }]);
  });
});

describe('redacting what was redacted', () => {
  it('changes nothing', () => {
    const fragments = fc.oneof(
      anyText,
      pan,
      fc.tuple(pan, closeStyle).map(([number, { separator, sizes }]) => cut(number, sizes).join(separator)),
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 5 }), (parts) => {
        const once = redacted(parts.join(''));
        expect(redactor.redact(once)).toEqual({ text: once, redactions: [] });
      }),
      { numRuns: 2000 },
    );
  });
});
