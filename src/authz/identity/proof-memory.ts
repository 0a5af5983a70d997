/** Milliseconds whose proofs are forgotten together. */
const span = 5_000;
/** Bytes of one name in a set of V8's, with what the set needs for it. */
const bytesOfName = 128;

/**
 * The proofs that were used, each for as long as it could be used again. Where there is no room for another one that is said: nothing is pushed
 * out before its time.
 */
export class ProofMemory {
  /** Names by the span in which their proofs end. */
  private readonly spans = new Map<number, Set<string>>();
  private forgotten = Number.NEGATIVE_INFINITY;
  private count = 0;
  private readonly most: number;

  constructor(bytes: number) {
    this.most = Math.floor(bytes / bytesOfName);
  }

  /** Whether it is the first time that this name is told. `until`: after that its proof isn't taken any more. */
  take(name: string, until: Date, now: Date): 'first' | 'again' | 'full' {
    this.forget(now);
    const end = Math.ceil(until.getTime() / span);
    // A clock that was set back: whether it was used nobody knows any more.
    if (end <= this.forgotten) return 'again';
    const names = this.spans.get(end) ?? new Set();
    if (names.has(name)) return 'again';
    if (this.count >= this.most) return 'full';
    this.spans.set(end, names.add(name));
    this.count += 1;
    return 'first';
  }

  /** How many are remembered. */
  get size(): number {
    return this.count;
  }

  private forget(now: Date): void {
    const over = Math.floor(now.getTime() / span) - 1;
    for (const [end, names] of this.spans) {
      if (end > over) continue;
      this.spans.delete(end);
      this.count -= names.size;
      this.forgotten = Math.max(this.forgotten, end);
    }
  }
}
