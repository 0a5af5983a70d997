import fc from 'fast-check';
import { withoutGlue } from './address';

const token = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_9';

describe('the address of a confirmation', () => {
  it.each([
    '.',
    ')',
    '>',
    '%3E',
    '/',
    '%20',
    '%E2%80%8B',
    ',',
    ';',
    '"',
    "'",
    '%22',
    '%29.',
    '%C2%A0',
    '%EF%BB%BF',
    '&gt;',
    '&quot;.',
    '%26%2362;',
    '=3E',
    '=20',
    '=',
    '%253E',
    '%2520',
    '%e2%80%9d',
    ']%0A',
    '*',
    '//',
    '>).',
    '%',
    '%E2%80',
    '%ff',
    '。',
    '%E3%80%82',
    '>\u200b',
    '...',
    '_',
    '__',
    '*_',
    '_.',
    '%5D',
    '&gt',
    '&amp;utm_source=mail',
    '&utm_source=mail',
    '%3Futm_source=mail',
    '%23top',
    '<br>',
    '%3Cbr%3E',
    '%3C/a%3E',
    '.%0D%0A',
    `](https://x.example/confirm/${token})`,
    `%3Chttps://x.example/confirm/${token}%3E`,
    '"%20target=',
  ])('may have %j behind it', (tail) => {
    expect(withoutGlue(`/confirm/${token}${tail}`)).toBe(`/confirm/${token}`);
  });

  it.each(['%3C', '<', '%20', '%E2%80%8B', '(', '%22', '%253C', '&lt;', '/'])('may have %j before it', (lead) => {
    expect(withoutGlue(`/confirm/${lead}${token}`)).toBe(`/confirm/${token}`);
    expect(withoutGlue(`/confirm/${lead}${token}%3E.?utm=1`)).toBe(`/confirm/${token}?utm=1`);
  });

  it.each([
    ['a token that lacks one', token.slice(1)],
    ['one with a character more', `${token}x`],
    ['one with a hyphen more', `${token}-`],
    ['one with more of it behind a blank', `${token}%20x`],
    ['a path below it', `${token}/graphql`],
    ['two', `${token}/${token}`],
    ['a page of its own', 'returned'],
    ['more than anybody glues', `${token}${'.'.repeat(400)}`],
    ['what stands for a character of one', `${token}%41`],
    ['what does when it is decoded twice', `${token}%2541`],
    ['nothing', ''],
    ['words in a quote', `${token}=3Ex`],
  ])('is left as it is with %s', (_what, rest) => {
    expect(withoutGlue(`/confirm/${rest}`)).toBe(`/confirm/${rest}`);
  });

  it('is the only one that is looked at', () => {
    for (const url of ['/graphql', `/graphql?a=/confirm/${token}.`, `/confirm?${token}.`, `//confirm/${token}.`, ''])
      expect(withoutGlue(url)).toBe(url);
  });

  it('never gets another token than the one in it, whatever surrounds it', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
    const run = (minLength: number, maxLength = minLength) =>
      fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
    const marks = [...'.,;:!)(>]"\'*|~ ', '%3E', '%20', '%E2%80%8B', '&gt;', '/', '%253C'];
    const of = (...marks: readonly string[]) =>
      fc.array(fc.constantFrom(...marks), { maxLength: 6 }).map((each) => each.join(''));
    const [before, behind] = [of(...marks), of(...marks, '=20', '=3E')];
    fc.assert(
      fc.property(before, run(43), behind, (lead, made, tail) => {
        expect(withoutGlue(`/confirm/${lead}${made}${tail}`)).toBe(`/confirm/${made}`);
      }),
    );
    fc.assert(
      fc.property(
        before,
        fc.oneof(run(1, 42), run(44, 60)).filter((made) => made.replace(/_+$/, '').length > 43 || made.length < 43),
        behind,
        (lead, made, tail) => {
          const url = `/confirm/${lead}${made}${tail}`;
          expect(withoutGlue(url)).toBe(url);
        },
      ),
    );
  });
});
