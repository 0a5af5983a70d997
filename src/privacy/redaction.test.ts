import fc from 'fast-check';
import { growthOf } from '../../test/support/growth';
import { findCardData } from './card-data';
import { type Detector, TextRedactor, withoutCardData } from './redaction';
import { hasCardData } from './text-guard';

const mark = '[card number removed]';
const finding =
  (...spans: [start: number, end: number][]): Detector =>
  (text) =>
    text.includes(mark) ? [] : spans.map(([start, end]) => ({ kind: 'CARD_NUMBER', start, end }));

describe('a redactor', () => {
  it('says where the replacements stand in the new text, and nothing of what was there', () => {
    const { text, redactions } = new TextRedactor().redact('a 4242424242424242 b 378282246310005');
    expect(text).toBe(`a ${mark} b ${mark}`);
    expect(redactions).toEqual([
      { kind: 'CARD_NUMBER', start: 2, end: 23 },
      { kind: 'CARD_NUMBER', start: 26, end: 47 },
    ]);
    for (const { start, end } of redactions) expect(text.slice(start, end)).toBe(mark);
  });

  it('leaves a text alone in which nothing is found', () => {
    expect(new TextRedactor().redact('Hello 42')).toEqual({ text: 'Hello 42', redactions: [] });
    expect(new TextRedactor([]).redact('4242424242424242').text).toBe('4242424242424242');
  });

  it('makes one removal of finds that overlap, in whatever order and by whichever detector', () => {
    const text = '0123456789';
    expect(new TextRedactor([finding([4, 6], [1, 3]), finding([2, 5])]).redact(text).text).toBe(`0${mark}6789`);
    expect(new TextRedactor([finding([1, 9]), finding([2, 3])]).redact(text).text).toBe(`0${mark}9`);
    expect(new TextRedactor([finding([2, 3]), finding([2, 8])]).redact(text).text).toBe(`01${mark}89`);
  });

  it('keeps finds apart that only touch', () => {
    const { text, redactions } = new TextRedactor([finding([0, 2], [2, 4])]).redact('0123x');
    expect(text).toBe(`${mark}${mark}x`);
    expect(redactions).toHaveLength(2);
  });

  it('takes further detectors beside the one for card numbers', () => {
    const word: Detector = (text) =>
      [...text.matchAll(/secret/g)].map(({ index }) => ({ kind: 'CARD_NUMBER', start: index, end: index + 6 }));
    expect(new TextRedactor([findCardData, word]).redact('secret 4242424242424242').text).toBe(`${mark} ${mark}`);
  });
});

