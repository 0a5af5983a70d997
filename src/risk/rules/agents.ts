import { z } from 'zod';
import { defineRule } from '../rule';
import { type Signal, trustworthy } from '../signal';
import { type BaselineOf, baselineNeeds, baselineThresholds, quantile, teamBaseline } from '../team-baseline';
import { whole, withinMinutes } from '../thresholds';
import { around, counted, days, different, hours, minutes, signalsIn, spell, stretchWith } from '../windows';

const customersOf = (signals: readonly Signal[]): number => different(signals, ({ subjects }) => subjects.customer).size;
const startOfDay = (at: Date): Date => new Date(Math.floor(at.getTime() / days) * days);

const disclosures = ['staff.disclosure'] as const;
const breadth: BaselineOf = { types: disclosures, period: hours, measure: customersOf };

/** An agent looks at far more customers than the work takes. */
export const agentBreadth = defineRule({
  name: 'agent-breadth',
  version: 1,
  isAboutAgents: true,
  triggers: disclosures,
  effects: ['alert', 'brake'],
  thresholds: z.strictObject({ customers: whole(2, 10_000), withinMinutes: withinMinutes(), ...baselineThresholds }),
  explain: (it) =>
    `an agent is shown ${it.customers} customers or more within ${spell(it.withinMinutes * minutes)}, and more than ${it.times} times the 95th percentile of an agent's hour in the team over ${it.baselineDays} days; not where two others of the team are shown half as many meanwhile`,
  needs: (it) => [
    { of: 'signals', subject: 'staff', types: disclosures, back: it.withinMinutes * minutes },
    baselineNeeds(it, disclosures),
  ],
  *judge(signal, it) {
    const length = it.withinMinutes * minutes;
    const [seen = []] = yield* signalsIn(around(signal, 'staff', disclosures, { back: length, ahead: length }));
    const found =
      seen.length < it.customers ? null : stretchWith(seen, signal, length, (each) => customersOf(each) >= it.customers);
    if (!found) return null;
    const customers = customersOf(found);
    // Where half the desk looks at as many customers, it is a busy hour and not somebody's curiosity.
    const [desk = []] = yield* signalsIn(around(signal, 'team', disclosures, { back: length, ahead: 0 }));
    const others = [...different(trustworthy(desk), ({ subjects }) => subjects.staff)].filter(
      (each) => each !== signal.subjects.staff,
    );
    const busy = others.filter(
      (each) => customersOf(trustworthy(desk).filter(({ subjects }) => subjects.staff === each)) * 2 >= customers,
    );
    if (busy.length >= 2) return null;
    const baseline = yield* teamBaseline(signal, found[0]!.occurredAt, it, breadth);
    const usual = baseline && quantile(baseline, 0.95);
    if (usual !== null && customers <= it.times * usual) return null;
    return {
      subject: 'staff',
      window: length,
      counts: { customers, ...(usual === null ? {} : { usual }) },
      evidence: found,
      sentence: `An agent was shown ${counted(customers, 'customer')} within ${spell(length)}${usual === null ? '' : `; 95 of 100 hours in the team have ${usual} or fewer`}.`,
    };
  },
});

const work = [...disclosures, 'staff.reply', 'staff.note', 'staff.update', 'staff.hold', 'staff.question'] as const;
const untouched = (signals: readonly Signal[]): readonly Signal[] => {
  const touched = different(
    trustworthy(signals).filter(({ type }) => type !== 'staff.disclosure'),
    ({ subjects }) => subjects.ticket,
  );
  return signals.filter(
    ({ type, subjects: { ticket } }) => type === 'staff.disclosure' && ticket !== undefined && !touched.has(ticket),
  );
};
/** How far back a team must be known to answer at all: where no signal tells of replies, only the team's measure says who reads more. */
const answersWithin = 28 * days;
const answers = ['staff.reply', 'staff.note'] as const;
const ticketsOf = (signals: readonly Signal[]): number => different(signals, ({ subjects }) => subjects.ticket).size;
const thinWork: BaselineOf = { types: work, period: days, measure: (signals) => ticketsOf(untouched(signals)) };

/** An agent reads tickets and does nothing about them. */
export const agentThinWork = defineRule({
  name: 'agent-thin-work',
  version: 2,
  isAboutAgents: true,
  triggers: disclosures,
  effects: ['alert', 'brake'],
  thresholds: z.strictObject({ tickets: whole(2, 10_000), graceMinutes: whole(0, 1_440), ...baselineThresholds }),
  explain: (it) =>
    `an agent reads ${it.tickets} tickets or more in a day (UTC) without a reply, a note or a change, each for ${it.graceMinutes} minutes at least, and more than ${it.times} times the median of an agent's day in the team over ${it.baselineDays} days`,
  needs: (it) => [
    { of: 'signals', subject: 'staff', types: work, back: days },
    ...(['staff', 'team'] as const).map((subject) => ({ of: 'signals' as const, subject, types: answers, back: answersWithin })),
    baselineNeeds(it, work),
  ],
  *judge(signal, it) {
    const { staff } = signal.subjects;
    if (staff === undefined) return null;
    const from = startOfDay(signal.occurredAt);
    const [today = []] = yield* signalsIn({ subject: 'staff', value: staff, types: work, from, to: signal.occurredAt });
    // Whoever has just begun to read hasn't answered yet.
    const due = signal.occurredAt.getTime() - it.graceMinutes * minutes;
    const found = untouched(today).filter(({ occurredAt }) => occurredAt.getTime() <= due);
    const tickets = ticketsOf(found);
    if (tickets < it.tickets) return null;
    const baseline = yield* teamBaseline(signal, from, it, thinWork);
    const usual = baseline && quantile(baseline, 0.5);
    if (usual !== null && tickets <= it.times * usual) return null;
    if (usual === null) {
      const reach = { back: answersWithin, ahead: 0 };
      const told = yield* signalsIn(around(signal, 'team', answers, reach), around(signal, 'staff', answers, reach));
      if (told.every((each) => each.length === 0)) return null;
    }
    return {
      subject: 'staff',
      window: days,
      counts: { tickets, ...(usual === null ? {} : { usual }) },
      evidence: found,
      sentence: `An agent read ${counted(tickets, 'ticket')} in a day without a reply, a note or a change${usual === null ? '' : `; the team's median is ${usual}`}.`,
    };
  },
});

