import fc from 'fast-check';
import { decideLink, type LinkCandidate, type LinkSubject } from './link';

const subject: LinkSubject = {
  nameDigest: 'rt:17',
  emailDigest: 'mara@example.org',
  emailEdited: false,
  protectedReferenceDigest: null,
};
const candidate = (id: string, over: Partial<LinkCandidate> = {}): LinkCandidate => ({
  id,
  referenceDigest: `ref-${id}`,
  emailDigest: 'mara@example.org',
  helpdeskNameDigest: null,
  ...over,
});

describe('who a helpdesk customer is on the payment side', () => {
  it.each<[string, LinkSubject, LinkCandidate[], string, string | null]>([
    [
      'the payment side names them',
      subject,
      [candidate('a', { helpdeskNameDigest: 'rt:17', emailDigest: null })],
      'VERIFIED',
      'a',
    ],
    [
      'it names them beside others with their e-mail',
      subject,
      [candidate('a', { helpdeskNameDigest: 'rt:17' }), candidate('b')],
      'VERIFIED',
      'a',
    ],
    [
      'two payment customers name them',
      subject,
      [candidate('a', { helpdeskNameDigest: 'rt:17' }), candidate('b', { helpdeskNameDigest: 'rt:17' })],
      'NONE',
      null,
    ],
    [
      'a protected field names one',
      { ...subject, protectedReferenceDigest: 'ref-a' },
      [candidate('a', { emailDigest: null })],
      'VERIFIED',
      'a',
    ],
    [
      'a protected field and the payment side disagree',
      { ...subject, protectedReferenceDigest: 'ref-a' },
      [candidate('a'), candidate('b', { helpdeskNameDigest: 'rt:17' })],
      'NONE',
      null,
    ],
    ['a protected field names nobody we know', { ...subject, protectedReferenceDigest: 'ref-z' }, [candidate('a')], 'NONE', null],
    ['one candidate has their e-mail', subject, [candidate('a')], 'MATCHED', 'a'],
    ['two candidates have it', subject, [candidate('a'), candidate('b')], 'NONE', null],
    ['the one that has it names somebody else', subject, [candidate('a', { helpdeskNameDigest: 'rt:99' })], 'NONE', null],
    ['their address was edited in the helpdesk', { ...subject, emailEdited: true }, [candidate('a')], 'NONE', null],
    ['they have no address', { ...subject, emailDigest: null }, [candidate('a', { emailDigest: null })], 'NONE', null],
    ['nobody is found', subject, [], 'NONE', null],
  ])('%s', (_, from, candidates, assurance, paymentCustomerId) => {
    expect(decideLink(from, candidates)).toEqual({ assurance, paymentCustomerId });
  });

  it('never depends on the order of the candidates, and never links to two', () => {
    const name = fc.constantFrom(null, 'rt:17', 'rt:99');
    const email = fc.constantFrom(null, 'mara@example.org', 'other@example.org');
    fc.assert(
      fc.property(
        fc.array(fc.record({ helpdeskNameDigest: name, emailDigest: email }), { maxLength: 4 }),
        fc.boolean(),
        fc.constantFrom(null, 'ref-0', 'ref-9'),
        (list, emailEdited, protectedReferenceDigest) => {
          const candidates = list.map((over, index) => candidate(String(index), over));
          const from = { ...subject, emailEdited, protectedReferenceDigest };
          const link = decideLink(from, candidates);
          expect(decideLink(from, [...candidates].reverse())).toEqual(link);
          const target = candidates.find(({ id }) => id === link.paymentCustomerId);
          expect(target === undefined).toBe(link.assurance === 'NONE');
          if (link.assurance === 'VERIFIED')
            expect(target?.helpdeskNameDigest === 'rt:17' || target?.referenceDigest === protectedReferenceDigest).toBe(true);
          if (link.assurance === 'MATCHED')
            expect(candidates.filter((each) => each.emailDigest === subject.emailDigest)).toHaveLength(1);
        },
      ),
    );
  });
});
