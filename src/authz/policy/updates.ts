import type { PolicyChange, PolicyChangeKind } from './change';
import type { PolicyProblem } from './file';
import { type CredentialUpdateKind, credentialUpdateKinds, type RiskCondition, type UpdatePolicy } from './update-policy';
import { type VerificationMethodName, verificationMethods } from './verification';

/** Which ways to reach a customer the configuration names. */
export interface ConfiguredChannels {
  readonly mail: boolean;
  readonly sms: boolean;
}

const whereConfigured = {
  mail: 'no mail server is configured (delivery.mail in the configuration file)',
  sms: 'no gateway for short messages is configured (delivery.sms in the configuration file)',
} as const;

/** What a proof needs besides the customer: the link always travels by mail. */
const channelsFor = (strength: VerificationMethodName): readonly (keyof ConfiguredChannels)[] =>
  strength === 'code' ? ['mail', 'sms'] : ['mail'];

/** Strengths that nothing can meet as the gateway is configured, or that the kind can't have. Paths are those of the file. */
export const unmetStrengths = (
  { kinds, highRisk }: UpdatePolicy,
  channels: ConfiguredChannels,
): readonly (Pick<PolicyProblem, 'message'> & { readonly path: readonly string[] })[] => {
  const asked = [
    ...credentialUpdateKinds.flatMap((kind) => {
      const offered = kinds[kind];
      return offered ? [{ path: ['updates', 'kinds', kind, 'strength'], strength: offered.strength, kind }] : [];
    }),
    { path: ['updates', 'highRisk', 'strength'], strength: highRisk.strength, kind: null },
  ];
  // Where nothing is offered, nothing has to be confirmed.
  if (asked.length === 1) return [];
  return asked.flatMap(({ path, strength, kind }) => {
    if (strength === 'three-d-secure' && kind !== 'REPLACE_CARD') {
      const subject = kind ?? 'high-risk updates of other kinds';
      return [
        {
          path,
          message: `three-d-secure is met where a new card is entered, so only REPLACE_CARD can ask for it and ${subject} can't; expected link or code`,
        },
      ];
    }
    return channelsFor(strength)
      .filter((channel) => !channels[channel])
      .map((channel) => ({ path, message: `${strength} can't be met: ${whereConfigured[channel]}` }));
  });
};

const conditionNames = ['link', 'methodIsDefault', 'methodYoungerThanDays', 'disputedWithinDays'] as const;

/** The section as sorted lists: what it means, however it is written. */
export const canonicalUpdates = (updates: UpdatePolicy): unknown => [
  credentialUpdateKinds.map((kind) => [kind, updates.kinds[kind]?.strength ?? null]),
  updates.linkHours,
  updates.approvalHours,
  updates.quota.perCustomerPerDay,
  updates.highRisk.strength,
  updates.highRisk.contactWindowDays,
  updates.highRisk.rules
    .map(({ name, when }) => [name, kindsOf(when), ...conditionNames.map((each) => when[each] ?? null)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1)),
];

/** In the order of the kinds; all of them where the condition names none. */
const kindsOf = (when: RiskCondition): readonly CredentialUpdateKind[] =>
  credentialUpdateKinds.filter((kind) => when.kinds?.includes(kind) ?? true);

/** A condition in words: `REMOVE, of the default method`. */
const conditionText = (when: RiskCondition): string =>
  [
    kindsOf(when).length === credentialUpdateKinds.length ? 'any kind' : kindsOf(when).join(' or '),
    when.link === undefined ? '' : `on ${when.link} links`,
    when.methodIsDefault === undefined
      ? ''
      : `of ${when.methodIsDefault ? 'the default method' : 'a method that is not the default'}`,
    when.methodYoungerThanDays === undefined ? '' : `of a method stored for less than ${when.methodYoungerThanDays} days`,
    when.disputedWithinDays === undefined ? '' : `after a dispute within ${when.disputedWithinDays} days`,
  ]
    .filter((part) => part !== '')
    .join(', ');

/** The same as words: `kind:REMOVE`, `methodIsDefault:true`. */
const conditionWords = (when: RiskCondition): readonly string[] => [
  ...kindsOf(when).map((kind) => `kind:${kind}`),
  ...conditionNames.flatMap((name) => (when[name] === undefined ? [] : [`${name}:${when[name]}`])),
];

/** Whether the one condition holds wherever the other does. */
const covers = (wide: RiskCondition, narrow: RiskCondition): boolean => {
  const sameOrAny = (name: 'link' | 'methodIsDefault') => wide[name] === undefined || wide[name] === narrow[name];
  const longerOrAny = (name: 'methodYoungerThanDays' | 'disputedWithinDays') =>
    wide[name] === undefined || (narrow[name] !== undefined && wide[name] >= narrow[name]);
  return (
    kindsOf(narrow).every((kind) => kindsOf(wide).includes(kind)) &&
    sameOrAny('link') &&
    sameOrAny('methodIsDefault') &&
    longerOrAny('methodYoungerThanDays') &&
    longerOrAny('disputedWithinDays')
  );
};