const interventions = ['staff.update', 'staff.hold', 'staff.question'] as const;
const active: BaselineOf = {
  types: [...interventions, 'staff.disclosure'],
  period: days,
  measure: (signals) => signals.filter(({ type }) => type !== 'staff.disclosure').length,
};

/** An agent changes, holds and has customers asked far more than the team. */
export const agentInterventions = defineRule({
  name: 'agent-interventions',
  version: 2,
  isAboutAgents: true,
  triggers: interventions,
  effects: ['alert', 'brake'],
  thresholds: z.strictObject({ interventions: whole(2, 10_000), ...baselineThresholds }),
  explain: (it) =>
    `an agent asks for ${it.interventions} updates, holds and answers of customers or more in a day (UTC), and more than ${it.times} times the median of an agent's day in the team over ${it.baselineDays} days`,
  needs: (it) => [{ of: 'signals', subject: 'staff', types: interventions, back: days }, baselineNeeds(it, active.types)],
  *judge(signal, it) {
    const { staff } = signal.subjects;
    if (staff === undefined) return null;
    const from = startOfDay(signal.occurredAt);
    const to = new Date(from.getTime() + days - 1);
    const [found = []] = yield* signalsIn({ subject: 'staff', value: staff, types: interventions, from, to });
    if (found.length < it.interventions) return null;
    const baseline = yield* teamBaseline(signal, from, it, active);
    const usual = baseline && quantile(baseline, 0.5);
    if (usual !== null && found.length <= it.times * usual) return null;
    return {
      subject: 'staff',
      window: days,
      counts: { interventions: found.length, ...(usual === null ? {} : { usual }) },
      evidence: found,
      sentence: `An agent asked for ${counted(found.length, 'update, hold or answer', 'updates, holds and answers')} in a day${usual === null ? '' : `; the team's median is ${usual}`}.`,
    };
  },
});

const sessions = ['staff.session', 'staff.disclosure'] as const;

/** A, B, A: the first uses of a place before and after another, nearest to each other. */
const returnOf = (signals: readonly Signal[], of: (signal: Signal) => string | undefined): readonly Signal[] | null => {
  const named = signals.filter((signal) => of(signal) !== undefined);
  for (let middle = 1; middle < named.length - 1; middle += 1) {
    const there = of(named[middle]!);
    const before = named.slice(0, middle).findLast((each) => of(each) !== there);
    const after = before && named.slice(middle + 1).find((each) => of(each) === of(before));
    if (after) return [before, named[middle]!, after];
  }
  return null;
};

/** What tells two places of a session apart, how that is said, and whether it is sure enough to end the session. */
const places = [
  { of: 'device', by: 'from', word: 'device', ends: true },
  { of: 'key', by: 'by', word: 'key', ends: true },
  { of: 'ip', by: 'from', word: 'network', ends: false },
] as const;

/** A session is used from two places in turn: somebody has taken it along. */
export const sessionMoved = defineRule({
  name: 'session-moved',
  version: 4,
  isAboutAgents: true,
  triggers: sessions,
  effects: ['alert', 'end-session'],
  thresholds: z.strictObject({ withinMinutes: withinMinutes() }),
  explain: (it) =>
    `a member of staff's session is used from one device or by one key, another and the first again within ${spell(it.withinMinutes * minutes)}; where only networks tell, it is an alert`,
  needs: (it) => [{ of: 'signals', subject: 'staff', types: sessions, back: it.withinMinutes * minutes }],
  *judge(signal, it) {
    if (places.every(({ of }) => signal.subjects[of] === undefined)) return null;
    const length = it.withinMinutes * minutes;
    const [all = []] = yield* signalsIn(around(signal, 'staff', sessions, { back: length, ahead: length }));
    // Whoever works on two devices has a session on each, and neither of them moves.
    const uses = all.filter(({ subjects }) => subjects.session === signal.subjects.session);
    for (const { of, by, word, ends } of places) {
      // A telephone that changes networks is one device, where device or key is told.
      const placeOf = ({ subjects }: Signal) =>
        of === 'ip' && (subjects.device ?? subjects.key) !== undefined ? undefined : subjects[of];
      const stretch = stretchWith(uses, signal, length, (each) => returnOf(each, placeOf) !== null);
      const moved = stretch && returnOf(stretch, placeOf);
      if (!moved) continue;
      return {
        subject: 'staff',
        window: length,
        counts: { moves: 2 },
        evidence: moved,
        withheld: ends ? [] : ['end-session'],
        sentence: `A session was used ${by} one ${word}, ${by} another and ${by} the first again within ${spell(length)}.`,
      };
    }
    return null;
  },
});