describe('card data beside a number', () => {
  const redacted = (text: string): string => new TextRedactor().redact(text).text;
  const code = '[security code removed]';
  const expiry = '[expiry date removed]';
  const track = '[card data removed]';

  it.each([
    [
      'My new card is 4242 4242 4242 4242, valid until 12/29, the security code on the back is 123. CVV: 987',
      `My new card is ${mark}, valid until ${expiry}, the security code on the back is ${code}. CVV: ${code}`,
    ],
    ['Visa 4242424242424242 exp 12/29 cvv 123', `Visa ${mark} exp ${expiry} cvv ${code}`],
    ['The CVV is 123 and it expires 12/29', `The CVV is ${code} and it expires ${expiry}`],
    ['Card | Exp | CVV\n4242 4242 4242 4242 | 12/29 | 123', `Card | Exp | CVV\n${mark} | ${expiry} | ${code}`],
    [
      '<tr><td>4242 4242 4242 4242</td><td>12/29</td><td>123</td></tr>',
      `<tr><td>${mark}</td><td>${expiry}</td><td>${code}</td></tr>`,
    ],
    ['4242424242424242 12/2029 123', `${mark} ${expiry} ${code}`],
    ['4242424242424242, 1229, 123', `${mark}, ${expiry}, ${code}`],
    ['4242424242424242|12|2029|123', `${mark}|${expiry}|${code}`],
    ['4242 4242 4242 4242 - 123 - 12/29', `${mark} - ${code} - ${expiry}`],
    [
      'My card: 4242-4242-4242-4242\nvalid until December 2029\n123 is my cvv',
      `My card: ${mark}\nvalid until ${expiry}\n${code} is my cvv`,
    ],
    ['card 4242424242424242 expires in December of 2029', `card ${mark} expires in ${expiry}`],
    [
      'card=4242424242424242&exp_month=12&exp_year=2029&cvc=123',
      `card=${mark}&exp_month=${expiry}&exp_year=${expiry}&cvc=${code}`,
    ],
    ['4242424242424242:12:29:123', `${mark}:${expiry}:${code}`],
    ['La carte expire en décembre 2029, code 123', `La carte expire en ${expiry}, code ${code}`],
    ['987 is my cvv', `${code} is my cvv`],
    ['CVV2: 123', `CVV2: ${code}`],
    ['cvc 1 2 3', `cvc ${code}`],
    ['Die Prüfnummer auf der Rückseite lautet 123', `Die Prüfnummer auf der Rückseite lautet ${code}`],
    ['meine Karte läuft ab 12/29', `meine Karte läuft ab ${expiry}`],
    ['le cryptogramme visuel est 123', `le cryptogramme visuel est ${code}`],
    ['Mi tarjeta: caducidad 12/29, código de seguridad: 123', `Mi tarjeta: caducidad ${expiry}, código de seguridad: ${code}`],
    ['три цифры на обороте: 123', `три цифры на обороте: ${code}`],
    ['код безопасности — ١٢٣', `код безопасности — ${code}`],
    ['安全码是123', `安全码是${code}`],
    ['С\u200bVС １２３!', `С\u200bVС ${code}!`],
    ['card number 4242 4242 4242 4243 (mistyped)', `card number ${mark} (mistyped)`],
    ['Visa •••• 4242 08/2030', `Visa •••• 4242 ${expiry}`],
    ['%B4242424242424242^DOE/JANE^2912101123400001230?', track],
    ['read: ;4242424242424242=29121011234567890? end', `read: ${track} end`],
    ['4242424242424242D29122010000000000000', track],
    ['%B4000001234567899^O’NEIL/A^2912101?', track],
  ])('is removed with it: %s', (text, expected) => {
    expect(redacted(text)).toBe(expected);
    expect(redacted(expected)).toBe(expected);
  });

  it.each([
    'My order of 12/24 has not come yet',
    'The voucher is valid until 12/29, can I still use it?',
    'The offer expires in December 2029',
    'My subscription expires 12/25',
    'Order 4242, invoice 123 of 11/2025, 350 EUR',
    'Ich wohne Hauptstraße 12/24, 1010 Wien',
    'Call me at 030 123 4567 or on room 123',
    'I bought 12/24 123 pieces',
    'the CVC was wrong on order 4242',
    'My card ending in 4242 was declined on 12/24',
    'Security code 482913 from the SMS',
    'In March 2026 123 customers paid by card',
    'This month 12 orders, last year 2024 only 3, all by card',
    'His social security number is 832-13-6314',
  ])('is not seen in %s', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it('is not seen behind a number where that tells of something else', () => {
    expect(redacted('card 4242424242424242 was charged 350 EUR')).toBe(`card ${mark} was charged 350 EUR`);
    expect(redacted('4242424242424242 for order 1234')).toBe(`${mark} for order 1234`);
    expect(redacted('4242424242424242, 030 123 4567')).toBe(`${mark}, 030 123 4567`);
  });

  it('is not hidden by a mark that somebody writes by hand where a text is refused', () => {
    const { redactions } = new TextRedactor().redact(`cvv ${code} 123`);
    expect(redactions).toEqual([]);
    expect(hasCardData(`cvv ${code} 123`)).toBe(true);
  });

  it.each(['sec: 123', 'sig 123', 'PZ 123', 'Sécurité: 123', '(back) 123'])('removes a code behind a number as %j', (code) => {
    expect(new TextRedactor().redact(`4242 4242 4242 4242 exp 12/29 ${code}`).text).not.toContain('123');
    expect(new TextRedactor().redact(`it took 30 sec, then 123 more; ${code}`).text).toContain('123');
  });

  it('is of its own kind', () => {
    const { redactions } = new TextRedactor().redact('4242424242424242 12/29 123; %B4242424242424242^DOE/JANE^2912101?');
    expect(redactions.map(({ kind }) => kind)).toEqual(['CARD_NUMBER', 'EXPIRY', 'CVC', 'TRACK']);
  });

  it('is found once: removing again changes nothing', () => {
    const parts = fc.constantFrom(
      ...[
        '4242424242424242',
        '4242 4242 4242 4243',
        '378282246310005',
        '12/29',
        '12',
        '29',
        '2029',
        '1229',
        '123',
        '1234',
        '9',
        '2',
      ],
      ...[
        'cvv',
        'CVC2',
        'security code',
        'card number',
        'exp',
        'valid until',
        'expires',
        'card',
        'Karte',
        'is',
        'my',
        'order',
        'and',
      ],
      ...[
        ' ',
        ' ',
        ' ',
        '/',
        '-',
        ', ',
        '. ',
        ': ',
        '\n',
        '\n\n',
        '|',
        '=',
        '^',
        '\u200b',
        'é',
        '½',
        '१',
        '\u{e0041}',
        'D',
        '%B',
        ';',
        '?',
      ],
      ...['December', 'of', 'EUR', '•••• ', mark, code, expiry, track, '%B4242424242424242^A/B^2912101?'],
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 14 }), (pieces) => {
        const once = redacted(pieces.join(''));
        expect(redacted(once)).toBe(once);
      }),
      { numRuns: 4_000 },
    );
  });

  it('leaves no digit of a number, code or expiry behind', () => {
    const label = fc.constantFrom(
      'CVV',
      'security code',
      'Prüfnummer',
      'cryptogramme',
      'código de seguridad',
      'код безопасности',
    );
    const digits = fc.stringMatching(/^[0-9]{3,4}$/).filter((written) => !/^(?:19|20)..$/.test(written));
    const month = fc.integer({ min: 1, max: 12 }).map((value) => String(value).padStart(2, '0'));
    const year = fc.integer({ min: 26, max: 45 }).map(String);
    const between = fc.constantFrom(' ', ': ', ' is ', '\n', ' = ', ' \u200b');
    fc.assert(
      fc.property(label, digits, month, year, between, fc.boolean(), (name, cvc, mm, yy, gap, isFirst) => {
        const said = isFirst ? `${name}${gap}${cvc}` : `${cvc} is my ${name}`;
        expect(redacted(`4242 4242 4242 4242 valid thru ${mm}/${yy}. ${said}.`)).not.toMatch(/[0-9]/);
      }),
      { numRuns: 500 },
    );
  });

  // Were the work to grow with the square of the length, these would take minutes.
  it.each([
    'cvc ',
    'c v c ',
    'exp ',
    'exp 1 ',
    '12/29 ',
    '12/29 123 ',
    '4242424242424242 ',
    '4242424242424242 is ',
    '4242 4242 4242 4241 ',
    '4242 ',
    '4242;',
    'card number 1 ',
    'card ',
    '[card number removed] ',
    '[card number removed',
    '%B4242',
    'b1 1',
    '1=',
    ';1',
    '%b424242424242^a',
    'is ',
    '\u200b',
    '\u200b1',
    'e\u0301',
    '安全',
    '½',
    '１',
    '\ud800',
    'x',
    '\n',
  ])('a mebibyte made of %j is read in time that grows with its length', (part) => {
    const text = part.repeat(Math.ceil((1 << 20) / part.length));
    expect(growthOf((length) => new TextRedactor().redact(text.slice(0, length)), 1 << 16, 1 << 20)).toBeLessThan(1.5);
  });
});

