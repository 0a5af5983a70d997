import { type DaySummary, dayOf, mostInWindow, summariesOf, type Window } from './history';
import type { Answer, Ask, Need } from './rule';
import { type Signal, signalName } from './signal';
import { days } from './windows';

/** How much later than others a signal may come and still find everything that its rules ask for. */
const slack = 2 * days;
/**
 * How many signals pass at least before what nobody can ask for any more is let go; where more is kept, a quarter of that: however much it
 * is, looking through it costs each signal the same, and no more than a quarter of it is there in vain.
 */
const sweepEvery = 16_384;
const sweptShare = 0.25;

/** What a window was answered with; in milliseconds. */
interface AnsweredWindow {
  readonly from: number;
  readonly to: number;
  readonly found: readonly Signal[];
}

type Summary = { -readonly [name in keyof DaySummary]: DaySummary[name] };
const nothing: readonly never[] = [];

const atOf = ({ occurredAt }: Signal): number => occurredAt.getTime();
const isBefore = (a: Signal, b: Signal): boolean => {
  const difference = atOf(a) - atOf(b);
  return difference === 0 ? signalName(a) < signalName(b) : difference < 0;
};

/** The first place in an ascending list whose signal is at the instant or later. */
const firstFrom = (signals: readonly Signal[], at: number): number => {
  let low = 0;
  let high = signals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atOf(signals[middle]!) < at) low = middle + 1;
    else high = middle;
  }
  return low;
};

const insert = (signals: Signal[], signal: Signal): void => {
  let place = signals.length;
  while (place > 0 && isBefore(signal, signals[place - 1]!)) place -= 1;
  if (place === signals.length) signals.push(signal);
  else signals.splice(place, 0, signal);
};

/** Names that were seen, of at least the last `generation`: two sets that take turns. */
class Names {
  private current = new Set<string>();
  private former = new Set<string>();
  private since = Number.NEGATIVE_INFINITY;

  constructor(private readonly generation: number) {}

  /** False where it is known. */
  add(name: string, now: number): boolean {
    if (this.current.has(name) || this.former.has(name)) return false;
    if (now - this.since > this.generation) {
      this.former = this.current;
      this.current = new Set();
      this.since = now;
    }
    this.current.add(name);
    return true;
  }
}

/**
 * The past of a stream, in memory: as much of it as the rules can ask for, by subject. What lies further back than their windows is
 * let go, so that a long stream takes no more memory than a busy month of it.
 */
export class StreamHistory {
  /** When the latest of all signals occurred, in milliseconds. */
  clock = Number.NEGATIVE_INFINITY;
  private readonly names = new Names(30 * days);
  /** How far back signals are asked for, by subject and type. */
  private readonly signalReach = new Map<string, Map<string, number>>();
  private readonly dayReach = new Map<string, Map<string, number>>();
  private readonly signals = new Map<string, Map<string, Signal[]>>();
  /** Of each team the last window of the same types: whoever judges a desk asks for its month with each signal. */
  private readonly ofTeams = new Map<string, Map<string, AnsweredWindow>>();
  private readonly summaries = new Map<string, Map<string, Map<string, Summary>>>();
  /** Signals that still pass before the next sweep. */
  private untilSweep = sweepEvery;

  constructor(needs: readonly Need[]) {
    for (const { of, subject, types, back } of needs) {
      const reach = of === 'signals' ? this.signalReach : this.dayReach;
      const byType = reach.get(subject) ?? new Map<string, number>();
      for (const type of types) byType.set(type, Math.max(byType.get(type) ?? 0, back));
      reach.set(subject, byType);
    }
    for (const subject of this.signalReach.keys()) this.signals.set(subject, new Map());
    for (const subject of this.dayReach.keys()) this.summaries.set(subject, new Map());
  }

