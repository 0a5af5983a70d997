import { noteText } from './note-text';

test.each([
  ['a line\r\nand another\rand a third', 'a line\nand another\nand a third'],
  ['tabs\tstay, bells\u0007 and escapes\u001b[31m do not', 'tabs\tstay, bells  and escapes [31m do not'],
  [
    'Zo\u00eb \ud83d\ude42 \u0639\u0644\u06cc\u200c\u0631\u0636\u0627',
    'Zo\u00eb \ud83d\ude42 \u0639\u0644\u06cc\u200c\u0631\u0636\u0627',
  ],
  ['turned \u202eround\u202c, half \ud83d of a pair', 'turned  round , half   of a pair'],
  ['  \n around \n ', 'around'],
])('%j is sent as %j', (given, sent) => {
  expect(noteText(given)).toBe(sent);
});

test('a long text is cut, and not within a character', () => {
  expect(noteText('x'.repeat(9_000))).toBe('x'.repeat(4_000));
  expect(noteText(`${'x'.repeat(3_999)}\ud83d\ude42`)).toBe('x'.repeat(3_999));
});
