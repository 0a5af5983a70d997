import fc from 'fast-check';
import { markedSchema } from '../../../test/support/marked-schema';
import { Failure } from '../../failure';
import { type AccessClass, linkAssurances, type Role, roles } from '../actor';
import type { PolicyChange } from './change';
import { classifySchema } from './classify-schema';
import { diffPolicies } from './diff';
import { explain } from './explain';
import { ExposurePolicy } from './exposure';
import { describeProblem } from './file';
import { readFormer } from './former';
import { applyVerdict, verdictText } from './verdict';

const schema = markedSchema(`
  interface Node { id: ID! @is(class: "PUBLIC") }
  type Query {
    customers(filter: CustomerFilter, order: CustomerOrder): [Customer!]! @is(class: "PUBLIC")
    page: Page! @is(class: "INTERNAL")
  }
  type Mutation { forget: String @is(class: "INTERNAL") }
  type Page { size: Int! @is(class: "PUBLIC") next: String @is(class: "INTERNAL") }
  type Customer implements Node {
    id: ID! @is(class: "PUBLIC")
    email: String @is(class: "PERSONAL", matched: "CREDENTIAL")
    score: Int @is(class: "PAYMENT")
    line: String @is(class: "CREDENTIAL")
    page: Page @is(class: "INTERNAL")
  }
  input CustomerFilter { score: Int @filters(by: ["Customer.score"]) line: String @filters(by: ["Customer.line"]) }
  enum CustomerOrder { SCORE @sorts(by: ["Customer.score"]) }
`);
const classification = classifySchema(schema);

const valid = `version: 1
assistance:
  automatic: [own]
  lifetimeMinutes: 480
  quota: { customersPerHour: 40 }
  onRequest: { approvalFor: [AGENT], lifetimeMinutes: 60 }
scope: { AGENT: [own, team, assisted], SUPERVISOR: [team, own, assisted] }
fields:
  Query: { '*': { '*': reveal } }
  Mutation: { forget: { SUPERVISOR: reveal, '*': deny } }
  Page: { '*': { '*': reveal } }
  Customer:
    id: { '*': reveal }
    email: { AGENT: { VERIFIED: 'mask:email', MATCHED: 'mask:hidden', NONE: omit }, SUPERVISOR: { VERIFIED: reveal, MATCHED: 'mask:email', NONE: deny }, '*': deny }
    score: { PAYMENTS: reveal, SERVICE: reveal, AUDITOR: omit, '*': deny }
    line: { AGENT: 'mask:initial', SUPERVISOR: 'mask:initial', '*': deny }
    page: { '*': reveal }
filters: { Customer.score: [PAYMENTS, SERVICE], Customer.line: [] }
sorts: { Customer.score: [PAYMENTS] }
updates:
  kinds: { REPLACE_CARD: { strength: link }, SET_DEFAULT: { strength: link }, REMOVE: { strength: code } }
  linkHours: 24
  approvalHours: 48
  quota: { perCustomerPerDay: 5 }
  highRisk:
    strength: code
    contactWindowDays: 14
    rules:
      - { name: removes-default, when: { kinds: [REMOVE], methodIsDefault: true } }
      - { name: young-method, when: { kinds: [SET_DEFAULT, REMOVE], methodYoungerThanDays: 7 } }
`;

const load = (text: string, options = {}): ExposurePolicy => {
  const loaded = ExposurePolicy.load(text, classification, options);
  if (!loaded.ok) throw new Error(loaded.problems.map(describeProblem).join('\n'));
  return loaded.policy;
};
const problemsOf = (text: string, options = {}): string[] => {
  const loaded = ExposurePolicy.load(text, classification, options);
  return loaded.ok ? [] : loaded.problems.map(describeProblem);
};
const as = (...named: Role[]): AccessClass => ({ roles: named, mfa: true });
const texts = (policy: ExposurePolicy, coordinate: string, access: AccessClass) =>
  linkAssurances.map((each) => verdictText(policy.verdicts(coordinate, access)[each]));

