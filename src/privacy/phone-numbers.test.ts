import fc from 'fast-check';
import { getCountries, getCountryCallingCode, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { comparableNumber, e164 } from './phone-numbers';

describe('a telephone number in E.164', () => {
  it.each([
    ['+49 (0)1511 2345678', '+4915112345678'],
    ['+44 (0)20 7946 0018', '+442079460018'],
    ['+33 (0)6 12 34 56 78', '+33612345678'],
    ['+39 (06) 69821234', '+390669821234'],
    ['+39 06 69821234', '+390669821234'],
    ['+7 (8) 912 345-67-89', '+79123456789'],
    ['+55 (011) 91234-5678', '+5511912345678'],
    ['0049 30 123456', '+4930123456'],
    ['00 44 (0)20 7946 0018', '+442079460018'],
    ['+48 (0) 512 345 678', '+48512345678'],
    ['0048 (0)512 345 678', '+48512345678'],
    ['+34 (0) 612 34 56 78', '+34612345678'],
    ['+39 (0) 6 69821234', '+390669821234'],
    ['(00)49-30-123456', '+4930123456'],
    ['011 44 20 7946 0018', '+442079460018'],
    ['011-49-30-123456', '+4930123456'],
    ['(+49) 30 123456', '+4930123456'],
    ['tel:+49-30-123456', '+4930123456'],
    ['+\u200e49\u200b 30\u00ad 123456\u202c', '+4930123456'],
    ['＋４９（０）３０－１２３４５６', '+4930123456'],
    ['+٤٩ ٣٠ ١٢٣٤٥٦', '+4930123456'],
    ['+४९ ३० १२३४५६', '+4930123456'],
    ['+49–30‑123—456', '+4930123456'],
    ['+49\u00a030\u2009123\u2212456', '+4930123456'],
    ['+1 650-253-0000 ext. 12', '+16502530000'],
    ['+1 650 253 0000;ext=12', '+16502530000'],
    ['+1 650 253 0000 x12', '+16502530000'],
    ['+1.555.010.0000', '+15550100000'],
  ])('%j is %s', (written, expected) => {
    expect(e164(written)).toBe(expected);
  });

  it.each([
    ['0151 23456789', 'DE', '+4915123456789'],
    ['06 69821234', 'IT', '+390669821234'],
    ['011 5612345', 'IT', '+390115612345'],
    ['(011) 561.23.45', 'it', '+390115612345'],
    ['0114 496 0018', 'GB', '+441144960018'],
    ['650-253-0000', 'US', '+16502530000'],
    ['00 44 20 7946 0018', 'US', '+442079460018'],
    ['0049 30 123456', 'FR', '+4930123456'],
    ['+49 30 123456', 'US', '+4930123456'],
    ['030 123456', 'XX', null],
  ])('%s in %s is %s', (written, region, expected) => {
    expect(e164(written, region)).toBe(expected);
  });

  it.each([
    '0151 23456789',
    '0114 496 0018',
    '011 5612345',
    '110',
    '4242',
    '',
    '+',
    '+1',
    '00',
    '+49 151 2345678 +49 151 2345678',
    '+49 30 123456, +49 30 123457',
    'call +49 30 123456',
    '+1-800-FLOWERS',
    '+999 123456',
    `+49${'1'.repeat(100_000)}`,
  ])('%.40j is none without a country', (written) => {
    expect(e164(written)).toBeNull();
  });

  it('is one for all writings of a number, in every country', () => {
    const countries = getCountries().filter((country) => getExampleNumber(country, examples));
    const disguise = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.replaceAll(' ', '-'),
      (text) => text.replaceAll(' ', '\u2011'),
      (text) => text.replaceAll(' ', '.'),
      (text) => text.replaceAll(' ', ''),
      (text) => text.replaceAll(' ', '\u00a0\u200b'),
      (text) => text.replace('+', '00'),
      (text) => text.replace('+', '00 '),
      (text) => text.replace('+', '＋'),
      (text) => text.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
      (text) => text.replace(/\d/g, (digit) => String.fromCodePoint(0x0966 + Number(digit))),
      (text) => `\u202a${text}\u202c`,
      (text) => text.replace(/^(\+\d+) /, '($1) '),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...countries),
        fc.array(disguise, { maxLength: 2 }),
        fc.constantFrom('', ' ext. 7', ';ext=7'),
        (country, disguises, extension) => {
          const number = getExampleNumber(country, examples)!;
          const written = disguises.reduce((text, change) => change(text), number.formatInternational()) + extension;
          expect({ written, e164: e164(written) }).toEqual({ written, e164: number.number });
          expect(e164(number.formatNational(), country)).toBe(number.number);
          expect(getCountryCallingCode(country)).toBe(number.countryCallingCode);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('the form in which numbers are compared', () => {
  it.each([
    ['0151 / 23 45', '01512345'],
    ['(030) 12-34', '0301234'],
    ['०१२३', '0123'],
    ['+999 12', '+99912'],
    ['none', ''],
  ])('of %j without a country is %j: its digits', (written, expected) => {
    expect(comparableNumber(written)).toBe(expected);
  });

  it('is its own form', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'+0123456789 ()-/x'), maxLength: 20 }), (text) => {
        const once = comparableNumber(text);
        expect(comparableNumber(once)).toBe(once);
      }),
      { numRuns: 2_000 },
    );
  });
});
