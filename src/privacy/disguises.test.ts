import fc from 'fast-check';
import { composeIBAN } from 'ibantools';
import { growthOf } from '../../test/support/growth';
import { TextRedactor } from './redaction';

const redactor = new TextRedactor();
const redacted = (text: string): string => redactor.redact(text).text;
const number = '[card number removed]';
const expiry = '[expiry date removed]';
const code = '[security code removed]';

describe('what reaches a ticket as it is, and is a card’s,', () => {
  it.each([
    ['Card\t4242424242424240\t12/29', `Card\t${number}\t${expiry}`],
    ['4.24242424242424E+15', number],
    ['4,24242424242424e15', number],
    ['3.78282246310005E+14', number],
    ['my card number is 4242424242424240', `my card number is ${number}`],
    ['Name,Card number\nJane,4242424242424240\nJoe,5555555555554440', `Name,Card number\nJane,${number}\nJoe,${number}`],
    ['Karte\n4242424242424240\n5555555555554440', `Karte\n${number}\n${number}`],
    ['my card is 4222222222222', `my card is ${number}`],
    ['4222222222222 12/29', `${number} ${expiry}`],
    ['My card: 4242=C2=A04242=C2=A04242=C2=A04242 thanks=\n you', `My card: ${number} thanks=\n you`],
    ['4242=204242=204242=204242', number],
    ['4242 4242=20\n4242 4242', number],
    ['4242=A04242=A04242=A04242', number],
    ['card=4242=204242=204242=204242', `card=${number}`],
    ['=34=32=34=32=34=32=34=32=34=32=34=32=34=32=34=32', number],
    ['4242&nbsp4242&nbsp4242&nbsp4242', number],
    ['&#52;&#50;&#52;&#50;4242&#x34;&#x32;&#x34;&#x32 4242', number],
    ['"\\u0034\\u0032\\u0034\\u0032 4242 4242 4242"', `"${number}"`],
    [
      '4242<span style="font-family:Arial,sans-serif;font-size:12px;color:#333333;line-height:1.5">4242</span>42424242',
      `${number}`,
    ],
    ['4242<!-- 1 -->4242<!-- 2 -->4242<!-- 3 -->4242', number],
    ['4242Â\u00a04242Â\u00a04242Â\u00a04242', number],
    ['42\u200b42 4242 42\u00ad42 4242', number],
    ['42<b>42</b> 4242 4242 4242', number],
    ['4242 4242 42\n42 4242', number],
    ['④②④② ④②④② ④②④② ④②④②', number],
    ['4242 • 4242 • 4242 • 4242', number],
    ['4242#4242#4242#4242', number],
    ['billed for cc 060426070011 on it', `billed for cc ${number} on it`],
    ['NDI0MiA0MjQyIDQyNDIgNDI0Mg==', number],
    ['34323432343234323432343234323432', number],
    ['?card=4242424242424242', `?card=${number}`],
    ['https://pay.example/?card=4242424242424242&x=1', `https://pay.example/?card=${number}&x=1`],
    ['https://pay.example/card/4242424242424242', `https://pay.example/card/${number}`],
    ['https://pay.example/4242-4242-4242-4242', `https://pay.example/${number}`],
    ['https://pay.example/4242%204242%204242%204242', `https://pay.example/${number}`],
    ['https://pay.example/?n=4242424242424242&exp=12/29&cvv=123', `https://pay.example/?n=${number}&exp=${expiry}&cvv=${code}`],
    ['https://pay.example/?number=4242424242424242&cvc=123', `https://pay.example/?number=${number}&cvc=${code}`],
    ['5555 5555 5555 4444 scad. 12/29 cvv 123', `${number} scad. ${expiry} cvv ${code}`],
    ['4242424242424242 bis 12/29', `${number} bis ${expiry}`],
    ['%B4242424242424242&DOE-JANE&2912101123400001230?', '[card data removed]'],
    ['4242 dash 4242 dash 4242 dash 4242', number],
    ['it is 4242, 4242, 4242 and 4242.', `it is ${number}.`],
    ['+3782 822463 10005', `+${number}`],
    ['Visa YT4242424242424242', `Visa YT${number}`],
    ['the card 180065008155082', `the card ${number}`],
    ['Visa 4242424242424242 exp 12/29 cvv 123', `Visa ${number} exp ${expiry} cvv ${code}`],
    ['The CVV is 123 and it expires 12/29', `The CVV is ${code} and it expires ${expiry}`],
    [
      '<table><tr><td>Card</td><td>Exp</td><td>CVV</td></tr><tr><td>4242 4242 4242 4242</td><td>12/29</td><td>123</td></tr></table>',
      `<table><tr><td>Card</td><td>Exp</td><td>CVV</td></tr><tr><td>${number}</td><td>${expiry}</td><td>${code}</td></tr></table>`,
    ],
    ['Card Exp CVV\n\n4242 4242 4242 4242\n12/29\n123', `Card Exp CVV\n\n${number}\n${expiry}\n${code}`],
    [
      '%B4242424242424242^DOE/JANE^2912101 1234 00001230?;4242424242424242=29121011234567890?',
      '[card data removed][card data removed]',
    ],
  ])('goes: %j', (text, expected) => {
    expect(redacted(text)).toBe(expected);
    expect(redacted(expected)).toBe(expected);
  });
});

