import fc from 'fast-check';
import {
  citedPlan,
  type FieldOfDisclosure,
  fieldsUnder,
  type PlanDetail,
  planAction,
  planDigest,
  planSubject,
  readPlan,
  shownUnder,
  widthOf,
} from './access-plan';
import { type EventDraft, finalizeEvent } from './event';
import { type Leaf, readLeaf } from './leaf';

const links = ['VERIFIED', 'MATCHED', 'NONE'] as const;
const verdicts = ['reveal', 'mask:email', 'mask:hidden', 'omit', 'deny'] as const;
const names = ['A.a', 'A.b', 'B.a', 'C.c', 'D.d'] as const;
const plan: PlanDetail = {
  operation: 'o'.repeat(64),
  policy: 'p',
  links,
  fields: [
    ['A.a', 'reveal', 'mask:email', 'omit'],
    ['B.a', 'reveal', 'reveal', 'reveal'],
  ],
};
const plans: fc.Arbitrary<PlanDetail> = fc
  .uniqueArray(fc.constantFrom(...names))
  .chain((fields) =>
    fc.tuple(...fields.map((field) => fc.tuple(fc.constant(field), ...links.map(() => fc.constantFrom(...verdicts))))),
  )
  .map((fields) => ({ ...plan, fields }));
const left = fc.array(
  fc.record({
    field: fc.constantFrom(...names),
    link: fc.constantFrom(...links),
    verdict: fc.constantFrom(...verdicts),
    count: fc.integer({ min: 1, max: 400 }),
  }),
);

const sumsOf = (fields: readonly FieldOfDisclosure[]): readonly (readonly [string, number])[] => {
  const sums = new Map<string, number>();
  for (const { field, verdict, count } of fields) sums.set(`${field} ${verdict}`, (sums.get(`${field} ${verdict}`) ?? 0) + count);
  return [...sums].sort();
};

const leafOf = (facts: Partial<EventDraft>): Leaf => {
  const actor = { id: 'act_1', kind: 'staff', roles: [] };
  const event = finalizeEvent({ action: planAction, outcome: 'ALLOWED', actor, version: 2, ...facts }, 'atx_1', 0, new Date(1));
  return readLeaf(event.leaf.toString('utf8'));
};
const stated = (detail: PlanDetail, id = planDigest(detail)): Leaf =>
  leafOf({ subject: { type: planSubject, id }, detail: { ...detail } });
const shown = (detail: EventDraft['detail']): Leaf =>
  leafOf({ action: 'disclosure', detail: { plan: planDigest(plan), counts: { NONE: [1, 2] }, ...detail } });

describe('what left under a plan', () => {
  test('is what the disclosure and the plan say together, whatever it was', () => {
    fc.assert(
      fc.property(plans, left, (detail, fields) => {
        expect(sumsOf(fieldsUnder(detail, shownUnder(detail, fields)))).toEqual(sumsOf(fields));
      }),
    );
  });

  test('is told each field and verdict once, whatever the link', () => {
    const fields = links.map((link) => ({ field: 'B.a', link, verdict: 'reveal', count: 2 }));
    expect(fieldsUnder(plan, shownUnder(plan, fields))).toEqual([{ field: 'B.a', verdict: 'reveal', count: 6 }]);
  });

  test('says by itself what the plan has otherwise', () => {
    const masked = { field: 'B.a', link: 'NONE', verdict: 'mask:email', count: 1 };
    expect(shownUnder(plan, [masked, { ...masked, field: 'Z.z' }])).toEqual({
      counts: {},
      others: [
        ['B.a', 'mask:email', 1],
        ['Z.z', 'mask:email', 1],
      ],
    });
  });

  test.each([
    ['another number of fields', { NONE: [1] }],
    ['another link', { OTHER: [1, 1] }],
  ])('can’t be read from counts of %s', (_what, counts) => {
    expect(() => fieldsUnder(plan, { counts })).toThrow('expected counts for the fields of the plan');
  });
});

describe('the leaf of a plan', () => {
  test('is what it is named by', () => {
    const digest = planDigest(plan);
    expect(readPlan(stated(plan))).toEqual({ ...plan, digest });
    fc.assert(
      fc.property(plans, (other) => {
        fc.pre(JSON.stringify(other) !== JSON.stringify(plan));
        expect(planDigest(other)).not.toBe(digest);
        expect(() => readPlan(stated(other, digest))).toThrow('expected the digest of what the plan states');
      }),
    );
  });

  test.each<[string, Partial<EventDraft>]>([
    ['another event', { action: 'disclosure', detail: { ...plan, plan: planDigest(plan) } }],
    ['a plan about something else', { subject: { type: 'Policy', id: planDigest(plan) } }],
    ['fewer verdicts than links', { detail: { ...plan, fields: [['A.a', 'reveal']] } }],
    ['fields that are none', { detail: { ...plan, fields: 'A.a' } }],
    ['no policy', { detail: { operation: '', links: [], fields: [] } }],
  ])('isn’t %s', (_what, facts) => {
    const leaf = leafOf({ subject: { type: planSubject, id: planDigest(plan) }, detail: { ...plan }, ...facts });
    expect(() => readPlan(leaf)).toThrow('expected');
  });
});

describe('the leaf of a disclosure', () => {
  test('names its plan, or says its fields itself', () => {
    expect(citedPlan(shown({}))).toBe(planDigest(plan));
    const former = { action: 'disclosure', detail: { plan: planDigest(plan), fields: [] } } as const;
    expect(citedPlan(leafOf({ ...former, version: 1 }))).toBeUndefined();
    expect(() => shown({ plan: 'no digest' })).toThrow('expected a plan, or a disclosure');
  });

  test.each<[string, EventDraft['detail']]>([
    ['no counts', { counts: [1, 2] }],
    ['a count below zero', { counts: { NONE: [-1] } }],
    ['counts of different length', { counts: { NONE: [1, 2], MATCHED: [1] } }],
    ['others without a verdict', { others: [['A.a', 1]] }],
    ['a place where no customer stands', { linked: { NONE: [0] } }],
  ])('with %s isn’t of version 2', (_what, detail) => {
    expect(() => widthOf(shown(detail))).toThrow('expected');
  });

  test('says under which link each customer stands, in the order of the digests', () => {
    const customers = ['b', 'a', 'c'].map((name, at) => ({
      id: name,
      digest: () => name,
      links: at === 0 ? ['MATCHED'] : at === 1 ? ['VERIFIED', 'MATCHED'] : [],
    }));
    const leaf = leafOf({ action: 'disclosure', customers, detail: { plan: planDigest(plan), counts: {} } });
    expect([leaf.customers, leaf.detail.linked]).toEqual([['a', 'b', 'c'], { VERIFIED: [0], MATCHED: [0, 1] }]);
    expect(widthOf(leaf)).toBeNull();
  });
});
