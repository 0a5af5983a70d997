import fc from 'fast-check';
import { linkAssurances } from '../../../authz/actor';
import { credentialUpdateKinds, type RiskRule, type UpdatePolicy } from '../../../authz/policy/update-policy';
import { type VerificationMethodName, verificationMethodNames, verificationMethods } from '../../../authz/policy/verification';
import type { CustomerSign } from '../customer-signs';
import { type ContactAge, needsOf, riskOf, type UpdateFacts } from './risk';

const at = new Date('2026-09-01T09:00:00Z');
const day = 86_400_000;
const strengthOf = (name: VerificationMethodName): number => verificationMethods[name].strength;
const daysAgo = (days: number): Date => new Date(at.getTime() - days * day);

const policy: UpdatePolicy = {
  kinds: {
    REPLACE_CARD: { strength: 'three-d-secure' },
    BILLING_ADDRESS: { strength: 'link' },
    SET_DEFAULT: { strength: 'link' },
    REMOVE: { strength: 'code' },
  },
  linkHours: 24,
  approvalHours: 48,
  quota: { perCustomerPerDay: 5 },
  highRisk: {
    strength: 'code',
    contactWindowDays: 14,
    rules: [
      { name: 'removes-default', when: { kinds: ['REMOVE'], methodIsDefault: true } },
      { name: 'recent-dispute', when: { disputedWithinDays: 60 } },
      { name: 'new-method', when: { kinds: ['REMOVE', 'SET_DEFAULT'], methodYoungerThanDays: 3 } },
      { name: 'by-the-book', when: { link: 'VERIFIED', methodIsDefault: false, disputedWithinDays: 365 } },
    ],
  },
};
const lenient: UpdatePolicy = { ...policy, highRisk: { ...policy.highRisk, strength: 'link', rules: [] } };

const old: ContactAge = { changedAt: daysAgo(400), seenSince: daysAgo(400) };
const seen: ContactAge = { changedAt: null, seenSince: daysAgo(30) };
const changed: ContactAge = { changedAt: daysAgo(3), seenSince: daysAgo(3) };
const unknown: ContactAge = { changedAt: null, seenSince: null };

const calm: UpdateFacts = {
  kind: 'BILLING_ADDRESS',
  link: 'VERIFIED',
  contact: { mail: old, phone: old },
  contactIsStaff: false,
  method: { isDefault: true, createdAt: daysAgo(500) },
  lastDisputeAt: null,
  signs: [],
};
const mail = (age: ContactAge) => ({ contact: { mail: age, phone: old } });
const phone = (age: ContactAge | null) => ({ contact: { mail: old, phone: age } });

describe('an update is high-risk under these rules, and no others:', () => {
  it.each<[string, Partial<UpdateFacts>, string[]]>([
    // what is so, and the rules that say so
    ['nothing in particular', {}, []],
    ['the change doesn’t fit the customer’s history', { signs: ['change-against-history'] }, ['change-against-history']],
    ['a hold stands on the customer', { signs: ['active-hold'] }, ['active-hold']],
    ['the customer was found by e-mail alone', { link: 'MATCHED' }, ['matched-link']],
    ['the address changed three days ago', mail(changed), ['contact-changed']],
    ['the address changed long ago', mail(old), []],
    ['nobody knows how old the address is', mail(unknown), ['contact-age-unknown']],
    ['nobody knows, but it was seen unchanged for a month', mail(seen), []],
    ['nobody knows, and it was first seen yesterday', mail({ changedAt: null, seenSince: daysAgo(1) }), ['contact-age-unknown']],
    ['a change that is dated tomorrow', mail({ changedAt: daysAgo(-1), seenSince: daysAgo(400) }), ['contact-changed']],
    ['the number changed, and no code is sent', phone(changed), []],
    [
      'the number changed, and a code is sent',
      { kind: 'REMOVE', method: { ...calm.method, isDefault: false }, ...phone(changed) },
      ['contact-changed'],
    ],
    [
      'nobody knows how old the number is, and a code is sent',
      { link: 'MATCHED', ...phone(unknown) },
      ['matched-link', 'contact-age-unknown'],
    ],
    [
      'the number changed, and a code is sent because the address did too',
      { contact: { mail: unknown, phone: changed } },
      ['contact-changed', 'contact-age-unknown'],
    ],
    ['there is no number', { link: 'MATCHED', ...phone(null) }, ['matched-link']],
    ['the contact is a colleague’s', { contactIsStaff: true }, ['contact-is-staff']],
    ['the default is removed', { kind: 'REMOVE' }, ['removes-default']],
    ['another method is removed', { kind: 'REMOVE', method: { isDefault: false, createdAt: daysAgo(500) } }, []],
    ['a payment was disputed last month', { lastDisputeAt: daysAgo(30) }, ['recent-dispute']],
    ['a payment was disputed last year', { lastDisputeAt: daysAgo(300) }, []],
    [
      'a method of yesterday becomes the default',
      { kind: 'SET_DEFAULT', method: { isDefault: true, createdAt: daysAgo(1) } },
      ['new-method'],
    ],
    ['a method of yesterday gets another address', { method: { isDefault: true, createdAt: daysAgo(1) } }, []],
    [
      'all conditions of a rule hold',
      { method: { isDefault: false, createdAt: daysAgo(500) }, lastDisputeAt: daysAgo(300) },
      ['by-the-book'],
    ],
    [
      'all but its link',
      { link: 'MATCHED', method: { isDefault: false, createdAt: daysAgo(500) }, lastDisputeAt: daysAgo(300) },
      ['matched-link'],
    ],
    [
      'everything at once: built-in rules first, then the file’s by name',
      {
        kind: 'REMOVE',
        link: 'MATCHED',
        contact: { mail: unknown, phone: changed },
        contactIsStaff: true,
        method: { isDefault: true, createdAt: daysAgo(1) },
        lastDisputeAt: daysAgo(1),
      },
      [
        'matched-link',
        'contact-changed',
        'contact-age-unknown',
        'contact-is-staff',
        'new-method',
        'recent-dispute',
        'removes-default',
      ],
    ],
  ])('%s', (_, facts, expected) => {
    expect(riskOf({ ...calm, ...facts }, policy, at)).toEqual(expected);
  });
});

