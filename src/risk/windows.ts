import type { DaySummary, Window, WindowSubject } from './history';
import type { Answer, Ask } from './rule';
import type { Signal, SignalType } from './signal';

export const minutes = 60_000;
export const hours = 60 * minutes;
export const days = 24 * hours;

/** How far a window reaches from a signal, in milliseconds. */
export interface Reach {
  readonly back: number;
  /** Beyond the signal: what occurred after it may have been received before it. */
  readonly ahead: number;
}

/** The window around an instant of what is known of one subject of a signal; null where the signal names none. */
export const around = (
  { subjects, occurredAt }: Signal,
  subject: WindowSubject,
  types: readonly SignalType[],
  { back, ahead }: Reach,
): Window | null => {
  const value = subjects[subject];
  if (value === undefined) return null;
  const at = occurredAt.getTime();
  return { subject, value, types, from: new Date(at - back), to: new Date(at + ahead) };
};

/** Asks for the signals of windows. */
export function* signalsIn(...windows: readonly (Window | null)[]): Generator<Ask, readonly (readonly Signal[])[], Answer> {
  const asked = windows.filter((window) => window !== null);
  if (asked.length === 0) return windows.map(() => []);
  const { signals } = yield { signals: asked, days: [] };
  let next = 0;
  return windows.map((window) => (window === null ? [] : (signals[next++] ?? [])));
}

/** Asks for the days of windows. */
export function* daysIn(...windows: readonly Window[]): Generator<Ask, readonly (readonly DaySummary[])[], Answer> {
  if (windows.length === 0) return [];
  const { days: answered } = yield { signals: [], days: windows };
  return windows.map((_, index) => answered[index] ?? []);
}

/**
 * The first stretch of at most `length` milliseconds that has the signal in it and passes: signals are received in any order, so it
 * may be the first of them that completes it.
 */
export const stretchWith = (
  signals: readonly Signal[],
  signal: Signal,
  length: number,
  passes: (stretch: readonly Signal[]) => boolean,
): readonly Signal[] | null => {
  const at = signal.occurredAt.getTime();
  let start = 0;
  for (let end = 0; end < signals.length; end += 1) {
    const last = signals[end]!.occurredAt.getTime();
    if (last < at) continue;
    if (last - length > at) return null;
    // The one that ends with the signal is judged with all that occurred in the same instant.
    if (signals[end + 1]?.occurredAt.getTime() === last) continue;
    while (signals[start]!.occurredAt.getTime() < last - length) start += 1;
    const stretch = start === 0 && end === signals.length - 1 ? signals : signals.slice(start, end + 1);
    if (passes(stretch)) return stretch;
  }
  return null;
};

/** How many different values something has among signals; what has none doesn't count. */
export const different = (signals: readonly Signal[], of: (signal: Signal) => string | undefined): ReadonlySet<string> => {
  const values = new Set<string>();
  for (const signal of signals) {
    const value = of(signal);
    if (value !== undefined) values.add(value);
  }
  return values;
};

const units = [
  ['day', days],
  ['hour', hours],
  ['minute', minutes],
  ['second', 1_000],
] as const;

/** `24 hours`, `1 hour`: as a sentence has it. */
export const spell = (milliseconds: number): string => {
  const [unit, size] =
    units.find(([name, each]) => milliseconds % each === 0 && (name !== 'day' || milliseconds > days)) ?? units[3];
  const count = Math.round(milliseconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
};

/** `3 cards`, `1 card`. */
export const counted = (count: number, noun: string, nouns = `${noun}s`): string => `${count} ${count === 1 ? noun : nouns}`;

export const attempts = ['payment.attempt.declined', 'payment.attempt.succeeded'] as const satisfies readonly SignalType[];
export const isDecline = ({ type }: Signal): boolean => type === 'payment.attempt.declined';

/**
 * How many purchases a customer's attempts, in their order, are for: the same order tried again is one. Where no order is told, the same
 * amount within an hour of its decline is that purchase again; any other attempt is one of its own.
 */
export const purchases = (signals: readonly Signal[]): number => {
  let count = different(signals, ({ subjects }) => subjects.order).size;
  const tried = new Map<string, Signal>();
  for (const signal of signals) {
    if (signal.subjects.order !== undefined) continue;
    const { amount } = signal.facts;
    const key = amount === undefined || signal.isBackdated ? null : `${amount.minorUnits} ${amount.currency}`;
    const before = key === null ? undefined : tried.get(key);
    const isAgain =
      before !== undefined && isDecline(before) && signal.occurredAt.getTime() - before.occurredAt.getTime() <= hours;
    if (!isAgain) count += 1;
    if (key !== null) tried.set(key, signal);
  }
  return count;
};
