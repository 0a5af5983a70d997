import { isTotp, totp } from './totp';

// RFC 6238, appendix B, SHA1; the last six of its eight digits.
const secret = Buffer.from('12345678901234567890');
const vectors = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const;

test.each(vectors)('the code of second %d is %s', (second, code) => {
  expect(totp(secret, new Date(second * 1_000)).code).toBe(code);
});

test('a code is taken in its own step and the ones beside it, and no longer', () => {
  const at = new Date(1_111_111_110_000);
  const { code } = totp(secret, at);
  const taken = [-60, -31, -30, -1, 0, 29, 30, 59, 60].map((seconds) =>
    isTotp(secret, code, new Date(at.getTime() + seconds * 1_000)),
  );
  expect(taken).toEqual([false, false, true, true, true, true, true, true, false]);
});

test.each(['', '0', '28708', '2870820', ' 287082', 'abcdef'])('%p is no code', (given) => {
  expect(isTotp(secret, given, new Date(59_000))).toBe(false);
});

test('a code is the current one for the rest of its half minute', () => {
  expect([0, 1, 29, 30].map((second) => totp(secret, new Date(second * 1_000)).secondsLeft)).toEqual([30, 29, 1, 30]);
});
