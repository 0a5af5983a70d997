import type { Signal, SignalType, SubjectName } from './signal';

/** What a rule may ask for a window of: each is an index that storing a signal costs, so no more than rules ask for. */
export type WindowSubject = Exclude<SubjectName, 'ip' | 'order' | 'payment' | 'session'>;

/** A window of what is known of one subject, by when it occurred: `from` itself is in it, `to` too. */
export interface Window {
  readonly subject: WindowSubject;
  /** The subject as the signals name it. */
  readonly value: string;
  readonly types: readonly SignalType[];
  readonly from: Date;
  readonly to: Date;
}

/**
 * What one day (UTC) had of one subject and type, by country and device: kept for longer than the signals that it is made of, so that
 * baselines of half a year exist.
 */
export interface DaySummary {
  readonly subject: SubjectName;
  readonly value: string;
  readonly type: SignalType;
  /** Whole days since 1970-01-01, UTC. */
  readonly day: number;
  readonly country: string | null;
  readonly device: string | null;
  /** ISO 4217; null where the signals had no amount. */
  readonly currency: string | null;
  readonly count: number;
  /** The largest amount in minor units of `currency`; null where there was none. */
  readonly mostMinorUnits: number | null;
  /** Since when the merchant has the oldest customer among them; null where no signal said it of any. */
  readonly customerSince: Date | null;
}

const millisecondsADay = 86_400_000;
export const dayOf = (at: Date): number => Math.floor(at.getTime() / millisecondsADay);

const summarizedTypes: ReadonlySet<string> = new Set<SignalType>([
  'payment.attempt.declined',
  'payment.attempt.succeeded',
  'ticket.contact',
  'account.recovery',
  'credential.changed',
]);

/**
 * What one signal adds to the days: a summary for each subject that days are kept of (customer, card, e-mail domain), each with
 * `count` 1. Summaries that agree in all but `count`, `mostMinorUnits` and `customerSince` are one: the counts are added, the larger
 * amount and the earlier date are kept. A back-dated signal adds nothing. Countries and devices are told apart for customers only.
 */
export const summariesOf = ({ type, occurredAt, subjects, facts, isBackdated }: Signal): readonly DaySummary[] => {
  if (isBackdated || !summarizedTypes.has(type)) return [];
  const common = {
    type: type as SignalType,
    day: dayOf(occurredAt),
    currency: facts.amount?.currency ?? null,
    count: 1,
    mostMinorUnits: facts.amount?.minorUnits ?? null,
    customerSince: facts.customerSince ?? null,
  };
  const { customer, card, emailDomain } = subjects;
  const summaries: DaySummary[] = [];
  if (customer !== undefined) {
    const place = { country: facts.country ?? null, device: subjects.device ?? null };
    summaries.push({ subject: 'customer', value: customer, ...place, ...common });
  }
  if (card !== undefined) summaries.push({ subject: 'card', value: card, country: null, device: null, ...common });
  if (emailDomain !== undefined)
    summaries.push({ subject: 'emailDomain', value: emailDomain, country: null, device: null, ...common });
  return summaries;
};

/**
 * The past as rules may ask for it: by windows that a rule names beforehand, so that a stream in memory and a database answer alike.
 * Everything that a signal came after is in it, by when it was received, and the signal itself; never what was received later.
 */
export interface History {
  /** The signals of each window, by when they occurred and then by name. Rules ask for at most 28 days. */
  signals(windows: readonly Window[]): Promise<readonly (readonly Signal[])[]>;
  /** The days of each window, from the day of `from` to the day of `to`; of customers, cards and e-mail domains, at most 180 days. */
  days(windows: readonly Window[]): Promise<readonly (readonly DaySummary[])[]>;
}

/**
 * Signals of one window at most, the newest: what a rule does with them may grow faster than they do, and anybody can make many of one
 * device. Of staff, whose work of a month is compared, more.
 */
export const mostInWindow = ({ subject }: Pick<Window, 'subject'>): number =>
  subject === 'team' ? 20_000 : subject === 'staff' ? 5_000 : 400;