describe('a record', () => {
  const texts = {
    asTheyAre: new Set(['reference']),
    contacts: new Set(['email', 'phone']),
    orderNumbers: new Set(['orderReference']),
  };
  const cleaned = <T>(record: T): T => withoutCardData(record, texts, new TextRedactor());

  it('is cleaned however deep, in fields that nobody has thought of too', () => {
    const at = new Date(0);
    const bytes = Buffer.from('4242424242424242');
    expect(
      cleaned({
        reference: '4242424242424242',
        future: { texts: ['CVV 123', null, 'plain'], more: { note: '4242424242424242' } },
        email: '4242424242424242@example.com',
        at,
        bytes,
        count: 4242424242424242,
        isNew: true,
        nothing: null,
        absent: undefined,
      }),
    ).toEqual({
      reference: '4242424242424242',
      future: { texts: ['CVV [security code removed]', null, 'plain'], more: { note: mark } },
      email: `${mark}@example.com`,
      at,
      bytes,
      count: 4242424242424242,
      isNew: true,
      nothing: null,
      absent: undefined,
    });
  });

  it('keeps addresses and telephone numbers that are such by their form', () => {
    for (const contact of [
      { email: 'cid123@people.example.com', phone: '+49 170 1234567' },
      { email: 'exp1229@people.example.com', phone: '4222222222222' },
      { email: 'cvv.1234@people.example.com', phone: '+1 415 555 0101' },
    ])
      expect(cleaned(contact)).toEqual(contact);
    expect(cleaned({ phone: '4242 4242 4242 4242' })).toEqual({ phone: mark });
    expect(cleaned({ phone: '+4242424242424242' })).toEqual({ phone: `+${mark}` });
  });

  it.each(['4518273645017', '2611291430550121', '2611291430550121-1', 'ORD-2611291430550121', '36227206271667', '180000000000'])(
    'keeps an order’s number where that has its place: %s',
    (orderReference) => {
      expect(cleaned({ orderReference, items: [{ orderReference }] })).toEqual({ orderReference, items: [{ orderReference }] });
    },
  );

  it.each([
    ['4242424242424242', mark],
    ['378282246310005', mark],
    ['2611 2914 3055 0121', mark],
    ['Visa 2611291430550121', `Visa ${mark}`],
    ['card no 4518273645017', `card no ${mark}`],
    ['A-17 4242 4242 4242 4242', `A-17 ${mark}`],
    ['2699991430550121', mark],
    // The first digits are a date and a time, of a year that no shop wrote yet.
    ['4111111111111111', mark],
    ['6011111111111117', mark],
    ['ORD-5101011200000002', `ORD-${mark}`],
  ])('removes from an order’s number what a customer typed: %s', (orderReference, expected) => {
    expect(cleaned({ orderReference })).toEqual({ orderReference: expected });
  });

  it('keeps an order’s number in no other place', () => {
    expect(cleaned({ note: '2611291430550121' })).toEqual({ note: mark });
  });
});