type Effect = PolicyChange['effect'];

/** Whoever needs less to change a method gets more. */
const proofEffect = (before: VerificationMethodName, after: VerificationMethodName): Effect =>
  verificationMethods[after].strength < verificationMethods[before].strength ? 'exposes' : 'restricts';

const proofSentence = (what: string, before: VerificationMethodName, after: VerificationMethodName): string =>
  `${what} now ${after}, a ${proofEffect(before, after) === 'exposes' ? 'weaker' : 'stronger'} proof (was ${before}).`;

/** What another section `updates` does otherwise. A rule that falls away, a weaker proof or a longer window exposes. */
export const updateChanges = (before: UpdatePolicy, after: UpdatePolicy): readonly PolicyChange[] => {
  const changes: PolicyChange[] = [];
  const note = (
    [kind, path]: readonly [PolicyChangeKind, string],
    [before, after]: readonly [string, string],
    effect: Effect,
    sentence: string,
    [from, to]: readonly [readonly string[], readonly string[]] = [[before], [after]],
  ): void => {
    const what = { kind, coordinate: `updates.${path}`, role: null, assurance: null, class: null };
    changes.push({ ...what, before, after, from, to, effect, sentence });
  };
  for (const kind of credentialUpdateKinds) {
    const [from, to] = [before.kinds[kind]?.strength, after.kinds[kind]?.strength];
    if (from === to) continue;
    const what = ['UPDATE_KIND', `kinds.${kind}`] as const;
    const words = [from ? [from] : [], to ? [to] : []] as const;
    const texts = [from ?? 'not offered', to ?? 'not offered'] as const;
    if (!from) note(what, texts, 'exposes', `${kind} is now offered, confirmed by ${to} (was not offered).`, words);
    else if (!to) note(what, texts, 'restricts', `${kind} is now no longer offered (was confirmed by ${from}).`, words);
    else note(what, texts, proofEffect(from, to), proofSentence(`What confirms ${kind} is`, from, to), words);
  }
  const number = (what: readonly [PolicyChangeKind, string], from: number, to: number, told: string, longer: Effect): void => {
    if (from === to) return;
    const shorter = longer === 'exposes' ? 'restricts' : 'exposes';
    note(what, [`${from}`, `${to}`], to > from ? longer : shorter, `${told} is now ${to} (was ${from}).`);
  };
  number(
    ['UPDATE_LINK_HOURS', 'linkHours'],
    before.linkHours,
    after.linkHours,
    'How long a customer’s link works, in hours,',
    'exposes',
  );
  number(
    ['UPDATE_APPROVAL_HOURS', 'approvalHours'],
    before.approvalHours,
    after.approvalHours,
    'How long an update waits for its approval, in hours,',
    'exposes',
  );
  number(
    ['UPDATE_PER_DAY', 'quota.perCustomerPerDay'],
    before.quota.perCustomerPerDay,
    after.quota.perCustomerPerDay,
    'The number of updates that may be asked for a customer a day',
    'exposes',
  );
  const [a, b] = [before.highRisk, after.highRisk];
  if (a.strength !== b.strength) {
    const sentence = proofSentence('What confirms a high-risk update is', a.strength, b.strength);
    note(['HIGH_RISK_STRENGTH', 'highRisk.strength'], [a.strength, b.strength], proofEffect(a.strength, b.strength), sentence);
  }
  number(
    ['HIGH_RISK_CONTACT_DAYS', 'highRisk.contactWindowDays'],
    a.contactWindowDays,
    b.contactWindowDays,
    'How long changed contact data makes an update high-risk, in days,',
    'restricts',
  );
  const rulesOf = (policy: UpdatePolicy) => new Map(policy.highRisk.rules.map(({ name, when }) => [name, when]));
  const [old, fresh] = [rulesOf(before), rulesOf(after)];
  for (const name of [...new Set([...old.keys(), ...fresh.keys()])].sort()) {
    const [from, to] = [old.get(name), fresh.get(name)];
    const texts = [from ? conditionText(from) : 'absent', to ? conditionText(to) : 'absent'] as const;
    const words = [from ? conditionWords(from) : [], to ? conditionWords(to) : []] as const;
    const [was, is] = texts;
    const what = ['HIGH_RISK_RULE', `highRisk.rules.${name}`] as const;
    if (!from) note(what, texts, 'restricts', `The rule ${name} now makes updates high-risk: ${is} (was absent).`, words);
    else if (!to)
      note(what, texts, 'exposes', `The rule ${name} no longer makes updates high-risk: it is now absent (was ${was}).`, words);
    else if (was !== is) {
      const wider = covers(to, from) ? 'restricts' : 'changes';
      const effect = covers(from, to) ? 'exposes' : wider;
      note(what, texts, effect, `The rule ${name} makes updates high-risk for: now ${is} (was ${was}).`, words);
    }
  }
  return changes;
};