describe('a valid policy', () => {
  const policy = load(valid);

  it.each<[string, AccessClass, string[]]>([
    ['Customer.id', as('ADMIN'), ['reveal', 'reveal', 'reveal']],
    ['Customer.email', as('AGENT'), ['mask:email', 'mask:hidden', 'omit']],
    ['Customer.email', as('SUPERVISOR'), ['reveal', 'mask:email', 'deny']],
    ['Customer.email', as('AGENT', 'SUPERVISOR'), ['reveal', 'mask:email', 'omit']],
    ['Customer.email', as('SUPERVISOR', 'AGENT'), ['reveal', 'mask:email', 'omit']],
    ['Customer.email', as('AUDITOR'), ['deny', 'deny', 'deny']],
    ['Customer.email', as(), ['deny', 'deny', 'deny']],
    ['Customer.id', as(), ['deny', 'deny', 'deny']],
    ['Customer.line', as('AGENT'), ['mask:initial', 'mask:initial', 'omit']],
    ['Customer.nothing', as('AGENT', 'SUPERVISOR'), ['deny', 'deny', 'deny']],
    ['Node.id', as('AGENT'), ['deny', 'deny', 'deny']],
    ['Page.size', as('AUDITOR'), ['reveal', 'reveal', 'reveal']],
  ])('decides %s for %p', (coordinate, access, expected) => {
    expect(texts(policy, coordinate, access)).toEqual(expected);
  });

  it('withholds policed fields from people without a second factor, and says so where one would help', () => {
    const bare = (...named: Role[]): AccessClass => ({ roles: named, mfa: false });
    for (const each of linkAssurances) {
      expect(policy.verdicts('Customer.email', bare('AGENT'))[each]).toEqual({ kind: 'deny', reason: 'MFA_REQUIRED' });
      expect(policy.verdicts('Customer.score', bare('PAYMENTS', 'SERVICE'))[each]).toEqual({
        kind: 'deny',
        reason: 'MFA_REQUIRED',
      });
      // A second factor would show an administrator nothing.
      expect(policy.verdicts('Customer.email', bare('ADMIN'))[each]).toEqual({ kind: 'deny', reason: 'ROLE' });
    }
    expect(texts(policy, 'Customer.id', bare('AGENT'))).toEqual(['reveal', 'reveal', 'reveal']);
    expect(texts(policy, 'Customer.score', bare('SERVICE'))).toEqual(['reveal', 'reveal', 'omit']);
    expect(texts(policy, 'Customer.score', bare('AUDITOR'))).toEqual(['omit', 'omit', 'omit']);
    expect(texts(load(valid, { mfaRequired: false }), 'Customer.score', bare('PAYMENTS'))).toEqual(['reveal', 'reveal', 'omit']);
    expect(policy.filterDenial('Customer.score', bare('PAYMENTS'))).toBe('MFA_REQUIRED');
    expect(policy.sortDenial('Customer.score', bare('PAYMENTS'))).toBe('MFA_REQUIRED');
    expect(policy.mayFilter('Customer.score', bare('SERVICE'))).toBe(true);
  });

  it('keeps reading, filtering and sorting apart', () => {
    expect(policy.mayFilter('Customer.score', as('PAYMENTS'))).toBe(true);
    expect(policy.filterDenial('Customer.score', as('AGENT'))).toBe('NOT_FILTERABLE');
    expect(policy.maySort('Customer.score', as('PAYMENTS'))).toBe(true);
    expect(policy.maySort('Customer.score', as('SERVICE'))).toBe(false);
    expect(policy.mayFilter('Customer.line', as(...roles))).toBe(false);
    expect(policy.mayFilter('Customer.unknown', as(...roles))).toBe(false);
    expect(policy.mayFilter('Customer.score', as())).toBe(false);
  });

  it('has assistance and scope as written', () => {
    expect(policy.assistance).toEqual({
      automatic: ['own'],
      lifetimeMinutes: 480,
      quota: { customersPerHour: 40 },
      onRequest: { approvalFor: ['AGENT'], lifetimeMinutes: 60 },
    });
    expect(policy.scope).toEqual({ AGENT: ['own', 'team', 'assisted'], SUPERVISOR: ['team', 'own', 'assisted'] });
  });

  it('has updates as written', () => {
    expect(policy.updates).toEqual({
      kinds: { REPLACE_CARD: { strength: 'link' }, SET_DEFAULT: { strength: 'link' }, REMOVE: { strength: 'code' } },
      linkHours: 24,
      approvalHours: 48,
      quota: { perCustomerPerDay: 5 },
      highRisk: {
        strength: 'code',
        contactWindowDays: 14,
        rules: [
          { name: 'removes-default', when: { kinds: ['REMOVE'], methodIsDefault: true } },
          { name: 'young-method', when: { kinds: ['SET_DEFAULT', 'REMOVE'], methodYoungerThanDays: 7 } },
        ],
      },
    });
  });

  it('may offer no change at all, and then needs no way to reach a customer', () => {
    const none = valid.replace(/kinds: \{ REPLACE_CARD.*\}/, 'kinds: {}');
    expect(load(none, { channels: { mail: false, sms: false } }).updates.kinds).toEqual({});
  });

  it('covers every field and role of the schema', () => {
    const seen = new Set([...policy.entries()].map(({ coordinate, role }) => `${coordinate} ${role}`));
    expect(seen.size).toBe(classification.fields.size * roles.length);
  });

  it('may name no ticket that begins an assistance by itself', () => {
    expect(load(valid.replace('automatic: [own]', 'automatic: []')).assistance.automatic).toEqual([]);
  });

  it('applies verdicts to values, and throws what the caller may see under deny', () => {
    const tools = { digest: () => 'ab' };
    expect(applyVerdict({ kind: 'reveal' }, 'Customer.email', 'a@b.c', tools)).toBe('a@b.c');
    expect(applyVerdict({ kind: 'mask', mask: 'hidden' }, 'Customer.email', 'a@b.c', tools)).toBe('•••');
    expect(applyVerdict({ kind: 'omit' }, 'Customer.email', 'a@b.c', tools)).toBeNull();
    expect(() => applyVerdict({ kind: 'deny', reason: 'ROLE' }, 'Customer.email', 'a@b.c', tools)).toThrow(Failure);
  });
});