describe('an update needs', () => {
  const risky = { lastDisputeAt: daysAgo(1) };
  it.each<[string, UpdatePolicy, Partial<UpdateFacts>, string]>([
    // who and what, under which file, and what is needed beside the link
    ['a kind that the link is enough for', policy, {}, ''],
    ['the same, high-risk', policy, risky, 'code, approval'],
    ['the same, high-risk, where the file asks for no more', lenient, { contactIsStaff: true }, 'approval'],
    ['a kind that asks for a code', policy, { kind: 'REMOVE', method: { ...calm.method, isDefault: false } }, 'code'],
    ['the same, high-risk', policy, { kind: 'REMOVE' }, 'code, approval'],
    ['a kind that asks for 3-D Secure', policy, { kind: 'REPLACE_CARD' }, '3-D Secure'],
    ['the same, high-risk: both', policy, { kind: 'REPLACE_CARD', ...risky }, 'code, 3-D Secure, approval'],
    ['a MATCHED link', policy, { link: 'MATCHED' }, 'code, approval'],
    ['a MATCHED link, whatever the file says', lenient, { link: 'MATCHED' }, 'code, approval'],
    ['a MATCHED link and 3-D Secure', lenient, { kind: 'REPLACE_CARD', link: 'MATCHED' }, 'code, 3-D Secure, approval'],
  ])('%s', (_, file, facts, expected) => {
    const { needsCode, needsThreeDSecure, needsApproval } = needsOf({ ...calm, ...facts }, file, at);
    const needs = [needsCode && 'code', needsThreeDSecure && '3-D Secure', needsApproval && 'approval'];
    expect(needs.filter(Boolean).join(', ')).toBe(expected);
  });
});