describe('what certainly isn’t a card’s', () => {
  it.each([
    '0049 1511 2345678',
    'Bitte rufen Sie mich an: 004915112345678',
    'tel:004915112345678',
    '+4222222222222',
    '+30 569 309 025904',
    '011 49 1511 2345678',
    'https://wa.me/4915112345678',
    'wa.me/30569309025904',
    'href="tel:%2B4915112345678"',
    '%2B378282246310005',
    '&#43;378282246310005',
    'Phone: 30569309025904',
    'Tracking: YT2633401182507344',
    'YT2633401182507344',
    'JD014600003606004242',
    'RR123456785DE',
    '1Z999AA10123456784',
    'Sendungsnummer: CX4242424242424242',
    'See https://help.shop.example/en/articles/4403182507311-returns',
    'https://shop.example/orders/4242424242424242',
    'https://shop.example/?session=4242424242424242#5555555555554444',
    'www.shop.example/a/4242424242424242.pdf',
    'shop.example/a/4242424242424242',
    'FR76 3006 6506 3623 4494 0216 029',
    'fr7630066506362344940216029',
    'IBAN:FR7630066506362344940216029.',
    'FR76=203006=206506=203623=204494=200216=20029',
    'FR76&nbsp;3006&nbsp;6506&nbsp;3623&nbsp;4494&nbsp;0216&nbsp;029',
    '4518273645017',
    'Order 4518273645017 12/25',
    'between 4242 and 4242 of 4242',
    'my driver’s license number is U62928788557186',
    '4242424242424240',
    '4.24242E+15',
    '4242 •••• •••• 4242',
    '4242###4242###4242###4242',
    '42 4242 42 424242 4242',
  ])('stays: %j', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it('hides no card beside it', () => {
    for (const text of [
      'FR76 3006 6506 3623 4494 0216 029 4242 4242 4242 4242',
      '+49 1511 2345678 4242 4242 4242 4242',
      '+4242424242424242',
      '004242424242424242',
      'https://shop.example/orders 4242424242424242',
      'https://4242424242424242.shop.example/',
      'DE44 4242 4242 4242 4242 42',
      'CC4242424242424242',
      'C4242424242424242',
      'XX4242424242424242',
      'Tracking: CARD4242424242424242',
      'YT2633401182507344 4242424242424242',
    ])
      expect([text, redactor.redact(text).redactions.some(({ kind }) => kind === 'CARD_NUMBER')]).toEqual([text, true]);
  });
});

/** With the digit that makes it pass Luhn's check. */
const checked = (payload: string): string => {
  const sum = [...payload].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${payload}${(10 - (sum % 10)) % 10}`;
};
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));
const cardOf = (prefix: string, length: number) =>
  digits(length - 1 - prefix.length).map((account) => checked(`${prefix}${account}`));
const sixteen = fc.oneof(cardOf('4', 16), cardOf('53', 16), cardOf('6011', 16), cardOf('2221', 16), cardOf('3530', 16));
const card = fc.oneof(
  sixteen.map((pan) => [pan, [4, 4, 4, 4]] as const),
  cardOf('37', 15).map((pan) => [pan, [4, 6, 5]] as const),
  cardOf('36', 14).map((pan) => [pan, [4, 6, 4]] as const),
);

const grouped = (pan: string, sizes: readonly number[], separator: string): string => {
  let at = 0;
  return sizes
    .map((size) => {
      at += size;
      return pan.slice(at - size, at);
    })
    .join(separator);
};

const bytesAs = (sign: string) => (character: string) =>
  [...Buffer.from(character)].map((byte) => `${sign}${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
type Encode = (character: string) => string;
const encodings: readonly Encode[] = [
  bytesAs('%'),
  bytesAs('='),
  (character) => `&#${character.codePointAt(0)};`,
  (character) => `&#x${character.codePointAt(0)!.toString(16)};`,
  (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
];
const tags = [
  ['', ''],
  ['<b>', '</b>'],
  ['<span style="width:40px;color:#424242">', '</span>'],
] as const;

describe('composed at random,', () => {
  const separator = fc.constantFrom('', ' ', '-', '.', '\u00a0', '\u2009', '\u2013', ' - ', '\u200b', '/', '_', '\n', '  ');
  const scripts = fc.constantFrom('0', '\uff10', '\u0660', '\u0966');
  const context = fc.constantFrom<readonly [string, string]>(
    ['', ''],
    ['my card is ', ', thanks'],
    ['Hallo,\n> ', '\n> Danke'],
    ['{"number":"', '"}'],
    ['?card=', '&x=1'],
    ['<td>', '</td><td>Jane</td>'],
    ['order 7: ', ' (12 pieces)'],
    ['Visa ', ' 12/29 123'],
    ['https://pay.example/pan/', ''],
    ['call +49 170 1234567, ', ' or DE89 3704 0044 0532 0130 00'],
  );

  it('a card in a disguise is found whole', () => {
    fc.assert(
      fc.property(
        card,
        separator,
        scripts,
        fc.constantFrom(...tags),
        fc.array(fc.constantFrom(...encodings), { maxLength: 3 }),
        fc.constantFrom('all', 'separators', 'digits'),
        context,
        ([pan, sizes], between, zero, [open, close], layers, which, [before, after]) => {
          const plain = grouped(pan, sizes, between).replace(/[0-9]/g, (digit) =>
            String.fromCodePoint(zero.codePointAt(0)! + Number(digit)),
          );
          const encoded = (part: string, isFigure: boolean): string =>
            layers.reduce((inner, encode, depth) => {
              // A deeper layer takes all that the one before it made.
              const isChosen = depth > 0 || which === 'all' || isFigure === (which === 'digits');
              return isChosen ? Array.from(inner, encode).join('') : inner;
            }, part);
          const pieces = Array.from(plain, (character) => [
            encoded(open, false),
            encoded(character, /\p{Nd}/u.test(character)),
            encoded(close, false),
          ]);
          const text = `${before}${pieces.flat().join('')}${after}`;
          const from = before.length + pieces[0]![0]!.length;
          const to = text.length - after.length - pieces.at(-1)![2]!.length;
          const covered = redactor
            .find(text)
            .some(({ kind, start, end }) => kind === 'CARD_NUMBER' && start <= from && end >= to);
          expect([text, covered]).toEqual([text, true]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a card behind a sign that its own encoding begins with is found whole', () => {
    const quoted = bytesAs('=');
    const percent = bytesAs('%');
    /** As URLs are encoded that hold URLs: only the sign itself. */
    const percentSign: Encode = (character) => (character === '%' ? '%25' : character);
    const inBytes = (text: string, encode: Encode) => Array.from(text, encode).join('');
    const pans = [
      '6011/0000/0000/0004',
      '4242 4242 4242 4242',
      '4000 0566 5566 5556',
      '5555-5555-5555-4444',
      '3782 822463 10005',
    ];
    for (const [first, ...further] of [
      [quoted, quoted],
      [percent, quoted],
      [quoted, percent, quoted],
      [percent, quoted, quoted],
      [percent],
      [percent, percentSign],
      [percent, percentSign, percentSign],
      [percent, percent],
      [percent, percentSign, quoted],
    ] as const)
      for (const sign of ['=', '=3D', '%', '%25', '100%', '&#37;'])
        for (const pan of pans) {
          const separators = Array.from(pan, (character) => (/[0-9]/.test(character) ? character : first(character))).join('');
          const whole = further.reduce<string>(inBytes, separators);
          const before = `?card${sign}`;
          const text = `${before}${whole}&x=1`;
          const found = redactor.find(text).find(({ kind }) => kind === 'CARD_NUMBER');
          expect([text, found && found.start <= before.length, found?.end]).toEqual([text, true, before.length + whole.length]);
        }
  });

  const prose = fc.constantFrom<readonly [string, string]>(
    ['', ''],
    ['please look: ', ', thanks'],
    ['(', ')'],
    ['Hallo,\n> ', '\n> Danke'],
    ['It costs 12.50 EUR, ', '. Regards'],
  );
  const telephone = fc
    .tuple(
      fc.constantFrom('+', '00', '011 ', 'tel:', 'tel:+', 'wa.me/', 'https://wa.me/', '%2B', '&#43;', 'Tel. ', 'WhatsApp: '),
      fc.oneof(cardOf('36', 14), cardOf('37', 15), cardOf('5018', 12), cardOf('4', 13), cardOf('62', 14)),
      fc.constantFrom([15], [2, 4, 9], [2, 3, 10], [3, 3, 3, 6]),
      fc.constantFrom(' ', '-', '.', '/'),
    )
    .map(([prefix, pan, sizes, between]) => {
      const isInLink = prefix.includes('wa.me');
      return `${prefix}${grouped(pan, isInLink ? [15] : sizes, between).replace(/[ ./-]+$/, '')}`;
    });
  const parcel = fc.oneof(
    fc.tuple(fc.constantFrom('YT', 'JD', 'LP', 'SF', 'yt'), sixteen).map(([letters, pan]) => `${letters}${pan}`),
    fc
      .tuple(fc.constantFrom('Tracking: ', 'Sendungsnummer ', 'colis n°', 'AWB '), fc.stringMatching(/^[A-Z]{2,3}$/), sixteen)
      .filter(([, letters]) => !/^(?:CC|PAN|MC|CVC|EXP)/.test(letters))
      .map(([word, letters, pan]) => `${word.replace('n°', '')}${letters}${pan}`),
  );
  const link = fc
    .tuple(
      fc.constantFrom(
        'https://shop.example/',
        'http://a.b.example/x/',
        'www.shop.example/',
        'shop.example/p/',
        'https://shop.example/%C3%A9/',
      ),
      fc.constantFrom('', 'articles/', '?id=', 'a/b?session=', '#', 'orders/de-'),
      sixteen,
      fc.constantFrom('', '-returns', '.html', '?a=1', '/'),
    )
    .map(([site, path, pan, tail]) => `${site}${path}${pan}${tail}`);
  const account = fc
    .tuple(fc.constantFrom('DE', 'AT', 'LT', 'GB'), sixteen, digits(2), fc.constantFrom('', ' ', '-', '\u00a0', '=20', '&nbsp;'))
    .map(([country, pan, two, between]) => {
      const bban = { DE: `${pan}${two}`, AT: pan, LT: pan, GB: `NWBK${pan.slice(0, 14)}` }[country] as string;
      const iban = composeIBAN({ countryCode: country, bban }) as string;
      return between === '' ? iban : iban.replace(/(.{4})(?=.)/g, `$1${between}`);
    });

  it.each([
    ['a telephone number', telephone],
    ['a parcel', parcel],
    ['a link', link],
    ['an account', account],
    ['as long as Visa’s once were', cardOf('4', 13)],
  ] as const)('%s stays, even where its digits would pass', (_, made) => {
    fc.assert(
      fc.property(made, prose, (text, [before, after]) => {
        const whole = `${before}${text}${after}`;
        expect(redacted(whole)).toBe(whole);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a text made to be slow', () => {
  it.each([
    ...[
      '=3D',
      '%2525',
      '&amp;amp;',
      '\\\\',
      '<b>',
      '<b',
      '<!--',
      '%34',
      '&#52;',
      '=34',
      '\\u0034',
      'NDI0MjQyNDI0MjQyNDI0\n',
      'é1',
      '\u200b4',
      '④',
      '=',
    ],
    ...[
      'https://a.b/4242424242424242 ',
      'https://',
      'a.',
      'a.b/',
      'a-',
      'www.',
      '+49 1511 2345678 ',
      '+1',
      '+1 ',
      '00 1',
      'tel:',
      'tel 1 ',
      '011 ',
    ],
    ...[
      'fr76',
      'fr76 ',
      'FR7630066506362344940216029 ',
      'iban',
      'yt1',
      'yt2633401182507344 ',
      'tracking ',
      'tracking:a1',
      '1z',
      'licence no ',
    ],
    ...[
      '4.24242424242424E+15 ',
      '4.',
      '4242424242424240 ',
      '4222222222222\n',
      'card 4222222222222 ',
      'card 1234 ',
      'card is ',
      '12/29\n\n',
      '4242424242424242\n\n',
    ],
    ...['%b4242424242424242^aa^2912 1 ', '%b4242424242424242^aa^2912', 'b4242424242424242^', '4242#', '42 4242 4242 4242 42 '],
  ])('takes time in proportion to its length: %j', (unit) => {
    const longest = unit.repeat(Math.ceil((1 << 16) / unit.length));
    expect(growthOf((length) => redactor.find(longest.slice(0, length)), 1 << 12, 1 << 16)).toBeLessThan(1.5);
  });
});
