import type { Answer, Ask, Need } from './rule';
import { type Signal, type SignalType, trustworthy } from './signal';
import { factor, whole, withinDays } from './thresholds';
import { days, different, signalsIn } from './windows';

/** What a team's usual is judged by; until there is enough of it, only the fixed number of a rule counts. */
export const baselineThresholds = {
  times: factor(),
  baselineDays: withinDays(),
  baselineAgents: whole(1, 1_000),
};

export interface BaselineThresholds {
  readonly times: number;
  readonly baselineDays: number;
  readonly baselineAgents: number;
}

export const baselineNeeds = ({ baselineDays }: BaselineThresholds, types: readonly SignalType[]): Need => ({
  of: 'signals',
  subject: 'team',
  types,
  // The day on which the baseline begins is looked at whole.
  back: (baselineDays + 1) * days,
});

/**
 * Asks for what each agent of the signal's team did in each period before the one that is judged, measured by `measure`, ascending.
 * Null where the team has fewer active agents, or is known for fewer days, than a baseline takes.
 */
export function* teamBaseline(
  signal: Signal,
  before: Date,
  { baselineDays, baselineAgents }: BaselineThresholds,
  { types, period, measure }: BaselineOf,
): Generator<Ask, readonly number[] | null, Answer> {
  const { team } = signal.subjects;
  if (team === undefined) return null;
  const from = new Date(before.getTime() - (baselineDays + 1) * days);
  const [told = []] = yield* signalsIn({ subject: 'team', value: team, types, from, to: new Date(before.getTime() - 1) });
  const { first, agents, ascending } = usualOf(told, { period, measure });
  const known = first === null ? 0 : before.getTime() - first;
  return known < baselineDays * days || agents < baselineAgents ? null : ascending;
}

/** What a team did in a stretch of time, by agent and period. */
interface Usual {
  /** When the earliest of it occurred, in milliseconds; null where there is none. */
  readonly first: number | null;
  readonly agents: number;
  readonly ascending: readonly number[];
}

/** Of an answer that is given again, as a stream's is while nothing is added to it, everything is known already. */
const answered = new WeakMap<readonly Signal[], Map<BaselineOf['measure'], Usual>>();

const usualOf = (told: readonly Signal[], of: Pick<BaselineOf, 'period' | 'measure'>): Usual => {
  const byMeasure = answered.get(told) ?? new Map<BaselineOf['measure'], Usual>();
  answered.set(told, byMeasure);
  const before = byMeasure.get(of.measure);
  if (before) return before;
  const usual = measured(trustworthy(told), of);
  byMeasure.set(of.measure, usual);
  return usual;
};

const measured = (past: readonly Signal[], { period, measure }: Pick<BaselineOf, 'period' | 'measure'>): Usual => {
  const spans = new Map<string, Signal[]>();
  for (const each of past) {
    const key = `${Math.floor(each.occurredAt.getTime() / period)} ${each.subjects.staff}`;
    const span = spans.get(key);
    if (span) span.push(each);
    else spans.set(key, [each]);
  }
  return {
    first: past[0]?.occurredAt.getTime() ?? null,
    agents: different(past, ({ subjects }) => subjects.staff).size,
    ascending: [...spans.values()].map(measure).sort((a, b) => a - b),
  };
};

export interface BaselineOf {
  readonly types: readonly SignalType[];
  /** Milliseconds. */
  readonly period: number;
  readonly measure: (signals: readonly Signal[]) => number;
}

/** The value that a share of the values is at or below (nearest rank); 0 of none. */
export const quantile = (ascending: readonly number[], share: number): number =>
  ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;