  /** Takes a signal in; false where it is known already, by source and id. */
  add(signal: Signal): boolean {
    const at = atOf(signal);
    if (!this.names.add(signalName(signal), Math.max(this.clock, at))) return false;
    this.clock = Math.max(this.clock, at);
    for (const [subject, reach] of this.signalReach) {
      const value = signal.subjects[subject as keyof Signal['subjects']];
      if (value === undefined || !reach.has(signal.type)) continue;
      const bySubject = this.signals.get(subject)!;
      const known = bySubject.get(value);
      if (known) insert(known, signal);
      else bySubject.set(value, [signal]);
    }
    const ofTeam = this.ofTeams.get(signal.subjects.team ?? '');
    if (ofTeam) for (const [types, { to }] of ofTeam) if (at <= to) ofTeam.delete(types);
    for (const summary of summariesOf(signal)) this.sum(summary);
    this.untilSweep -= 1;
    if (this.untilSweep === 0) this.untilSweep = Math.max(sweepEvery, Math.floor(this.sweep() * sweptShare));
    return true;
  }

  answer = ({ signals, days: dayWindows }: Ask): Answer => ({
    signals: signals.length === 0 ? nothing : signals.map((window) => this.answeredWith(window)),
    days: dayWindows.length === 0 ? nothing : dayWindows.map((window) => this.daysOf(window)),
  });

  private answeredWith(window: Window): readonly Signal[] {
    if (window.subject !== 'team') return this.signalsOf(window);
    const ofTeam = this.ofTeams.get(window.value) ?? new Map<string, AnsweredWindow>();
    this.ofTeams.set(window.value, ofTeam);
    const [from, to] = [window.from.getTime(), window.to.getTime()];
    const types = window.types.join(' ');
    const last = ofTeam.get(types);
    if (last !== undefined && last.from === from && last.to === to) return last.found;
    const found = this.signalsOf(window);
    ofTeam.set(types, { from, to, found });
    return found;
  }

  private signalsOf({ subject, value, types, from, to }: Window): readonly Signal[] {
    const all = this.signals.get(subject)?.get(value);
    if (!all) return nothing;
    const end = to.getTime();
    const found: Signal[] = [];
    for (let index = firstFrom(all, from.getTime()); index < all.length; index += 1) {
      const signal = all[index]!;
      if (atOf(signal) > end) break;
      if ((types as readonly string[]).includes(signal.type)) found.push(signal);
    }
    return found.slice(-mostInWindow({ subject }));
  }

  private daysOf({ subject, value, types, from, to }: Window): readonly DaySummary[] {
    const all = this.summaries.get(subject)?.get(value);
    if (!all) return nothing;
    const first = dayOf(from);
    const last = dayOf(to);
    const found: DaySummary[] = [];
    for (const summary of all.values())
      if (summary.day >= first && summary.day <= last && types.includes(summary.type)) found.push(summary);
    return found;
  }

  private sum(summary: DaySummary): void {
    const { subject, value, type, day, country, device, currency } = summary;
    if (!this.dayReach.get(subject)?.has(type)) return;
    const bySubject = this.summaries.get(subject)!;
    let known = bySubject.get(value);
    if (!known) {
      known = new Map();
      bySubject.set(value, known);
    }
    const key = `${type} ${day} ${country} ${currency} ${device}`;
    const same = known.get(key);
    if (!same) {
      known.set(key, { ...summary });
      return;
    }
    same.count += summary.count;
    if (summary.mostMinorUnits !== null) same.mostMinorUnits = Math.max(same.mostMinorUnits ?? 0, summary.mostMinorUnits);
    if (summary.customerSince !== null && (same.customerSince === null || summary.customerSince < same.customerSince))
      same.customerSince = summary.customerSince;
  }

  /** Returns how much is kept. */
  private sweep(): number {
    let count = 0;
    this.ofTeams.clear();
    for (const [subject, bySubject] of this.signals) {
      const reach = this.signalReach.get(subject)!;
      const isKept = (signal: Signal) => atOf(signal) >= this.clock - slack - reach.get(signal.type)!;
      for (const [value, all] of bySubject) {
        const kept = all.filter(isKept);
        if (kept.length === 0) bySubject.delete(value);
        else if (kept.length < all.length) bySubject.set(value, kept);
        count += kept.length;
      }
    }
    for (const [subject, bySubject] of this.summaries) {
      const reach = this.dayReach.get(subject)!;
      for (const [value, all] of bySubject) {
        for (const [key, { type, day }] of all) if ((day + 1) * days < this.clock - slack - reach.get(type)!) all.delete(key);
        if (all.size === 0) bySubject.delete(value);
        count += all.size;
      }
    }
    return count;
  }
}
