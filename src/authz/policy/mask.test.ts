import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { type MaskName, maskNamed, maskNames, maskValue } from './mask';

const tools = { digest: (text: string) => createHmac('sha256', 'a key of the test').update(text).digest('hex') };
const masked = (name: MaskName, value: unknown) => maskValue(name, value, tools);

describe('a mask shows', () => {
  it.each<[MaskName, unknown, unknown]>([
    ['last4', '4242 4242 4242 4242', '•••• 4242'],
    ['last4', 4242424242424242, '•••• 4242'],
    ['last4', '4242', '••••'],
    ['last4', 'no digits', '••••'],
    ['email', 'ada.lovelace@example.com', 'a•••@e•••.com'],
    ['email', 'ada@mail.example.co.uk', 'a•••@m•••.uk'],
    ['email', 'żaneta@łódź.pl', 'ż•••@ł•••.pl'],
    ['email', 'a@b.co', '••••@••••.co'],
    ['email', '😀smile@example.com', '••••@e•••.com'],
    ['email', '小明@example.com', '••••@e•••.com'],
    ['email', 'ada@example.lovelaces', 'a•••@e•••.•••'],
    ['email', 'ada@@example.com', '•••'],
    ['email', 'ada at example.com', '•••'],
    ['email', 'ada@localhost', '•••'],
    ['email', '', '•••'],
    ['phone', '+49 30 1234567', '+49 ••• 67'],
    ['phone', '+1 (212) 555-0199', '+1 ••• 99'],
    ['phone', '+353 1 555 0142', '+353 ••• 42'],
    ['phone', '030 1234567', '••• 67'],
    ['phone', '112', '•••'],
    ['name', 'Ada Lovelace', 'A. L.'],
    ['name', 'Ana María de la Cruz', 'A. C.'],
    ['name', 'Lovelace, Ada', 'L. A.'],
    ['name', 'Ada', 'A.'],
    ['name', 'A B', '• •'],
    ['name', '王小明', '•'],
    ['name', '   ', '•••'],
    ['initial', 'Ada', 'A.'],
    ['initial', 'A', '•'],
    ['postal', 'SW1A 1AA', 'SW1A •••'],
    ['postal', 'm1 1ae', 'M1 •••'],
    ['postal', 'K1A 0B1', 'K1A •••'],
    ['postal', '10115', '10•••'],
    ['postal', '90210-1234', '90•••'],
    ['postal', '123', '•••'],
    ['year', '1985-10-26', '1985'],
    ['year', new Date('1985-10-26T01:21:00Z'), '1985'],
    ['year', new Date(Number.NaN), '•••'],
    ['year', '26.10.1985', '•••'],
    ['year', 1985, '•••'],
    ['decline', 'insufficient_funds', 'insufficient_funds'],
    ['decline', 'stolen_card', 'generic_decline'],
    ['decline', 'a sentence of a bank', 'generic_decline'],
    ['decline', 43, 'generic_decline'],
    ['hidden', 'anything', '•••'],
    ['hidden', 7, '•••'],
  ])('%s of %p as %p', (name, value, expected) => {
    expect(masked(name, value)).toBe(expected);
  });

  it('equal values as equal pseudonyms, and different ones as different', () => {
    expect(masked('digest', 'device-1')).toMatch(/^#[0-9a-f]{10}$/);
    expect(masked('digest', 'device-1')).toBe(masked('digest', 'device-1'));
    expect(masked('digest', 'device-1')).not.toBe(masked('digest', 'device-2'));
  });

  it('a list item by item', () => {
    expect(masked('initial', ['Ada', null, ['Ben']])).toEqual(['A.', null, ['B.']]);
  });

  it('nothing of what it cannot read', () => {
    for (const name of maskNames) {
      expect(masked(name, { secret: 'Ada Lovelace' })).toBe('•••');
      expect(masked(name, true)).toBe('•••');
      expect(masked(name, 42n)).toBe('•••');
    }
  });
});

describe('every mask', () => {
  const characters = (text: string) => Array.from(text);
  const clear = (text: string) => characters(text).filter((each) => !'•.@ +#'.includes(each));
  const realistic = fc.oneof(
    fc.emailAddress(),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'grapheme-composite', maxLength: 40 }),
    fc.stringMatching(/^\+?[0-9 ()-]{3,20}$/),
    fc.stringMatching(/^[0-9]{12,19}$/),
    fc.stringMatching(/^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}$/),
    fc.stringMatching(/^[A-Z][a-z]{0,9}( [A-Z][a-z]{0,9}){0,4}$/),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );

  it.each(maskNames)('%s keeps null, never holds the clear value and never shows more than it says', (name) => {
    expect(masked(name, null)).toBeNull();
    expect(masked(name, undefined)).toBeNull();
    fc.assert(
      fc.property(realistic, (value) => {
        const result = String(masked(name, value));
        if (clear(value).length > maskNamed(name).shows && characters(value).length > 4)
          expect(result).not.toContain(value.trim());
        // An upper-cased initial such as ß becomes two letters; it still shows one.
        if (name !== 'digest') expect(clear(result.normalize('NFC')).length).toBeLessThanOrEqual(maskNamed(name).shows * 2);
        const shown = clear(result).filter((each) => value.normalize('NFC').includes(each));
        if (name !== 'digest') expect(shown.length).toBeLessThanOrEqual(maskNamed(name).shows);
      }),
      { numRuns: 500 },
    );
  });
});