describe('whatever the policy and the facts,', () => {
  const instant = fc.integer({ min: -5, max: 400 }).map(daysAgo);
  const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
  const age: fc.Arbitrary<ContactAge> = fc.record({
    changedAt: fc.option(instant, { nil: null }),
    seenSince: fc.option(instant, { nil: null }),
  });
  const anyKind = fc.constantFrom(...credentialUpdateKinds);
  const facts: fc.Arbitrary<UpdateFacts> = fc.record({
    kind: anyKind,
    link: fc.constantFrom(...linkAssurances),
    contact: fc.record({ mail: age, phone: fc.option(age, { nil: null }) }),
    contactIsStaff: fc.boolean(),
    method: fc.record({ isDefault: fc.boolean(), createdAt: instant }),
    lastDisputeAt: fc.option(instant, { nil: null }),
    signs: fc.subarray<CustomerSign>(['change-against-history', 'active-hold']),
  });
  const condition = fc
    .record({
      kinds: maybe(fc.uniqueArray(anyKind, { minLength: 1 })),
      link: maybe(fc.constantFrom('VERIFIED' as const, 'MATCHED' as const)),
      methodIsDefault: maybe(fc.boolean()),
      methodYoungerThanDays: maybe(fc.integer({ min: 1, max: 365 })),
    })
    .filter((when) => Object.values(when).some((each) => each !== undefined));
  const strength = fc.constantFrom<VerificationMethodName>(...verificationMethodNames);
  const rule: fc.Arbitrary<RiskRule> = fc.record({ name: fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), when: condition });
  const file: fc.Arbitrary<UpdatePolicy> = fc.record({
    kinds: fc.record(
      Object.fromEntries(credentialUpdateKinds.map((kind) => [kind, fc.record({ strength })])) as Record<
        (typeof credentialUpdateKinds)[number],
        fc.Arbitrary<{ strength: VerificationMethodName }>
      >,
    ),
    linkHours: fc.constant(24),
    approvalHours: fc.constant(48),
    quota: fc.constant({ perCustomerPerDay: 5 }),
    highRisk: fc.record({
      strength,
      contactWindowDays: fc.integer({ min: 1, max: 365 }),
      rules: fc.uniqueArray(rule, { maxLength: 5, selector: ({ name }) => name }),
    }),
  });

  const needs = (given: UpdateFacts, under: UpdatePolicy) => {
    const { rules, needsCode, needsThreeDSecure, needsApproval } = needsOf(given, under, at);
    return { rules, asked: [needsCode, needsThreeDSecure, needsApproval].map(Number) };
  };
  /** Everything that was needed still is, and every rule still holds. */
  const expectNoLess = (calmer: ReturnType<typeof needs>, riskier: ReturnType<typeof needs>) => {
    calmer.asked.forEach((asked, index) => void expect(riskier.asked[index]).toBeGreaterThanOrEqual(asked));
    expect(riskier.rules).toEqual(expect.arrayContaining([...calmer.rules]));
  };

  it('more risk never needs less', () => {
    const worse = fc.constantFrom<(given: UpdateFacts) => UpdateFacts>(
      (given) => ({ ...given, contactIsStaff: true }),
      (given) => ({ ...given, contact: { ...given.contact, mail: { changedAt: at, seenSince: at } } }),
      (given) => ({ ...given, lastDisputeAt: at }),
      (given) => ({ ...given, method: { ...given.method, createdAt: at } }),
    );
    fc.assert(
      fc.property(facts, file, worse, (given, under, worsen) => {
        const before = needs(given, under);
        const after = needs(worsen(given), under);
        // A known recent change takes the place of an unknown age.
        const rules = before.rules.map((name) => (name === 'contact-age-unknown' ? expect.any(String) : name));
        expectNoLess({ ...before, rules: rules as string[] }, after);
      }),
    );
  });

  it('a rule that is added, a longer window or a stronger proof never needs less', () => {
    fc.assert(
      fc.property(facts, file, rule, fc.nat(365), (given, under, added, longer) => {
        const { highRisk } = under;
        const stricter: UpdatePolicy = {
          ...under,
          highRisk: {
            strength: strengthOf(highRisk.strength) < strengthOf('code') ? 'code' : highRisk.strength,
            contactWindowDays: highRisk.contactWindowDays + longer,
            rules: [...highRisk.rules, { ...added, name: `added-${added.name}` }],
          },
        };
        expectNoLess(needs(given, under), needs(given, stricter));
      }),
    );
  });

  it('a MATCHED link needs a code and an approval', () => {
    fc.assert(
      fc.property(facts, file, (given, under) => {
        expect(needsOf({ ...given, link: 'MATCHED' }, under, at)).toMatchObject({ needsCode: true, needsApproval: true });
      }),
    );
  });

  it('an approval is needed exactly where a rule holds, and the order of the file changes nothing', () => {
    fc.assert(
      fc.property(facts, file, (given, under) => {
        const found = needsOf(given, under, at);
        expect(found.needsApproval).toBe(found.rules.length > 0);
        expect(new Set(found.rules).size).toBe(found.rules.length);
        const reversed = { ...under, highRisk: { ...under.highRisk, rules: [...under.highRisk.rules].reverse() } };
        expect(needsOf(given, reversed, at)).toEqual(found);
      }),
    );
  });

  it('a window ends to the millisecond after its last day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 }), fc.constantFrom(-1, 0, 1), (days, offset) => {
        const instantAt = new Date(at.getTime() - days * day - offset);
        const under: UpdatePolicy = {
          ...policy,
          highRisk: {
            strength: 'code',
            contactWindowDays: days,
            rules: [
              { name: 'disputed', when: { disputedWithinDays: days } },
              { name: 'young', when: { methodYoungerThanDays: days } },
            ],
          },
        };
        const within = offset < 0;
        const risk = (given: Partial<UpdateFacts>) => riskOf({ ...calm, ...given }, under, at);
        const method = { isDefault: true, createdAt: daysAgo(500) };
        expect(risk({ method, ...mail({ changedAt: instantAt, seenSince: null }) })).toEqual(within ? ['contact-changed'] : []);
        expect(risk({ method, ...mail({ changedAt: null, seenSince: instantAt }) })).toEqual(
          within ? ['contact-age-unknown'] : [],
        );
        expect(risk({ method, lastDisputeAt: instantAt })).toEqual(within ? ['disputed'] : []);
        expect(risk({ method: { ...method, createdAt: instantAt } })).toEqual(within ? ['young'] : []);
      }),
    );
  });
});

it('the link is the weakest proof, so that whatever the file asks of a high-risk update is at least that', () => {
  for (const name of verificationMethodNames) expect(strengthOf(name)).toBeGreaterThanOrEqual(strengthOf('link'));
});