describe('the digest', () => {
  const digest = load(valid).digest;

  it('is the same for the same meaning', () => {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(load(`# a comment\n${valid.replace('[own, team, assisted]', '[assisted,   team, own]')}`).digest).toBe(digest);
    const spelled = valid.replace(
      "{ AGENT: 'mask:initial', SUPERVISOR: 'mask:initial', '*': deny }",
      "\n      '*': deny\n      SUPERVISOR: mask:initial\n      AGENT: { NONE: omit, VERIFIED: mask:initial, MATCHED: mask:initial }",
    );
    expect(spelled).not.toBe(valid);
    expect(load(spelled).digest).toBe(digest);
    const [first = '', second = ''] = valid.split('\n').filter((line) => line.includes('- { name:'));
    const reordered = valid
      .replace(`${first}\n${second}`, `${second}\n${first}`)
      .replace('kinds: [SET_DEFAULT, REMOVE]', 'kinds: [REMOVE, SET_DEFAULT]');
    expect(reordered).not.toBe(valid);
    expect(load(reordered).digest).toBe(digest);
  });

  it.each([
    ['a verdict', "AGENT: 'mask:initial'", 'AGENT: deny'],
    ['one assurance', "MATCHED: 'mask:hidden'", 'MATCHED: omit'],
    ['a mask', "VERIFIED: 'mask:email'", "VERIFIED: 'mask:hidden'"],
    ['the quota', 'customersPerHour: 40', 'customersPerHour: 41'],
    ['an approval', 'approvalFor: [AGENT]', 'approvalFor: []'],
    ['the scope', 'AGENT: [own, team, assisted]', 'AGENT: [own, assisted]'],
    ['a filter', '[PAYMENTS, SERVICE]', '[PAYMENTS]'],
    ['a sort', 'Customer.score: [PAYMENTS] }', 'Customer.score: [] }'],
    ['a kind of update', 'SET_DEFAULT: { strength: link }, ', ''],
    ['the proof of a kind', 'REMOVE: { strength: code }', 'REMOVE: { strength: link }'],
    ['the life of a link', 'linkHours: 24', 'linkHours: 25'],
    ['the life of an approval', 'approvalHours: 48', 'approvalHours: 49'],
    ['the quota of updates', 'perCustomerPerDay: 5', 'perCustomerPerDay: 6'],
    ['the proof of high-risk updates', '    strength: code', '    strength: link'],
    ['the window of contact data', 'contactWindowDays: 14', 'contactWindowDays: 15'],
    ['the name of a rule', 'name: young-method', 'name: new-method'],
    ['a condition', 'methodYoungerThanDays: 7', 'methodYoungerThanDays: 8'],
    ['a condition that falls away', ', methodIsDefault: true', ''],
    ['a condition that is the other way round', 'methodIsDefault: true', 'methodIsDefault: false'],
    ['a condition that is added', 'methodYoungerThanDays: 7', 'methodYoungerThanDays: 7, disputedWithinDays: 7'],
    ['what frames have to bring', 'fields:', 'frames: { signatureRequired: [desk] }\nfields:'],
  ])('changes with %s', (_, from, to) => {
    const changed = valid.replace(from, to);
    expect(changed).not.toBe(valid);
    expect(load(changed).digest).not.toBe(digest);
  });
});

describe('a signature that frames have to bring', () => {
  const demanding = (...names: string[]) =>
    valid.replace('fields:', `frames: { signatureRequired: [${names.join(', ')}] }\nfields:`);
  const embeds = [
    { source: 'desk', signed: { kind: 'rt' } },
    { source: 'chat' },
    { source: 'messenger', signed: { kind: 'intercom' } },
  ];

  it('is demanded of none unless the file says so', () => {
    expect(load(valid, { embeds }).frames.signatureRequired).toEqual([]);
    expect(load(valid.replace('fields:', 'frames: { signatureRequired: [] }\nfields:')).digest).toBe(load(valid).digest);
  });

  it('is demanded of helpdesks that sign, where it is known which do', () => {
    expect(load(demanding('desk'), { embeds }).frames.signatureRequired).toEqual(['desk']);
    expect(load(demanding('anything')).frames.signatureRequired).toEqual(['anything']);
    const those = 'expected one of those that sign: desk';
    expect(problemsOf(demanding('desk', 'chat', 'messenger', 'other'), { embeds })).toEqual([
      `line 8, frames.signatureRequired.1: signs nothing of its frames (embeds[].signed), so none would show a ticket; ${those}`,
      `line 8, frames.signatureRequired.2: signs nothing of its frames (embeds[].signed), so none would show a ticket; ${those}`,
      `line 8, frames.signatureRequired.3: is no helpdesk of embeds; ${those}`,
    ]);
    expect(problemsOf(demanding('desk'), { embeds: [] })).toEqual([
      'line 8, frames.signatureRequired.0: is no helpdesk of embeds; expected none: no helpdesk signs',
    ]);
  });

  it.each([
    ['one that stands twice', 'frames: { signatureRequired: [desk, desk] }', /signatureRequired\.1: expected each helpdesk once/],
    ['what is no name', 'frames: { signatureRequired: [[desk]] }', /signatureRequired\.0: expected string/],
    ['another word', 'frames: { required: [desk] }', /frames: unknown required/],
    ['nothing', 'frames: {}', /frames\.signatureRequired: missing; expected a list/],
    ['one for all', 'frames: { signatureRequired: true }', /frames\.signatureRequired: expected a list/],
  ])('is no %s', (_, section, expected) => {
    expect(problemsOf(valid.replace('fields:', `${section}\nfields:`)).join('\n')).toMatch(expected);
  });

  it('that falls away exposes more', () => {
    const changes = diffPolicies(load(demanding('desk', 'chat')), load(demanding('chat')), classification);
    expect(changes).toMatchObject([
      {
        effect: 'exposes',
        sentence: 'Helpdesks in whose frames a ticket is shown only where they signed for it: now chat (was chat, desk).',
      },
    ]);
  });
});

