import { foundOr } from './found';
import { type Alarm, isAlert, isBrake, isHold, precisionOf, type Score, share } from './score';

/** What the whole is asked to reach. */
export const aims = { found: 0.9, alerts: 0.5, holds: 0.8, falseHolds: 1 } as const;

/** Of one or several streams together. Shares are null where there is nothing to take a share of. */
export interface Ratios {
  /** Campaigns that any verdict told of before their fifth success. */
  readonly found: number | null;
  /** By more than a challenge. */
  readonly alarmed: number | null;
  /** Of the campaigns that a signal can tell from innocent people. */
  readonly foundOfVisible: number | null;
  readonly alerts: number | null;
  readonly holds: number | null;
  readonly brakes: number | null;
  readonly challenges: number | null;
  /** A day and 10,000 customers. */
  readonly falseHolds: number;
  readonly falseAlerts: number;
  readonly falseChallenges: number;
}

const isChallenge = ({ effects }: Alarm): boolean => effects.has('challenge');

const rounded = (value: number): number => Number(value.toFixed(3));
const roundedOr = (value: number | null): number | null => (value === null ? null : rounded(value));

const partOf = <T>(list: readonly T[], is: (each: T) => boolean): number | null =>
  list.length === 0 ? null : rounded(list.filter(is).length / list.length);

export const ratiosOf = (scores: readonly Score[]): Ratios => {
  const alarms = scores.flatMap((score) => score.alarms);
  const campaigns = scores.flatMap((score) => score.campaigns);
  const exposure = scores.reduce((sum, { customers, scoredDays }) => sum + (customers / 10_000) * scoredDays, 0);
  const wrong = (which: (alarm: Alarm) => boolean) => rounded(precisionOf(alarms, which).wrong / exposure);
  return {
    found: partOf(campaigns, ({ isFound }) => isFound),
    alarmed: partOf(campaigns, ({ isAlarmed }) => isAlarmed),
    foundOfVisible: partOf(
      campaigns.filter(({ variant }) => variant !== 'hidden'),
      ({ isFound }) => isFound,
    ),
    alerts: roundedOr(share(precisionOf(alarms, isAlert))),
    holds: roundedOr(share(precisionOf(alarms, isHold))),
    brakes: roundedOr(share(precisionOf(alarms, isBrake))),
    challenges: roundedOr(share(precisionOf(alarms, isChallenge))),
    falseHolds: wrong(isHold),
    falseAlerts: wrong(isAlert),
    falseChallenges: wrong(isChallenge),
  };
};

/** What misses an aim; nothing where all are met. A share of nothing misses: who says nothing has shown nothing. */
export const misses = ({ found, alerts, holds, falseHolds }: Ratios): string[] => [
  ...((found ?? 0) < aims.found ? [`campaigns found before the fifth success: ${found}, not ${aims.found}`] : []),
  ...((alerts ?? 0) < aims.alerts ? [`precision of alerts: ${alerts}, not ${aims.alerts}`] : []),
  ...((holds ?? 0) < aims.holds ? [`precision of holds: ${holds}, not ${aims.holds}`] : []),
  ...(falseHolds > aims.falseHolds ? [`false holds a day and 10,000 customers: ${falseHolds}, not ${aims.falseHolds}`] : []),
];

const countsOf = (words: readonly string[]): [string, number][] => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
};

/** A rule's alarms, right and wrong, and whom the wrong ones were about. */
export interface RuleResult {
  readonly rule: string;
  readonly right: number;
  readonly wrong: number;
  readonly falseHolds: number;
  readonly innocents: readonly (readonly [kind: string, count: number])[];
}

export const rulesOf = (scores: readonly Score[]): RuleResult[] => {
  const byRule = new Map<string, Alarm[]>();
  for (const { alarms } of scores) for (const alarm of alarms) foundOr(byRule, alarm.rule, () => []).push(alarm);
  return [...byRule]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([rule, alarms]) => ({
      rule,
      ...precisionOf(alarms),
      falseHolds: precisionOf(alarms, isHold).wrong,
      innocents: countsOf(alarms.flatMap(({ innocent }) => innocent ?? [])),
    }));
};

/** Campaigns of one kind and variant: how many there were, and how many were found in time. */
export interface KindResult {
  readonly kind: string;
  readonly variant: string;
  readonly campaigns: number;
  readonly found: number;
  readonly missed: readonly string[];
  readonly rules: readonly string[];
}

export const kindsOf = (scores: ReadonlyMap<number, Score>): KindResult[] => {
  const byKind = new Map<string, { kind: string; variant: string; found: boolean[]; missed: string[]; rules: Set<string> }>();
  for (const [seed, { campaigns }] of scores)
    for (const { id, kind, variant, isFound, rules, successesBefore } of campaigns) {
      const known = foundOr(byKind, `${kind}, ${variant}`, () => ({
        kind,
        variant,
        found: [],
        missed: [],
        rules: new Set<string>(),
      }));
      known.found.push(isFound);
      for (const rule of rules) known.rules.add(rule);
      if (!isFound) known.missed.push(`${seed}/${id} (${rules.length > 0 ? `late, after ${successesBefore}` : 'never'})`);
    }
  return [...byKind.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { kind, variant, found, missed, rules }]) => ({
      ...{ kind, variant, missed, campaigns: found.length, found: found.filter(Boolean).length, rules: [...rules].sort() },
    }));
};

const percent = (value: number | null): string => (value === null ? '–' : value.toFixed(3));

/** Everything that a person reads. */
export const textOf = (scores: ReadonlyMap<number, Score>): string => {
  const all = [...scores.values()];
  const lines = (title: string, ratios: Ratios) =>
    `${title.padEnd(10)}found ${percent(ratios.found)} (more than challenged ${percent(ratios.alarmed)}, of the visible ${percent(ratios.foundOfVisible)})  ` +
    `precision: alerts ${percent(ratios.alerts)}, holds ${percent(ratios.holds)}, brakes ${percent(ratios.brakes)}, challenges ${percent(ratios.challenges)}  ` +
    `wrong a day and 10,000: holds ${ratios.falseHolds}, alerts ${ratios.falseAlerts}, challenges ${ratios.falseChallenges}`;
  return [
    ...[...scores].map(([seed, score]) => lines(`seed ${seed}`, ratiosOf([score]))),
    lines('together', ratiosOf(all)),
    '',
    'rules (alarms right, wrong, wrong holds; whom the wrong ones were about)',
    ...rulesOf(all).map(
      ({ rule, right, wrong, falseHolds, innocents }) =>
        `  ${rule.padEnd(24)}${String(right).padStart(6)}${String(wrong).padStart(6)}${String(falseHolds).padStart(6)}  ${innocents.map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
    ),
    '',
    'campaigns (found in time, of how many; by which rules; those missed as seed/campaign)',
    ...kindsOf(scores).map(
      ({ kind, variant, found, campaigns, rules, missed }) =>
        `  ${`${kind}, ${variant}`.padEnd(38)}${`${found}/${campaigns}`.padStart(7)}  ${rules.join(', ')}${missed.length > 0 ? `  missed: ${missed.join(', ')}` : ''}`,
    ),
  ].join('\n');
};
