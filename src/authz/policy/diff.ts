import { linkAssurances, type Role, roles } from '../actor';
import { effectOf, listEffect, type PolicyChange, type PolicyChangeKind } from './change';
import type { Classification } from './classification';
import type { ExposurePolicy } from './exposure';
import { isRole, underEveryLink } from './reader';
import { updateChanges } from './updates';
import { permissiveness, type Verdict, type Verdicts, verdictText } from './verdict';

const shown = (verdict: Verdict | undefined): number =>
  verdict === undefined || verdict.kind === 'omit' ? 0 : permissiveness(verdict);

const was = (verdict: Verdict | undefined): string => {
  if (!verdict) return 'was not in the graph';
  const words = { reveal: 'was in clear', omit: 'was left out', deny: 'was denied' };
  return verdict.kind === 'mask' ? `was masked, ${verdictText(verdict)}` : words[verdict.kind];
};

const sees = (role: Role, coordinate: string, verdict: Verdict | undefined, on: string): string => {
  if (!verdict) return `${coordinate} is no longer in the graph for ${role}${on}`;
  switch (verdict.kind) {
    case 'reveal':
      return `${role} now sees ${coordinate} in clear${on}`;
    case 'mask':
      return `${role} now sees ${coordinate} masked (${verdictText(verdict)})${on}`;
    case 'omit':
      return `${role} now gets ${coordinate} as null without an error${on}`;
    case 'deny':
      return `${role} is now denied ${coordinate}${on}`;
  }
};

const fieldChanges = (before: ExposurePolicy, after: ExposurePolicy, classification: Classification): PolicyChange[] => {
  const tableOf = (policy: ExposurePolicy): Map<string, Verdicts> =>
    new Map([...policy.entries()].map(({ coordinate, role, verdicts }) => [`${coordinate} ${role}`, verdicts]));
  const [old, fresh] = [tableOf(before), tableOf(after)];
  const changes: PolicyChange[] = [];
  const textOf = (verdict: Verdict | undefined) => (verdict ? verdictText(verdict) : 'absent');
  for (const key of new Set([...old.keys(), ...fresh.keys()])) {
    const [coordinate = '', name = ''] = key.split(' ');
    if (!isRole(name)) continue;
    const pairs = linkAssurances.map((assurance) => ({
      assurance,
      from: old.get(key)?.[assurance],
      to: fresh.get(key)?.[assurance],
    }));
    const [first] = pairs;
    const field = classification.fields.get(coordinate);
    const forAll = (verdict: Verdict | undefined) => verdict && underEveryLink(verdict, field, name);
    const [oneFrom, oneTo] = [forAll(first?.from), forAll(first?.to)];
    const uniform = pairs.every(
      ({ assurance, from, to }) => textOf(from) === textOf(oneFrom?.[assurance]) && textOf(to) === textOf(oneTo?.[assurance]),
    );
    for (const { assurance, from, to } of uniform ? pairs.slice(0, 1) : pairs) {
      if (textOf(from) === textOf(to)) continue;
      const on = uniform ? '' : ` on ${assurance} links`;
      const fieldClass = field?.classes[assurance];
      changes.push({
        kind: 'FIELD',
        coordinate,
        role: name,
        assurance: uniform ? null : assurance,
        class: fieldClass ?? null,
        before: textOf(from),
        after: textOf(to),
        from: from ? [textOf(from)] : [],
        to: to ? [textOf(to)] : [],
        effect: effectOf(shown(from), shown(to)),
        sentence: `${sees(name, coordinate, to, on)} (${was(from)}${fieldClass ? `; class ${fieldClass}` : ''}).`,
      });
    }
  }
  return changes;
};

