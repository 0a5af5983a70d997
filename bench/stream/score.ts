import { days } from './calendar';
import { foundOr } from './found';
import type { LabelledCampaign, Labels } from './labels';

/** What a rule said, as `counterfoil rules test --json` prints it. */
export interface Verdict {
  readonly rule: string;
  /** UTC milliseconds. */
  readonly at: number;
  readonly subjects: Readonly<Record<string, unknown>>;
  /** `source/id` of what it rests on. */
  readonly signals: readonly string[];
  /** Words such as `alert`, `challenge`, `hold`, `brake`. */
  readonly effects: readonly string[];
}

/** One alarm: what a rule says again of the same within a day is the same alarm. */
export interface Alarm {
  readonly rule: string;
  readonly at: number;
  readonly effects: ReadonlySet<string>;
  readonly campaign: LabelledCampaign | undefined;
  /** Of a false one: which innocent people it is about, `ordinary` where nobody is known to be special. */
  readonly innocent: string | undefined;
}

export interface Precision {
  readonly right: number;
  readonly wrong: number;
}

/** One stream's result. */
export interface Score {
  readonly alarms: readonly Alarm[];
  readonly customers: number;
  readonly scoredDays: number;
  readonly campaigns: readonly FoundCampaign[];
}

export interface FoundCampaign {
  readonly id: string;
  readonly kind: string;
  readonly variant: string;
  /** By any verdict before the fifth success, a challenge included. */
  readonly isFound: boolean;
  /** By more than a challenge. */
  readonly isAlarmed: boolean;
  /** Successes before the first verdict; all of them where there is none. */
  readonly successesBefore: number;
  readonly rules: readonly string[];
}

/** Rules that tell of what is due, whoever pays: they are right or wrong about a date, not about people. */
const notices = new Set(['provider-deadline', 'card-expiring']);
const tolerated = 5;
/** A session that moved is A, B, A, and only B is the attacker's. */
const leastShare = 1 / 3;

export const isAlert = ({ effects }: Pick<Alarm, 'effects'>): boolean => [...effects].some((effect) => /alert/i.test(effect));
export const isHold = ({ effects }: Pick<Alarm, 'effects'>): boolean =>
  [...effects].some((effect) => /\bh(?:old|olds|eld)\b/i.test(effect));
export const isBrake = ({ effects }: Pick<Alarm, 'effects'>): boolean =>
  [...effects].some((effect) => /brake|session/i.test(effect));
const isMoreThanChallenge = (alarm: Pick<Alarm, 'effects'>): boolean => isAlert(alarm) || isHold(alarm) || isBrake(alarm);

const effectsOf = (effect: unknown): string[] =>
  (Array.isArray(effect) ? effect : [effect])
    .flatMap((each) => String(each).split(/[,;+]/))
    .map((each) => each.trim().replaceAll('_', '-').toLowerCase());

/** A line of the command's output; null where it is none of a verdict, such as a summary. Throws on what isn't JSON. */
export const verdictIn = (line: string): Verdict | null => {
  const read = JSON.parse(line) as Record<string, unknown>;
  if (typeof read.rule !== 'string' || typeof read.at !== 'string' || !Array.isArray(read.signals)) return null;
  const at = Date.parse(read.at);
  if (Number.isNaN(at)) throw new Error(`a verdict of ${read.rule} has no time: ${read.at}`);
  return {
    rule: read.rule.replaceAll('_', '-').toLowerCase(),
    at,
    subjects: (read.subjects ?? {}) as Record<string, unknown>,
    signals: read.signals as string[],
    effects: effectsOf(read.effect),
  };
};

/** Until when a campaign counts as found in time: the fifth success, or its own end where it doesn't get so far. */
const deadlineOf = ({ successes, signals }: LabelledCampaign): number =>
  successes[tolerated - 1] ?? Math.max(...signals.filter(({ isAfter }) => !isAfter).map(({ arrivedAt }) => arrivedAt)) + 1;

