import { contactHistory, type KnownContact } from './contact-history';

const day = 86_400_000;
const asOf = new Date('2026-09-10T09:00:00Z');
const before = (days: number) => new Date(asOf.getTime() - days * day);
const stored: KnownContact = {
  emailDigest: 'a',
  phoneDigest: 'p',
  emailSeenSince: before(30),
  emailChangedAt: null,
  phoneSeenSince: before(30),
  phoneChangedAt: before(60),
};
const same = { emailDigest: 'a', phoneDigest: 'p' };
const nothingTold = {};

test.each<[string, KnownContact | undefined, typeof same, Parameters<typeof contactHistory>[2], unknown]>([
  ['seen for the first time: of unknown age', undefined, same, nothingTold, [asOf, null]],
  ['seen again unchanged: since it was first seen', stored, same, nothingTold, [before(30), null]],
  ['another than before: changed now', stored, { ...same, emailDigest: 'b' }, nothingTold, [asOf, asOf]],
  ['gone: that is a change', stored, { ...same, emailDigest: null as never }, nothingTold, [asOf, asOf]],
  [
    'from before contacts were followed: proves no change',
    { ...stored, emailSeenSince: null },
    { ...same, emailDigest: 'b' },
    nothingTold,
    [asOf, null],
  ],
  ['told by the provider', undefined, same, { emailChangedAt: before(400) }, [asOf, before(400)]],
  [
    'seen to change, while the provider tells of an older change: the later one counts',
    stored,
    { ...same, emailDigest: 'b' },
    { emailChangedAt: before(400) },
    [asOf, asOf],
  ],
])('an address that is %s', (_, row, now, told, expected) => {
  const history = contactHistory(row, now, told, asOf);
  expect([history.emailSeenSince, history.emailChangedAt]).toEqual(expected);
});

test('a known change stays known, and the number has a history of its own', () => {
  const history = contactHistory(stored, { ...same, emailDigest: 'b' }, nothingTold, asOf);
  expect([history.phoneSeenSince, history.phoneChangedAt]).toEqual([before(30), before(60)]);
});