const settingChanges = (before: ExposurePolicy, after: ExposurePolicy): PolicyChange[] => {
  const changes: PolicyChange[] = [];
  const number = (kind: PolicyChangeKind, coordinate: string, before: number, after: number, what: string): void => {
    if (before === after) return;
    const [from, to] = [`${before}`, `${after}`];
    changes.push({
      kind,
      coordinate,
      role: null,
      assurance: null,
      class: null,
      before: from,
      after: to,
      from: [from],
      to: [to],
      effect: effectOf(before, after),
      sentence: `${what} is now ${to} (was ${from}).`,
    });
  };
  const list = (
    kind: PolicyChangeKind,
    coordinate: string,
    role: Role | null,
    from: readonly string[],
    to: readonly string[],
    what: string,
    effect: (from: readonly string[], to: readonly string[]) => PolicyChange['effect'] = listEffect,
  ): void => {
    const [old, fresh] = [from, to].map((values) => [...new Set(values)].sort()) as [string[], string[]];
    const [was, is] = [old.join(', ') || 'none', fresh.join(', ') || 'none'];
    if (was === is) return;
    changes.push({
      kind,
      coordinate,
      role,
      assurance: null,
      class: null,
      before: was,
      after: is,
      from: old,
      to: fresh,
      effect: effect(from, to),
      sentence: `${what}: now ${is} (was ${was}).`,
    });
  };
  const [a, b] = [before.assistance, after.assistance];
  list(
    'ASSISTANCE_AUTOMATIC',
    'assistance.automatic',
    null,
    a.automatic,
    b.automatic,
    'Tickets that begin an assistance by themselves',
  );
  number(
    'ASSISTANCE_MINUTES',
    'assistance.lifetimeMinutes',
    a.lifetimeMinutes,
    b.lifetimeMinutes,
    'The life of an assistance that began by itself, in minutes,',
  );
  number(
    'ASSISTANCE_CUSTOMERS_PER_HOUR',
    'assistance.quota.customersPerHour',
    a.quota.customersPerHour,
    b.quota.customersPerHour,
    'The number of different customers that an actor may reach an hour',
  );
  list(
    'ASSISTANCE_APPROVAL_FOR',
    'assistance.onRequest.approvalFor',
    null,
    a.onRequest.approvalFor,
    b.onRequest.approvalFor,
    'Roles whose requests for an assistance wait for a supervisor',
    // An approval that falls away opens something, one that is added closes it.
    (from, to) => listEffect(to, from),
  );
  number(
    'ASSISTANCE_REQUESTED_MINUTES',
    'assistance.onRequest.lifetimeMinutes',
    a.onRequest.lifetimeMinutes,
    b.onRequest.lifetimeMinutes,
    'The life of a requested assistance, in minutes,',
  );
  for (const role of roles) {
    list('SCOPE', `scope.${role}`, role, before.scope[role] ?? [], after.scope[role] ?? [], `Tickets that ${role} sees in lists`);
  }
  list(
    'BRAKES_RELEASED_BY',
    'brakes.releasedBy',
    null,
    before.brakes.releasedBy,
    after.brakes.releasedBy,
    'Roles of other teams that release a brake',
  );
  const [asked, askedNow] = [before.recognitions, after.recognitions];
  number(
    'RECOGNITION_LINK_HOURS',
    'recognitions.linkHours',
    asked.linkHours,
    askedNow.linkHours,
    'The hours that a customer has to say whether a payment is theirs',
  );
  number(
    'RECOGNITION_PER_DAY',
    'recognitions.perCustomerPerDay',
    asked.perCustomerPerDay,
    askedNow.perCustomerPerDay,
    'The number of payments that one customer may be asked about within a day',
  );
  const [told, tells] = [before.decisions, after.decisions];
  number(
    'DECISION_PER_SUBJECT',
    'decisions.quota.perSubjectPerHour',
    told.quota.perSubjectPerHour,
    tells.quota.perSubjectPerHour,
    'How often a service may ask about one customer’s payments an hour',
  );
  number(
    'DECISION_SUBJECTS',
    'decisions.quota.subjectsPerMinute',
    told.quota.subjectsPerMinute,
    tells.quota.subjectsPerMinute,
    'About how many customers’ payments a service may ask a minute',
  );
  for (const verdict of ['review', 'hold'] as const) {
    const [from, to] = [[told.routes[verdict]], [tells.routes[verdict]]];
    list('DECISION_ROUTE', `decisions.routes.${verdict}`, null, from, to, `The route of a payment’s ${verdict}`);
  }
  number(
    'HOLD_AGENT_MINUTES',
    'holds.agentMinutes',
    before.holds.agentMinutes,
    after.holds.agentMinutes,
    'The longest hold of an agent, in minutes,',
  );
  number(
    'HOLD_AGENT_DAY_MINUTES',
    'holds.agentDayMinutes',
    before.holds.agentDayMinutes,
    after.holds.agentDayMinutes,
    'How long agents may make one customer wait a day, in minutes,',
  );
  number(
    'HOLD_AGENT_MOST',
    'holds.agentMost',
    before.holds.agentMost,
    after.holds.agentMost,
    'The number of holds of an agent that stand at once',
  );
  number(
    'HOLD_SUPERVISOR_MOST',
    'holds.supervisorMost',
    before.holds.supervisorMost,
    after.holds.supervisorMost,
    'The number of holds of a supervisor that stand at once',
  );
  list(
    'FRAMES_SIGNED',
    'frames.signatureRequired',
    null,
    before.frames.signatureRequired,
    after.frames.signatureRequired,
    'Helpdesks in whose frames a ticket is shown only where they signed for it',
    // A demand that falls away opens something, one that is added closes it.
    (from, to) => listEffect(to, from),
  );
  for (const kind of ['filters', 'sorts'] as const) {
    const [old, fresh] = [before.argumentRoles(kind), after.argumentRoles(kind)];
    const verb = kind === 'filters' ? 'filter' : 'sort';
    for (const coordinate of new Set([...old.keys(), ...fresh.keys()])) {
      const [from, to] = [[...(old.get(coordinate) ?? [])], [...(fresh.get(coordinate) ?? [])]];
      list(
        kind === 'filters' ? 'FILTER' : 'SORT',
        `${kind}.${coordinate}`,
        null,
        from,
        to,
        `Roles that may ${verb} by ${coordinate}`,
      );
    }
  }
  return changes;
};

/** What a change of the policy would do, in words, before it ships. Empty if the two mean the same. */
export const diffPolicies = (
  before: ExposurePolicy,
  after: ExposurePolicy,
  classification: Classification,
): readonly PolicyChange[] => [
  ...fieldChanges(before, after, classification),
  ...settingChanges(before, after),
  ...updateChanges(before.updates, after.updates),
];
