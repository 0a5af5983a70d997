import { contactHistory, type KnownContact, phoneDigits } from './contact-history';

const day = 86_400_000;
const asOf = new Date('2026-09-10T09:00:00Z');
const before = (days: number) => asOf.getTime() - days * day;
const stored: KnownContact = {
  email_digest: 'a',
  phone_digest: 'p',
  email_seen_since: before(30),
  email_changed_at: null,
  phone_seen_since: before(30),
  phone_changed_at: before(60),
};
const same = { email_digest: 'a', phone_digest: 'p' };
const nothingTold = {};

test.each<[string, KnownContact | undefined, typeof same, Parameters<typeof contactHistory>[2], unknown]>([
  ['seen for the first time: of unknown age', undefined, same, nothingTold, [asOf.getTime(), null]],
  ['seen again unchanged: since it was first seen', stored, same, nothingTold, [before(30), null]],
  ['another than before: changed now', stored, { ...same, email_digest: 'b' }, nothingTold, [asOf.getTime(), asOf.getTime()]],
  ['gone: that is a change', stored, { ...same, email_digest: null as never }, nothingTold, [asOf.getTime(), asOf.getTime()]],
  [
    'from before contacts were followed: proves no change',
    { ...stored, email_seen_since: null },
    { ...same, email_digest: 'b' },
    nothingTold,
    [asOf.getTime(), null],
  ],
  ['told by the provider', undefined, same, { emailChangedAt: new Date(before(400)) }, [asOf.getTime(), before(400)]],
  [
    'seen to change, while the provider tells of an older change: the later one counts',
    stored,
    { ...same, email_digest: 'b' },
    { emailChangedAt: new Date(before(400)) },
    [asOf.getTime(), asOf.getTime()],
  ],
])('an address that is %s', (_, row, now, told, expected) => {
  const history = contactHistory(row, now, told, asOf);
  expect([history.email_seen_since, history.email_changed_at]).toEqual(expected);
});

test('a known change stays known, and the number has a history of its own', () => {
  const history = contactHistory(stored, { ...same, email_digest: 'b' }, nothingTold, asOf);
  expect([history.phone_seen_since, history.phone_changed_at]).toEqual([before(30), before(60)]);
});

test('numbers are compared without their spacing', () => {
  expect(phoneDigits('+353 (20) 915-5502')).toBe('+353209155502');
});
