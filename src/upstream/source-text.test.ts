import fc from 'fast-check';
import { growthOf } from '../../test/support/growth';
import { cleanText, isBlank, shortText } from './source-text';

const graphemesOf = (text: string) =>
  [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)].map((each) => each.segment);

describe('a name or short text of a source', () => {
  it.each([
    'علی‌رضا محمدی',
    'ශ්‍රී',
    'नमस्ते क्‍ष',
    'Zoë O’Neil-Łukasz',
    '👩‍👩‍👧‍👦 family',
    '👩🏽‍💻',
    '❤️',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} Ailsa',
    '\u200fשלום\u200e (3)',
    'Nguyễn Thị Ánh',
    'two  blanks',
    'e\u0301'.normalize('NFC'),
  ])('%s stays as it is', (text) => {
    expect(shortText(text, 200)).toBe(text);
  });

  it.each([
    ['Jo\u00adhan\u00adna', 'Johanna'],
    ['Kim\u200bQuill', 'KimQuill'],
    ['\ufeffKim\u2060 Quill', 'Kim Quill'],
    ['Kim \u202egnp.exe\u202c', 'Kim gnp.exe'],
    ['\u2066Kim\u2069 \u202aQuill\u202c', 'Kim Quill'],
    ['Kim\u0000\u001b[31m', 'Kim[31m'],
    ['Kim\r\nQuill', 'Kim Quill'],
    ['Kim \t \n\u2028 Quill\u2029', 'Kim Quill'],
    ['Kim\u0085Quill\v', 'Kim Quill'],
    ['e\u0301', 'é'],
    ['e\u200b\u0301', 'é'],
    ['Kim\ud83d Quill', 'Kim Quill'],
    ['hi\u{e0068}\u{e0069}', 'hi'],
    ['\u{1f3f4}\u{e0068}\u{e0069}', '🏴'],
  ])('%j is %j', (text, expected) => {
    expect(shortText(text, 200)).toBe(expected);
  });

  it.each(['', '   ', '\u200b\u00ad', '\u200d', '\u200e\u200f', '\u3164', '\u2800', '\n\t', '\u202e\u202c'])(
    '%j is none',
    (text) => {
      expect(shortText(text, 200)).toBeNull();
      expect(isBlank(text)).toBe(true);
    },
  );

  it('is cut between two of its characters as readers count them', () => {
    const text = fc.array(fc.constantFrom('a', 'é', 'e\u0323\u0302', '👩‍👩‍👧‍👦', '🇩🇪', 'ශ්‍රී', 'क्‍ष', '👍🏽', ' '), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, fc.integer({ min: 12, max: 40 }), (parts, most) => {
        const whole = shortText(parts.join(''), 1_000) ?? '';
        const cut = shortText(parts.join(''), most) ?? '';
        expect(cut.length).toBeLessThanOrEqual(most);
        const [all, kept] = [graphemesOf(whole), graphemesOf(cut)];
        expect(all.slice(0, kept.length)).toEqual(kept);
        // And no shorter than it has to be.
        const next = all.slice(kept.length).join('').trim() === '' ? '' : (all[kept.length] as string);
        if (next.trim() !== '') expect(cut.length + next.length).toBeGreaterThan(most);
      }),
      { numRuns: 500 },
    );
  });

  it('has a bound even where a stranger sends one letter with ten thousand marks', () => {
    expect(shortText(`a${'\u0323'.repeat(10_000)}`, 200)).toBe(`ạ${'\u0323'.repeat(29)}`);
    expect(shortText(`a${'\u0323'.repeat(10_000)}`, 20)).toHaveLength(20);
    expect(shortText(`${'😀'.repeat(1)}${'\u{e0100}'.repeat(500)}`, 201)).toBe(`😀${'\u{e0100}'.repeat(30)}`);
    expect(shortText(`${'😀'.repeat(1)}${'\u{e0100}'.repeat(500)}`, 21)).toHaveLength(20);
  });

  it.each([
    ['in the order that asks most', (length: number) => '\u0301\u0323'.repeat(length / 2)],
    ['in two heaps', (length: number) => '\u0301'.repeat(length / 2) + '\u0323'.repeat(length / 2)],
    ['that come apart', (length: number) => '\u0344\u0323'.repeat(length / 2)],
  ])('is cleaned in no time of marks %s', (_, heap) => {
    const start = process.cpuUsage();
    const cleaned = cleanText(`a${heap(400_000)}b`);
    const { user, system } = process.cpuUsage(start);
    // Their order alone, made of all of them, takes minutes.
    expect((user + system) / 1e6).toBeLessThan(2);
    expect(cleaned).toMatch(/^.\p{M}{28,30}b$/u);
    expect(cleanText(cleaned)).toBe(cleaned);
  });

  it('is never cut amid a card’s number, of which the rest would stay', () => {
    const numbers = ['4242424242424242', '4242 4242 4242 4242', '%34242%34242%34242%34242', '3782 822463 10005'];
    for (const number of numbers)
      for (let most = 6; most <= number.length + 6; most++) {
        const kept = shortText(`Visa: ${number} of Kim`, most) ?? '';
        expect([number, most, /\d/.test(kept) && !kept.includes(number)]).toEqual([number, most, false]);
        expect('Visa: '.startsWith(kept) || kept.includes(number) || kept === 'Visa:').toBe(true);
      }
    expect(shortText('4242424242424242', 12)).toBeNull();
    expect(shortText('Order 4242 4242 4242 4243', 12)).toBe('Order 4242 4');
  });

  it('keeps up to thirty marks on a letter', () => {
    const heap = `x${'\u0335\u0323\u0301'.repeat(10)}`;
    expect(cleanText(`${heap} y`)).toBe(`${heap} y`.normalize('NFC'));
  });

  it('is clean once it was cleaned, and holds nothing that changes the direction of what stands around it', () => {
    const odd = fc.constantFrom(
      '\u202e',
      '\u2066',
      '\u00ad',
      '\u200b',
      '\u200d',
      '\u{e0061}',
      '\u{e007f}',
      '\u{1f3f4}',
      '\ud83d',
      '\ude00',
      '\n',
      '\u0301',
      'e',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 20 }), (parts) => {
        const text = shortText(parts.join(''), 50) ?? '';
        expect(shortText(text, 50) ?? '').toBe(text);
        expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u00ad\u200b\u2060\ufeff\n\r\u2028\u2029]|(?!\u{1f3f4})\p{Cs}/u);
        expect(cleanText(cleanText(parts.join('')))).toBe(cleanText(parts.join('')));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([' ', '\u0301', '\u{1f3f4}', '\n ', '\u{e0061}', 'a\u200b'])(
    'is cleaned in time that grows with its length, of %j',
    (unit) => {
      expect(growthOf((length) => shortText(unit.repeat(length), 200), 20_000, 400_000)).toBeLessThan(1.5);
    },
  );
});
