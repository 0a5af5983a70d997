import fc from 'fast-check';
import { contactsIn, type KnownContact } from './contacts-in-text';

/** The text with each find in brackets and its kind. */
const marked = (text: string, known: KnownContact | null = null) => {
  let out = '';
  let at = 0;
  for (const { kind, start, end } of contactsIn(text, known)) {
    out += `${text.slice(at, start)}[${kind} ${text.slice(start, end)}]`;
    at = end;
  }
  return out + text.slice(at);
};

describe('contacts in a text that is called otherwise', () => {
  it.each([
    ['kim.quill@people.example.com', '[EMAIL kim.quill@people.example.com]'],
    ['"Kim Quill" <Kim.Quill@People.Example.com>', '"Kim Quill" <[EMAIL Kim.Quill@People.Example.com]>'],
    ['Kim (kim+shop@bücher.example)', 'Kim ([EMAIL kim+shop@bücher.example])'],
    ['mailto:kim@xn--bcher-kva.example.', 'mailto:[EMAIL kim@xn--bcher-kva.example].'],
    ['kim%40people.example.com, ben＠people.example.com', '[EMAIL kim%40people.example.com], [EMAIL ben＠people.example.com]'],
    ["'kim@people.example.com'", "'[EMAIL kim@people.example.com]'"],
    ['客户@例子.广告', '[EMAIL 客户@例子.广告]'],
    ['Kim +49 (0)1511 2345678', 'Kim [PHONE +49 (0)1511 2345678]'],
    ['call me at 0049 1511 2345678 please', 'call me at [PHONE 0049 1511 2345678] please'],
    ['＋４９ １５１１ ２３４５６７８', '[PHONE ＋４９ １５１１ ２３４５６７８]'],
    ['Tel. 0151 23456789', 'Tel. [PHONE 0151 23456789]'],
    ['WhatsApp: 98765 43210', 'WhatsApp: [PHONE 98765 43210]'],
    ['0151 23456789', '[PHONE 0151 23456789]'],
    ['my Visa 4242 was charged', 'my Visa [LAST4 4242] was charged'],
    ['card ending in 4242', 'card ending in [LAST4 4242]'],
    ['Mastercard •••• 0005, twice', 'Mastercard •••• [LAST4 0005], twice'],
    ['**** **** **** 4242', '**** **** **** [LAST4 4242]'],
    ['last four digits: 4242', 'last four digits: [LAST4 4242]'],
  ])('%j: %j', (text, expected) => {
    expect(marked(text)).toBe(expected);
  });

  it.each([
    'Order 1234567890 not arrived',
    'order 0012345678',
    'Parcel 00340434161094042557',
    'Invoice 2024-11-0001234',
    'Gift card 2024',
    'at 10:15 on 2026-11-29',
    'Re: [shop #1042] two blenders @ home',
    '@kim wrote',
    'kim@localhost',
    'IBAN DE89 3704 0044 0532 0130 00',
    'Kim Quill',
    '',
  ])('%j holds none', (text) => {
    expect(marked(text)).toBe(text);
  });

  it('are the known number in any writing, and no other one', () => {
    const known = { phone: '+49 1511 2345678', region: 'DE' };
    expect(marked('please ring 01511 / 23 45 678 today', known)).toBe('please ring [PHONE 01511 / 23 45 678] today');
    expect(marked('please ring 01511 / 23 45 679 today', known)).toBe('please ring 01511 / 23 45 679 today');
  });

  it('are found wherever they stand, and no find is over another', () => {
    const piece = fc.constantFrom(
      'kim@people.example.com',
      '+49 1511 2345678',
      'Visa 4242',
      ' ',
      ', ',
      'x',
      '@',
      '(',
      '•',
      '12',
      'é',
      '<',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
        const text = parts.join(' ');
        const found = contactsIn(text);
        found.forEach(({ start, end }, index) => {
          expect(start).toBeGreaterThanOrEqual(found[index - 1]?.end ?? 0);
          expect(end).toBeGreaterThan(start);
        });
        expect(found.filter(({ kind }) => kind === 'EMAIL').length).toBe(parts.filter((part) => part.includes('@p')).length);
      }),
    );
  });

  it('are found in time that grows with the text', () => {
    const time = (length: number) => {
      const start = process.cpuUsage();
      for (const unit of ['a', '@', 'a@', '1', '1 ', '+1', '•', 'x', 'visa ', 'a@b.', '(0', '%40'])
        contactsIn(unit.repeat(length / unit.length));
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1_000;
    };
    time(4_000);
    const least = (length: number) => Math.min(...[1, 2, 3].map(() => time(length)));
    // Quadratic would be four hundred times as long.
    expect(least(80_000) / Math.max(least(4_000), 1)).toBeLessThan(100);
  });
});