describe('a mistaken policy is refused:', () => {
  it.each<[string, string | RegExp, string, RegExp]>([
    ['a field without an entry', '    page: { ', '    # page: { ', /fields\.Customer\.page: has no verdict/],
    [
      'a field without a verdict for a role',
      "page: { '*': reveal }",
      'page: { AGENT: reveal }',
      /line 17, fields\.Customer\.page: Customer\.page has no verdict for SUPERVISOR, PAYMENTS, AUDITOR, PRIVACY, SERVICE, ADMIN/,
    ],
    ['an unknown type', '  Page: {', '  Pages: {', /line 11, fields\.Pages: is no type/],
    ['an interface', '  Page: {', "  Node: { id: { '*': reveal } }\n  Page: {", /line 11, fields\.Node: is an interface/],
    [
      'an unknown field',
      '    page: {',
      "    pages: { '*': reveal }\n    page: {",
      /line 17, fields\.Customer\.pages: Customer has no such field/,
    ],
    ['an unknown role', 'page: {', 'page: { AGENTS: reveal, ', /line 17, fields\.Customer\.page\.AGENTS: is no role/],
    [
      'an unknown verdict',
      "page: { '*': reveal }",
      "page: { '*': allow }",
      /line 17, fields\.Customer\.page\.\*: "allow" is no verdict; expected reveal, omit, deny or mask/,
    ],
    [
      'an unknown mask',
      "AGENT: 'mask:initial'",
      'AGENT: mask:first',
      /line 16, fields\.Customer\.line\.AGENT: there is no mask "first"/,
    ],
    [
      'a mask named like a property of objects',
      "AGENT: 'mask:initial'",
      'AGENT: mask:constructor',
      /there is no mask "constructor"/,
    ],
    [
      'a mask that does not fit',
      'PAYMENTS: reveal,',
      'PAYMENTS: mask:email,',
      /fields\.Customer\.score\.PAYMENTS: .*mask:email fits String, not Int/,
    ],
    ['a mask on an object', "page: { '*': reveal }", "page: { '*': mask:hidden }", /mask:hidden fits String or ID, not Page/],
    [
      'personal data for administrators',
      "score: { PAYMENTS: reveal, SERVICE: reveal, AUDITOR: omit, '*': deny }",
      "score: { '*': reveal }",
      /Customer\.score for ADMIN: reveal is above the ceiling of PAYMENT: at most deny/,
    ],
    ['omission above a ceiling of deny', 'AUDITOR: omit', 'ADMIN: omit', /Customer\.score for ADMIN: omit is above the ceiling/],
    [
      'a credential in clear',
      "AGENT: 'mask:initial'",
      'AGENT: reveal',
      /Customer\.line for AGENT: reveal is above the ceiling of CREDENTIAL: at most mask/,
    ],
    [
      'a payment without a link',
      'PAYMENTS: reveal,',
      'PAYMENTS: { VERIFIED: reveal, MATCHED: omit, NONE: reveal },',
      /fields\.Customer\.score\.PAYMENTS: Customer\.score for PAYMENTS: reveal is above the ceiling of PAYMENT on NONE links: at most omit/,
    ],
    [
      'a masked credential without a link',
      "AGENT: 'mask:initial'",
      'AGENT: { VERIFIED: mask:initial, MATCHED: mask:hidden, NONE: mask:hidden }',
      /Customer\.line for AGENT: mask:hidden is above the ceiling of CREDENTIAL on NONE links: at most omit/,
    ],
    [
      'a credential in clear under one assurance',
      "MATCHED: 'mask:hidden'",
      'MATCHED: reveal',
      /Customer\.email for AGENT: reveal is above the ceiling of CREDENTIAL on MATCHED links: at most mask/,
    ],
    [
      'an omitted field that is never null',
      "id: { '*': reveal }",
      "id: { '*': omit }",
      /Customer\.id .*omit needs a field that may be null/,
    ],
    [
      'verdicts by assurance on a field that is never null',
      "id: { '*': reveal }",
      "id: { '*': { VERIFIED: reveal, MATCHED: deny, NONE: deny } }",
      /Customer\.id .*one verdict for all links/,
    ],
    [
      'an assurance that is missing',
      'NONE: omit }, SUPERVISOR',
      '}, SUPERVISOR',
      /line 14, fields\.Customer\.email\.AGENT: expected one verdict, or a map with exactly/,
    ],
    [
      'an assurance that does not exist',
      'NONE: omit }, SUPERVISOR',
      'NONE: omit, SOME: reveal }, SUPERVISOR',
      /fields\.Customer\.email\.AGENT: unknown SOME/,
    ],
    ['an omitted mutation', "forget: { SUPERVISOR: reveal, '*': deny }", "forget: { '*': omit }", /never left out silently/],
    [
      'a wildcard over a policed field',
      "    score: { PAYMENTS: reveal, SERVICE: reveal, AUDITOR: omit, '*': deny }",
      "    '*': { '*': deny }",
      /fields\.Customer\.\*: would cover Customer\.score, which is PAYMENT: a policed field must be named/,
    ],
    ['a filter without an entry', 'Customer.score: [PAYMENTS, SERVICE], ', '', /filters\.Customer\.score: missing/],
    [
      'a filter that does not exist',
      'Customer.line: []',
      'Customer.line: [], Customer.email: [AGENT]',
      /line 18, filters\.Customer\.email: nothing in the schema can filter/,
    ],
    [
      'a filter by what may never be seen in clear',
      'Customer.line: []',
      'Customer.line: [AGENT]',
      /filters\.Customer\.line: AGENT may never see Customer\.line in clear/,
    ],
    [
      'a sort for administrators',
      'sorts: { Customer.score: [PAYMENTS] }',
      'sorts: { Customer.score: [ADMIN] }',
      /sorts\.Customer\.score: ADMIN may never see/,
    ],
    ['a sort without an entry', 'sorts: { Customer.score: [PAYMENTS] }', 'sorts: {}', /sorts\.Customer\.score: missing/],
    [
      'a filter for an unknown role',
      'Customer.line: []',
      'Customer.line: [BOSS]',
      /line 18, filters\.Customer\.line\.0: expected one of AGENT/,
    ],
    ['another version', 'version: 1', 'version: 2', /line 1, version: expected 1/],
    ['an unknown section', 'version: 1', 'version: 1\nfeilds: {}', /unknown feilds/],
    ['a missing section', 'sorts: { Customer.score: [PAYMENTS] }', '', /sorts: missing/],
    ['a lifetime of nothing', 'lifetimeMinutes: 480', 'lifetimeMinutes: 0', /line 4, assistance\.lifetimeMinutes/],
    [
      'a quota in words',
      'customersPerHour: 40',
      'customersPerHour: many',
      /line 5, assistance\.quota\.customersPerHour: expected a whole number/,
    ],
    [
      'an unknown scope',
      'AGENT: [own, team, assisted]',
      'AGENT: [all]',
      /line 7, scope\.AGENT\.0: expected own, team or assisted/,
    ],
    ['a scope for an unknown role', 'scope: {', 'scope: { BOSS: [own],', /scope/],
    [
      'a duplicate field',
      "    id: { '*': reveal }",
      "    id: { '*': reveal }\n    id: { '*': reveal }",
      /line 14, file: a key stands here twice/,
    ],
    ['an alias', "id: { '*': reveal }", "id: &all { '*': reveal }\n    other: *all", /line 14, file: aliases are not accepted/],
    [
      'a merge key',
      "    id: { '*': reveal }",
      "    id: { '*': reveal }\n    <<: { x: { '*': reveal } }",
      /fields\.Customer\.<<: Customer has no such field/,
    ],
    [
      '__proto__',
      "id: { '*': reveal }",
      "id: { '*': reveal }\n    __proto__: { '*': reveal }",
      /line 14, file: __proto__ is no type/,
    ],
    [
      'an unclosed brace',
      'sorts: { Customer.score: [PAYMENTS] }',
      'sorts: { Customer.score: [PAYMENTS]',
      /line (19|20|21), file:/,
    ],
    ['updates that are missing', /^updates:[\s\S]*/m, '', /^updates: missing; expected a map/],
    [
      'an unknown kind of update',
      'SET_DEFAULT: {',
      'SET_DEFAULTS: {',
      /line 21, updates\.kinds: unknown SET_DEFAULTS; expected a map from a kind \(REPLACE_CARD, BILLING_ADDRESS, SET_DEFAULT, REMOVE\)/,
    ],
    [
      'an unknown proof',
      'REMOVE: { strength: code }',
      'REMOVE: { strength: password }',
      /line 21, updates\.kinds\.REMOVE\.strength: expected one of link, code, three-d-secure/,
    ],
    ['a kind without a proof', 'REMOVE: { strength: code }', 'REMOVE: {}', /line 21, updates\.kinds\.REMOVE\.strength: expected/],
    [
      'a kind with something else',
      'REMOVE: { strength: code }',
      'REMOVE: { strength: code, approval: true }',
      /updates\.kinds\.REMOVE: unknown approval/,
    ],
    ['a link that never works', 'linkHours: 24', 'linkHours: 0', /line 22, updates\.linkHours: expected whole hours, 1 to 168/],
    ['a link that works for longer than a week', 'linkHours: 24', 'linkHours: 169', /linkHours: expected whole hours, 1 to 168/],
    ['a link without an end', '  linkHours: 24\n', '', /updates\.linkHours: expected whole hours, 1 to 168/],
    ['half an hour', 'approvalHours: 48', 'approvalHours: 0.5', /line 23, updates\.approvalHours: expected whole hours/],
    ['an approval without an end', 'approvalHours: 48', 'approvalHours: 169', /approvalHours: expected whole hours, 1 to 168/],
    [
      'a quota of nothing',
      'perCustomerPerDay: 5',
      'perCustomerPerDay: 0',
      /line 24, updates\.quota\.perCustomerPerDay: expected a whole number, 1 to 1000/,
    ],
    ['a quota without a bound', 'perCustomerPerDay: 5', 'perCustomerPerDay: 1001', /perCustomerPerDay: expected a whole number/],
    [
      'a window of nothing',
      'contactWindowDays: 14',
      'contactWindowDays: 0',
      /line 27, updates\.highRisk\.contactWindowDays: expected whole days, 1 to 365/,
    ],
    [
      'a window beyond a year',
      'contactWindowDays: 14',
      'contactWindowDays: 366',
      /contactWindowDays: expected whole days, 1 to 365/,
    ],
    [
      'the name of a rule with a space',
      'name: removes-default',
      "name: 'Removes default'",
      /line 29, updates\.highRisk\.rules\.0\.name: expected a short name/,
    ],
    [
      'a name of 49 characters',
      'name: removes-default',
      `name: ${'a'.repeat(49)}`,
      /updates\.highRisk\.rules\.0\.name: expected a short name/,
    ],
    [
      'the name of a built-in rule',
      'name: removes-default',
      'name: matched-link',
      /line 29, updates\.highRisk\.rules\.0\.name: expected a name of its own; matched-link, contact-changed/,
    ],
    [
      'a name twice',
      'name: young-method',
      'name: removes-default',
      /line 30, updates\.highRisk\.rules\.1\.name: expected a name that no other rule has/,
    ],
    [
      'a rule without conditions',
      'when: { kinds: [REMOVE], methodIsDefault: true }',
      'when: {}',
      /line 29, updates\.highRisk\.rules\.0\.when: expected at least one condition/,
    ],
    [
      'an unknown condition',
      'methodIsDefault: true',
      'methodIsOld: true',
      /line 29, updates\.highRisk\.rules\.0\.when: unknown methodIsOld/,
    ],
    ['a rule for no kind', 'kinds: [REMOVE]', 'kinds: []', /rules\.0\.when\.kinds: expected at least one kind/],
    [
      'a rule for an unknown kind',
      'kinds: [REMOVE]',
      'kinds: [REMOVAL]',
      /line 29, updates\.highRisk\.rules\.0\.when\.kinds\.0: expected one of REPLACE_CARD/,
    ],
    [
      'a rule for customers without a link',
      'methodIsDefault: true',
      'link: NONE',
      /rules\.0\.when\.link: expected VERIFIED or MATCHED/,
    ],
    ['a dispute since ever', 'methodIsDefault: true', 'disputedWithinDays: 3651', /disputedWithinDays: expected whole days/],
    [
      'more rules than one would review',
      / {4}rules:\n[\s\S]*/,
      `    rules:\n${Array.from({ length: 51 }, (_, index) => `      - { name: rule-${index}, when: { link: MATCHED } }\n`).join('')}`,
      /line 28, updates\.highRisk\.rules: expected at most 50 rules/,
    ],
    ['a list where a map belongs', "page: { '*': reveal }", 'page: [reveal]', /line 17, fields\.Customer\.page: expected a map/],
  ])('%s', (_, from, to, expected) => {
    const changed = valid.replace(from, to);
    expect(changed).not.toBe(valid);
    expect(problemsOf(changed)).toContainEqual(expect.stringMatching(expected));
  });

  it('an empty file, a list, and one that is too long', () => {
    expect(problemsOf('')).not.toEqual([]);
    expect(problemsOf('- 1')).not.toEqual([]);
    expect(problemsOf('#'.repeat(1_048_577))).toEqual([expect.stringMatching(/longer than/)]);
  });

  it('all mistakes at once', () => {
    const changed = valid
      .replace("AGENT: 'mask:initial'", 'AGENT: reveal')
      .replace('customersPerHour: 40', 'customersPerHour: -1')
      .replace('  Page: {', '  Pages: {')
      .replace('Customer.line: []', 'Customer.line: [AGENT]');
    const found = problemsOf(changed).join('\n');
    for (const part of [
      'Customer.line for AGENT',
      'customersPerHour',
      'fields.Pages',
      'fields.Page.size',
      'filters.Customer.line',
    ]) {
      expect(found).toContain(part);
    }
  });

  it('without a crash, whatever the text', () => {
    const mutated = fc.tuple(fc.nat(valid.length), fc.nat(30), fc.string({ maxLength: 12 }));
    fc.assert(
      fc.property(mutated, ([at, length, text]) => {
        const changed = valid.slice(0, at) + text + valid.slice(at + length);
        const loaded = ExposurePolicy.load(changed, classification);
        // Whatever was accepted holds the ceilings.
        if (loaded.ok) {
          expect(texts(loaded.policy, 'Customer.score', as('ADMIN'))).toEqual(['deny', 'deny', 'deny']);
          expect(texts(loaded.policy, 'Customer.line', as('AGENT', 'SUPERVISOR'))).not.toContain('reveal');
        } else expect(loaded.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a strength that no customer can meet is refused:', () => {
  const both = { mail: true, sms: true };
  it.each<[string, string, string, { mail: boolean; sms: boolean }, string[]]>([
    ['none, where both channels are configured', '', '', both, []],
    [
      'a code without a gateway for short messages',
      '',
      '',
      { mail: true, sms: false },
      [
        "line 21, updates.kinds.REMOVE.strength: code can't be met: no gateway for short messages is configured (delivery.sms in the configuration file)",
        "line 26, updates.highRisk.strength: code can't be met: no gateway for short messages is configured (delivery.sms in the configuration file)",
      ],
    ],
    [
      'everything without a mail server',
      '',
      '',
      { mail: false, sms: true },
      [
        "line 21, updates.kinds.REPLACE_CARD.strength: link can't be met: no mail server is configured (delivery.mail in the configuration file)",
        "line 21, updates.kinds.SET_DEFAULT.strength: link can't be met: no mail server is configured (delivery.mail in the configuration file)",
        "line 21, updates.kinds.REMOVE.strength: code can't be met: no mail server is configured (delivery.mail in the configuration file)",
        "line 26, updates.highRisk.strength: code can't be met: no mail server is configured (delivery.mail in the configuration file)",
      ],
    ],
    ['not 3-D Secure for a new card', 'REPLACE_CARD: { strength: link }', 'REPLACE_CARD: { strength: three-d-secure }', both, []],
    [
      '3-D Secure for another kind',
      'REMOVE: { strength: code }',
      'REMOVE: { strength: three-d-secure }',
      both,
      [
        "line 21, updates.kinds.REMOVE.strength: three-d-secure is met where a new card is entered, so only REPLACE_CARD can ask for it and REMOVE can't; expected link or code",
      ],
    ],
    [
      '3-D Secure for whatever is high-risk',
      '    strength: code',
      '    strength: three-d-secure',
      both,
      [
        "line 26, updates.highRisk.strength: three-d-secure is met where a new card is entered, so only REPLACE_CARD can ask for it and high-risk updates of other kinds can't; expected link or code",
      ],
    ],
  ])('%s', (_, from, to, channels, expected) => {
    expect(problemsOf(valid.replace(from, to), { channels })).toEqual(expected);
  });

  it('3-D Secure without a mail server: its link travels by mail', () => {
    const kinds = valid
      .replace(/kinds: \{ REPLACE_CARD.*\}/, 'kinds: { REPLACE_CARD: { strength: three-d-secure } }')
      .replace('    strength: code', '    strength: link');
    expect(problemsOf(kinds, { channels: { mail: true, sms: false } })).toEqual([]);
    expect(problemsOf(kinds, { channels: { mail: false, sms: false } })).toEqual([
      expect.stringContaining("updates.kinds.REPLACE_CARD.strength: three-d-secure can't be met: no mail server"),
      expect.stringContaining("updates.highRisk.strength: link can't be met: no mail server"),
    ]);
  });
});

describe('explain', () => {
  const policy = load(valid);

  it('names the entry that decided, the ceiling, and what would lift it', () => {
    expect(explain(policy, 'Customer.email', 'AGENT', 'MATCHED')).toEqual({
      coordinate: 'Customer.email',
      assurance: 'MATCHED',
      class: 'CREDENTIAL',
      verdict: { kind: 'mask', mask: 'hidden' },
      decidedBy: { role: 'AGENT', path: 'fields.Customer.email.AGENT', line: 14 },
      ceiling: 'mask',
      lift: 'Nothing: AGENT never gets more than mask of a CREDENTIAL field.',
    });
    expect(explain(policy, 'Customer.email', 'AGENT', 'VERIFIED').lift).toMatch(
      /may change fields\.Customer\.email\.AGENT .* up to reveal/,
    );
    expect(explain(policy, 'Customer.score', 'ADMIN', 'VERIFIED')).toMatchObject({
      ceiling: 'deny',
      decidedBy: { path: 'fields.Customer.score.*' },
      lift: 'Nothing: ADMIN never gets more than deny of a PAYMENT field.',
    });
    expect(explain(policy, 'Customer.email', { roles: ['AGENT'], mfa: false }, 'VERIFIED')).toMatchObject({
      verdict: { kind: 'deny', reason: 'MFA_REQUIRED' },
      lift: 'Sign in again with a second factor.',
    });
    expect(explain(policy, 'Customer.email', as('AGENT', 'SUPERVISOR'), 'VERIFIED').decidedBy?.role).toBe('SUPERVISOR');
    expect(explain(policy, 'Customer.email', as(), 'VERIFIED')).toMatchObject({ decidedBy: null, ceiling: 'deny' });
    expect(explain(policy, 'Page.size', 'AGENT', 'NONE')).toMatchObject({
      lift: 'Nothing is withheld.',
      decidedBy: { path: 'fields.Page.*.*' },
    });
  });

  it('refuses what is no field of an object type', () => {
    for (const coordinate of ['Node.id', 'Customer', 'Customer.nothing', '__proto__', '']) {
      expect(() => explain(policy, coordinate, 'AGENT', 'NONE')).toThrow(Failure);
    }
  });
});

describe('diff', () => {
  const policy = load(valid);
  const changed = (from: string, to: string) => diffPolicies(policy, load(valid.replace(from, to)), classification);

  it('is empty for the same meaning', () => {
    expect(changed('version: 1', '# again\nversion: 1')).toEqual([]);
  });

  it('says what a change exposes, restricts or changes', () => {
    expect(changed("VERIFIED: 'mask:email'", 'VERIFIED: reveal')).toEqual([
      {
        kind: 'FIELD',
        coordinate: 'Customer.email',
        role: 'AGENT',
        assurance: 'VERIFIED',
        class: 'PERSONAL',
        before: 'mask:email',
        after: 'reveal',
        from: ['mask:email'],
        to: ['reveal'],
        effect: 'exposes',
        sentence: 'AGENT now sees Customer.email in clear on VERIFIED links (was masked, mask:email; class PERSONAL).',
      },
    ]);
    expect(changed("AGENT: 'mask:initial'", 'AGENT: deny')).toEqual([
      expect.objectContaining({
        assurance: null,
        effect: 'restricts',
        sentence: 'AGENT is now denied Customer.line (was masked, mask:initial; class CREDENTIAL).',
      }),
    ]);
    expect(changed('NONE: omit', 'NONE: deny')).toEqual([expect.objectContaining({ effect: 'changes', assurance: 'NONE' })]);
    expect(changed("VERIFIED: 'mask:email'", "VERIFIED: 'mask:initial'")).toEqual([
      expect.objectContaining({ effect: 'restricts' }),
    ]);
    expect(changed('AUDITOR: omit', 'AUDITOR: reveal')).toEqual([
      expect.objectContaining({ role: 'AUDITOR', effect: 'exposes' }),
    ]);
  });

  it.each<[string, string, string, string]>([
    ['automatic: [own]', 'automatic: [own, team]', 'assistance.automatic', 'exposes'],
    ['lifetimeMinutes: 480', 'lifetimeMinutes: 60', 'assistance.lifetimeMinutes', 'restricts'],
    ['customersPerHour: 40', 'customersPerHour: 400', 'assistance.quota.customersPerHour', 'exposes'],
    ['approvalFor: [AGENT]', 'approvalFor: []', 'assistance.onRequest.approvalFor', 'exposes'],
    ['approvalFor: [AGENT]', 'approvalFor: [AGENT, PRIVACY]', 'assistance.onRequest.approvalFor', 'restricts'],
    ['AGENT: [own, team, assisted]', 'AGENT: [own]', 'scope.AGENT', 'restricts'],
    ['scope: {', 'scope: { PRIVACY: [assisted],', 'scope.PRIVACY', 'exposes'],
    ['[PAYMENTS, SERVICE]', '[PAYMENTS, SERVICE, AGENT]', 'filters.Customer.score', 'exposes'],
    ['Customer.score: [PAYMENTS] }', 'Customer.score: [] }', 'sorts.Customer.score', 'restricts'],
    ['fields:', 'frames: { signatureRequired: [desk] }\nfields:', 'frames.signatureRequired', 'restricts'],
  ])('also %s to %s', (from, to, coordinate, effect) => {
    expect(changed(from, to)).toEqual([
      expect.objectContaining({ coordinate, effect, sentence: expect.stringMatching(/now .*\(was .*\)\.$/) }),
    ]);
  });

  it.each<[string, string, string, string, string]>([
    [
      'SET_DEFAULT: { strength: link }, ',
      '',
      'updates.kinds.SET_DEFAULT',
      'restricts',
      'SET_DEFAULT is now no longer offered (was confirmed by link).',
    ],
    [
      'kinds: { REPLACE_CARD',
      'kinds: { BILLING_ADDRESS: { strength: link }, REPLACE_CARD',
      'updates.kinds.BILLING_ADDRESS',
      'exposes',
      'BILLING_ADDRESS is now offered, confirmed by link (was not offered).',
    ],
    [
      'REMOVE: { strength: code }',
      'REMOVE: { strength: link }',
      'updates.kinds.REMOVE',
      'exposes',
      'What confirms REMOVE is now link, a weaker proof (was code).',
    ],
    [
      'REPLACE_CARD: { strength: link }',
      'REPLACE_CARD: { strength: three-d-secure }',
      'updates.kinds.REPLACE_CARD',
      'restricts',
      'What confirms REPLACE_CARD is now three-d-secure, a stronger proof (was link).',
    ],
    [
      'linkHours: 24',
      'linkHours: 48',
      'updates.linkHours',
      'exposes',
      'How long a customer’s link works, in hours, is now 48 (was 24).',
    ],
    [
      'approvalHours: 48',
      'approvalHours: 4',
      'updates.approvalHours',
      'restricts',
      'How long an update waits for its approval, in hours, is now 4 (was 48).',
    ],
    [
      'perCustomerPerDay: 5',
      'perCustomerPerDay: 50',
      'updates.quota.perCustomerPerDay',
      'exposes',
      'The number of updates that may be asked for a customer a day is now 50 (was 5).',
    ],
    [
      '    strength: code',
      '    strength: link',
      'updates.highRisk.strength',
      'exposes',
      'What confirms a high-risk update is now link, a weaker proof (was code).',
    ],
    [
      'contactWindowDays: 14',
      'contactWindowDays: 7',
      'updates.highRisk.contactWindowDays',
      'exposes',
      'How long changed contact data makes an update high-risk, in days, is now 7 (was 14).',
    ],
    [
      '      - { name: removes-default, when: { kinds: [REMOVE], methodIsDefault: true } }\n',
      '',
      'updates.highRisk.rules.removes-default',
      'exposes',
      'The rule removes-default no longer makes updates high-risk: it is now absent (was REMOVE, of the default method).',
    ],
    [
      '    rules:\n',
      '    rules:\n      - { name: disputed, when: { link: VERIFIED, disputedWithinDays: 60 } }\n',
      'updates.highRisk.rules.disputed',
      'restricts',
      'The rule disputed now makes updates high-risk: any kind, on VERIFIED links, after a dispute within 60 days (was absent).',
    ],
    [
      'methodYoungerThanDays: 7',
      'methodYoungerThanDays: 30',
      'updates.highRisk.rules.young-method',
      'restricts',
      'The rule young-method makes updates high-risk for: now SET_DEFAULT or REMOVE, of a method stored for less than 30 days (was SET_DEFAULT or REMOVE, of a method stored for less than 7 days).',
    ],
    [
      'kinds: [SET_DEFAULT, REMOVE], ',
      'kinds: [REMOVE], ',
      'updates.highRisk.rules.young-method',
      'exposes',
      'The rule young-method makes updates high-risk for: now REMOVE, of a method stored for less than 7 days (was SET_DEFAULT or REMOVE, of a method stored for less than 7 days).',
    ],
    [
      'methodIsDefault: true',
      'methodIsDefault: false',
      'updates.highRisk.rules.removes-default',
      'changes',
      'The rule removes-default makes updates high-risk for: now REMOVE, of a method that is not the default (was REMOVE, of the default method).',
    ],
  ])('and in the section on updates %s to %s', (from, to, coordinate, effect, sentence) => {
    expect(changed(from, to)).toEqual([expect.objectContaining({ coordinate, role: null, effect, sentence })]);
  });

  it.each<[string, string, Partial<PolicyChange>]>([
    ['automatic: [own]', 'automatic: [team, own]', { kind: 'ASSISTANCE_AUTOMATIC', from: ['own'], to: ['own', 'team'] }],
    ['approvalFor: [AGENT]', 'approvalFor: []', { kind: 'ASSISTANCE_APPROVAL_FOR', from: ['AGENT'], to: [] }],
    ['linkHours: 24', 'linkHours: 48', { kind: 'UPDATE_LINK_HOURS', from: ['24'], to: ['48'] }],
    ['SET_DEFAULT: { strength: link }, ', '', { kind: 'UPDATE_KIND', from: ['link'], to: [] }],
    [
      '    rules:\n',
      '    rules:\n      - { name: disputed, when: { link: VERIFIED, kinds: [REMOVE], disputedWithinDays: 60 } }\n',
      { kind: 'HIGH_RISK_RULE', from: [], to: ['kind:REMOVE', 'link:VERIFIED', 'disputedWithinDays:60'] },
    ],
  ])('has the words of what was and is, for another language: %s to %s', (from, to, words) => {
    expect(changed(from, to)).toEqual([expect.objectContaining({ class: null, ...words })]);
  });

  it.each<[string, string]>([
    ['version: 1', 'version: 1'],
    ["VERIFIED: 'mask:email'", 'VERIFIED: reveal'],
    ['scope: {', 'scope: { PRIVACY: [assisted],'],
    ['[PAYMENTS, SERVICE]', '[PAYMENTS, SERVICE, AGENT]'],
    ['SET_DEFAULT: { strength: link }, ', ''],
    ['kinds: [SET_DEFAULT, REMOVE], ', ''],
    [
      '    rules:\n',
      '    rules:\n      - { name: disputed, when: { link: VERIFIED, methodIsDefault: false, disputedWithinDays: 60 } }\n',
    ],
    ['fields:', 'frames: { signatureRequired: [desk, another] }\nfields:'],
    ['fields:', 'holds: { agentMinutes: 60, agentMost: 3 }\nbrakes: { releasedBy: [AUDITOR, SUPERVISOR] }\nfields:'],
  ])('is none between a policy and what is kept of it: %s to %s', (from, to) => {
    const now = load(valid.replace(from, to));
    const kept = readFormer(now.text, classification, {}) as ExposurePolicy;
    expect(kept.digest).toBe(now.digest);
    expect(diffPolicies(now, kept, classification)).toEqual([]);
    expect(diffPolicies(policy, kept, classification)).toEqual(diffPolicies(policy, now, classification));
    const agent = { roles: ['AGENT' as const], mfa: true };
    expect(kept.verdictTable(agent)).toEqual(new Map([...now.verdictTable(agent)].sort(([a], [b]) => (a < b ? -1 : 1))));
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '[3]',
    '['.repeat(100_000),
    `${policy.text.slice(0, -1)},[]]`,
    policy.text.replace('"mask:email"', '"mask:everything"'),
    policy.text.replace('"AGENT"', '"__proto__"'),
  ])('is of nothing that isn’t in the form of this release: %#', (text) => {
    expect(readFormer(text, classification, {})).toBe(null);
  });

  it('says nothing where a rule is only written otherwise', () => {
    expect(changed('kinds: [SET_DEFAULT, REMOVE]', 'kinds: [REMOVE, SET_DEFAULT, REMOVE]')).toEqual([]);
  });
});
