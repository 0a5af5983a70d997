import { bounded } from './columns';

describe('a text as a sealed column holds it', () => {
  it('is cut before what a reader takes for one character, and says so', () => {
    expect(bounded('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 30)).toBe('👩‍👩‍👧‍👦\n[cut]');
    expect(bounded('abcé', 4)).toBe('abc\n[cut]');
    expect(bounded('abce\u0301', 5)).toBe('abc\n[cut]');
  });

  it('stays as it is up to the last byte', () => {
    expect(bounded('abcé', 5)).toBe('abcé');
    expect(bounded('')).toBe('');
  });
});