/** Holds what rules said against what a stream means. Verdicts of the warm-up don't count, neither for nor against a rule. */
export const score = (verdicts: readonly Verdict[], labels: Labels): Score => {
  const campaignOf = new Map(
    labels.campaigns.flatMap((campaign) =>
      campaign.signals.map(({ name, arrivedAt }) => [name, { campaign, arrivedAt }] as const),
    ),
  );
  const innocentOf = new Map(labels.lookAlikes.flatMap(({ kind, signals }) => signals.map((name) => [name, kind] as const)));

  /** Whose doing a verdict is about: a campaign's where a third of what it rests on is. */
  const judged = ({ at, signals }: Verdict): { campaign: LabelledCampaign | undefined; at: number } => {
    const counts = new Map<LabelledCampaign, number>();
    // No rule knows of what hasn't arrived, whatever time it gives.
    let known = at;
    for (const name of new Set(signals)) {
      const found = campaignOf.get(name);
      if (!found) continue;
      counts.set(found.campaign, (counts.get(found.campaign) ?? 0) + 1);
      known = Math.max(known, found.arrivedAt);
    }
    const [most] = [...counts].sort(([, a], [, b]) => b - a);
    const isAbout = most !== undefined && most[1] / new Set(signals).size >= leastShare;
    return { campaign: isAbout ? most[0] : undefined, at: known };
  };
  const innocentIn = ({ signals }: Verdict): string => {
    const counts = new Map<string, number>();
    for (const name of signals) {
      const kind = innocentOf.get(name);
      if (kind) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'ordinary';
  };

  type Growing = {
    rule: string;
    at: number;
    lastAt: number;
    effects: Set<string>;
    campaign: LabelledCampaign | undefined;
    innocent: string;
  };
  const alarms: Growing[] = [];
  const known = new Map<string, Growing>();
  const first = new Map<LabelledCampaign, { at: number; alarmedAt: number; rules: Set<string> }>();
  for (const verdict of [...verdicts].sort((a, b) => a.at - b.at)) {
    if (verdict.at < labels.scoredFrom || notices.has(verdict.rule)) continue;
    const { campaign, at } = judged(verdict);
    const subjects = Object.entries(verdict.subjects).sort(([a], [b]) => (a < b ? -1 : 1));
    const keys = [...verdict.signals.map((name) => `${verdict.rule} ${name}`), `${verdict.rule} ${JSON.stringify(subjects)}`];
    let alarm = keys.map((key) => known.get(key)).find((each) => each !== undefined && verdict.at - each.lastAt <= days);
    if (!alarm) {
      alarm = { rule: verdict.rule, at, lastAt: verdict.at, effects: new Set(), campaign, innocent: innocentIn(verdict) };
      alarms.push(alarm);
    }
    alarm.lastAt = verdict.at;
    alarm.campaign ??= campaign;
    for (const effect of verdict.effects) alarm.effects.add(effect);
    for (const key of keys) known.set(key, alarm);
    if (!campaign) continue;
    const found = foundOr(first, campaign, () => ({ at, alarmedAt: Number.POSITIVE_INFINITY, rules: new Set<string>() }));
    found.at = Math.min(found.at, at);
    if (isMoreThanChallenge({ effects: new Set(verdict.effects) })) found.alarmedAt = Math.min(found.alarmedAt, at);
    found.rules.add(verdict.rule);
  }

  return {
    customers: labels.customers,
    scoredDays: labels.scoredDays,
    alarms: alarms.map(({ rule, at, effects, campaign, innocent }) => ({
      rule,
      at,
      effects,
      campaign,
      innocent: campaign ? undefined : innocent,
    })),
    campaigns: labels.campaigns.map((campaign) => {
      const { id, kind, variant, successes } = campaign;
      const found = first.get(campaign);
      const deadline = deadlineOf(campaign);
      const at = found?.at ?? Number.POSITIVE_INFINITY;
      return {
        ...{ id, kind, variant },
        isFound: at < deadline,
        isAlarmed: (found?.alarmedAt ?? Number.POSITIVE_INFINITY) < deadline,
        successesBefore: successes.filter((success) => success <= at).length,
        rules: [...(found?.rules ?? [])].sort(),
      };
    }),
  };
};

export const precisionOf = (alarms: readonly Alarm[], which: (alarm: Alarm) => boolean = () => true): Precision => {
  const counted = alarms.filter(which);
  const right = counted.filter(({ campaign }) => campaign !== undefined).length;
  return { right, wrong: counted.length - right };
};

/** Of what was said, how much was right; null where nothing was. */
export const share = ({ right, wrong }: Precision): number | null => (right + wrong === 0 ? null : right / (right + wrong));
