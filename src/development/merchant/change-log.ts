export interface Clock {
  now(): Date;
}

export const wallClock: Clock = { now: () => new Date() };

/**
 * The order in which the records of a demo source were changed. Numbers follow the clock, so that a
 * change made after a restart is newer than any from before it.
 */
export class ChangeLog {
  private last = 0;
  private readonly changed = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** The number of the newest change, 0 before the first. */
  get newest(): number {
    return this.last;
  }

  /** Notes a change of the record and gives its number, above all before and above `current`. */
  note(reference: string, current = 0): number {
    this.last = Math.max(this.last + 1, current + 1, this.clock.now().getTime());
    this.changed.set(reference, this.last);
    return this.last;
  }

  /** Takes over a change that was noted before a restart or by another process. */
  restore(reference: string, number: number): void {
    this.last = Math.max(this.last, number);
    this.changed.set(reference, Math.max(number, this.changed.get(reference) ?? 0));
  }

  /** References changed after `seen`, oldest change first. */
  after(seen: number): string[] {
    return [...this.changed]
      .filter(([, number]) => number > seen)
      .sort(([, a], [, b]) => a - b)
      .map(([reference]) => reference);
  }
}
