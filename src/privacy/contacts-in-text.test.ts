import fc from 'fast-check';
import { growthOf } from '../../test/support/growth';
import { contactsIn, holdsNoContact, type KnownContact } from './contacts-in-text';

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
    ['ｋｉｍ．ｑｕｉｌｌ＠ｐｅｏｐｌｅ．ｅｘａｍｐｌｅ', '[EMAIL ｋｉｍ．ｑｕｉｌｌ＠ｐｅｏｐｌｅ．ｅｘａｍｐｌｅ]'],
    ['kim.quill @ people.example.com asks', '[EMAIL kim.quill @ people.example.com] asks'],
    ['kim&#64;people.example.com', '[EMAIL kim&#64;people.example.com]'],
    ['kim%2540people.example.com', '[EMAIL kim%2540people.example.com]'],
    ['kim@@people.example.com', '[EMAIL kim@@people.example.com]'],
    ['kim@people。example。com', '[EMAIL kim@people。example。com]'],
    ['kim\u200d.quill@people\u200e.exa\u00admple.com', '[EMAIL kim\u200d.quill@people\u200e.exa\u00admple.com]'],
    ['"kim quill"@people.example.com', '[EMAIL "kim quill"@people.example.com]'],
    ["o'brien@people.example.com", "[EMAIL o'brien@people.example.com]"],
    ['kim@[192.0.2.1]', '[EMAIL kim@[192.0.2.1]]'],
    ['Kim %2B49%201511%202345678', 'Kim [PHONE %2B49%201511%202345678]'],
    ['Kim &#43;4915112345678', 'Kim [PHONE &#43;4915112345678]'],
    ['+49_1511_2345678, +49·1511·2345678', '[PHONE +49_1511_2345678], [PHONE +49·1511·2345678]'],
    ['+49 [0]1511 2345678', '[PHONE +49 [0]1511 2345678]'],
    ['+49,1511,2345678', '[PHONE +49,1511,2345678]'],
    ['+49 1511 2345678 12345678', '[PHONE +49 1511 2345678 12345678]'],
    ['415-555-0132 or (415) 555-0132', '[PHONE 415-555-0132] or [PHONE (415) 555-0132]'],
    ['☎ 01511 2345679', '☎ [PHONE 01511 2345679]'],
    ['T: 01511 2345679', 'T: [PHONE 01511 2345679]'],
    ['Mobile no. 01511 2345679', 'Mobile no. [PHONE 01511 2345679]'],
    ['Telefonnummer 01511 2345679', 'Telefonnummer [PHONE 01511 2345679]'],
    ['numéro de tél. 06 12 34 56 78', 'numéro de tél. [PHONE 06 12 34 56 78]'],
    ['тел. 8 912 345-67-89', 'тел. [PHONE 8 912 345-67-89]'],
    ['電話 03-1234-5678', '電話 [PHONE 03-1234-5678]'],
    ['VISA ４２４２', 'VISA [LAST4 ４２４２]'],
    ['Karte endet auf 4242', 'Karte endet auf [LAST4 4242]'],
    ['letzte vier Ziffern: 4242', 'letzte vier Ziffern: [LAST4 4242]'],
    ['carte se terminant par 4242', 'carte se terminant par [LAST4 4242]'],
    ['les quatre derniers chiffres sont 4242', 'les quatre derniers chiffres sont [LAST4 4242]'],
    ['tarjeta terminada en 4242', 'tarjeta terminada en [LAST4 4242]'],
    ['cartão final 4242', 'cartão final [LAST4 4242]'],
    ['carta che termina con 4242', 'carta che termina con [LAST4 4242]'],
    ['Visa debit card 4242, mastercard x-0005', 'Visa debit card [LAST4 4242], mastercard x-[LAST4 0005]'],
    ['card *4242', 'card *[LAST4 4242]'],
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
    '2 @ 3.50, 3 @ 4.99 EUR',
    'meet @ Berlin. Thanks',
    'Order 2026-11-29-0001234',
    '1,234,567 points',
    'final invoice 2026',
    '',
  ])('%j holds none', (text) => {
    expect(marked(text)).toBe(text);
  });

  it('are the known number in any writing, and no other one', () => {
    const known = { phone: '+49 1511 2345678', region: 'DE' };
    expect(marked('please ring 01511 / 23 45 678 today', known)).toBe('please ring [PHONE 01511 / 23 45 678] today');
    expect(marked('please ring 01511 / 23 45 679 today', known)).toBe('please ring 01511 / 23 45 679 today');
    expect(marked('Kim 4915112345678', known)).toBe('Kim [PHONE 4915112345678]');
    expect(marked('Kim 1511 2345678', known)).toBe('Kim [PHONE 1511 2345678]');
  });

  it('are found however they are disguised, and all of them', () => {
    const fullWidth = (text: string) =>
      text.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
    const disguises: readonly ((text: string) => string)[] = [
      (text) => text,
      fullWidth,
      (text) => text.toUpperCase(),
      (text) => text.normalize('NFD'),
      (text) => [...text].join('\u200d'),
      (text) => [...text].join('\u00ad'),
      (text) => text.replaceAll('@', '%40').replaceAll('+', '%2B').replaceAll(' ', '%20'),
      (text) => text.replaceAll('@', '&#64;').replaceAll('+', '&#43;'),
      (text) => text.replaceAll('@', ' @ '),
      (text) => text.replace(/[0-9]/g, (digit) => String.fromCharCode(0x660 + Number(digit))),
    ];
    const contact = fc.constantFrom(
      'kim.quill+x@people.example.com',
      'jösé@bücher.example',
      '+49 1511 2345678',
      '+1 (415) 555-0132',
    );
    fc.assert(
      fc.property(contact, fc.constantFrom(...disguises), fc.constantFrom('', 'Kim ', '(', '"'), (text, disguise, before) => {
        const written = `${before}${disguise(text)}`;
        const [only, ...more] = contactsIn(written);
        expect([written, only?.start, only?.end, more]).toEqual([written, before.length, written.length, []]);
      }),
    );
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

  it.each([
    'a',
    '@',
    'a@',
    '1',
    '1 ',
    '+1',
    '•',
    'x',
    'visa ',
    'a@b.',
    '(0',
    '%40',
    '"',
    '"@',
    '@@@',
    ' @ ',
    '@a.',
    'ending ',
    'tel ',
    '+1,',
    '&#64;',
    'é1',
  ])('are found in time that grows with the text, of %j', (unit) => {
    const longest = unit.repeat(Math.ceil(80_000 / unit.length));
    expect(growthOf((length) => contactsIn(longest.slice(0, length)), 4_000, 80_000)).toBeLessThan(1.5);
  });

  it('are never in what one look at the characters told to hold none', () => {
    const piece = fc.oneof(
      fc.constantFrom('@', '%40', '&commat;', '&#64;', '＠', 'visa ', 'x', ' ', '•', 'tel ', '.de', 'é', '٣', '１', 'ends in '),
      fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
      fc.integer({ min: 0, max: 99_999 }).map(String),
    );
    const known = { phone: '+4930123456', region: 'DE' };
    let told = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        if (!holdsNoContact(text)) return;
        told += 1;
        expect(contactsIn(text, known)).toEqual([]);
      }),
      { numRuns: 2_000, seed: 20_261_130 },
    );
    expect(told).toBeGreaterThan(200);
    expect(holdsNoContact('Visa Debit 42')).toBe(true);
  });
});
