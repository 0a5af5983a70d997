import type { Signal, SignalType, SubjectName } from './signal';

/** A window of what is known of one subject, by when it occurred: `from` itself is in it, `to` too. */
export interface Window {
  readonly subject: SubjectName;
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
}

/**
 * The past as rules may ask for it: by windows that a rule names beforehand, so that a stream in memory and a database answer alike.
 * Everything that a signal came after is in it, by when it was received, and the signal itself; never what was received later.
 */
export interface History {
  /** The signals of each window, by when they occurred and then by name. */
  signals(windows: readonly Window[]): Promise<readonly (readonly Signal[])[]>;
  /** The days of each window, whole days only. */
  days(windows: readonly Window[]): Promise<readonly (readonly DaySummary[])[]>;
}
