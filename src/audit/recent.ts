/** Where something stood when it was last seen. */
export interface Place {
  readonly leaf: number;
  readonly ordinal: number;
}

/** Open addressing over typed arrays: a map of strings costs a verifier a quarter of its time, most of it in the collector. */
class Table {
  private readonly first: Uint32Array;
  private readonly second: Uint32Array;
  private readonly leaves: Float64Array;
  private readonly ordinals: Float64Array;
  private count = 0;

  constructor(readonly slots: number) {
    this.first = new Uint32Array(slots);
    this.second = new Uint32Array(slots);
    this.leaves = new Float64Array(slots).fill(-1);
    this.ordinals = new Float64Array(slots);
  }

  get isFull(): boolean {
    return this.count * 2 >= this.slots;
  }

  /** The slot with this fingerprint, or the empty one where it belongs. `slots` is a power of two. */
  slotOf(first: number, second: number): number {
    let slot = first & (this.slots - 1);
    while (this.isTaken(slot) && (this.first[slot] !== first || this.second[slot] !== second))
      slot = (slot + 1) & (this.slots - 1);
    return slot;
  }

  isTaken(slot: number): boolean {
    return (this.leaves[slot] as number) >= 0;
  }

  at(slot: number): Place {
    return { leaf: this.leaves[slot] as number, ordinal: this.ordinals[slot] as number };
  }

  put(slot: number, first: number, second: number, leaf: number, ordinal: number): void {
    if (!this.isTaken(slot)) this.count += 1;
    this.first[slot] = first;
    this.second[slot] = second;
    this.leaves[slot] = leaf;
    this.ordinals[slot] = ordinal;
  }

  enlarged(): Table {
    const larger = new Table(this.slots * 2);
    for (let slot = 0; slot < this.slots; slot += 1) {
      if (!this.isTaken(slot)) continue;
      const [first, second] = [this.first[slot] as number, this.second[slot] as number];
      larger.put(larger.slotOf(first, second), first, second, this.leaves[slot] as number, this.ordinals[slot] as number);
    }
    return larger;
  }
}

const smallest = 1_024;

/**
 * The places of names seen of late: those since the last `turn`, and those between it and the one before. Names are told apart
 * by 64 bits of a hash. Chance takes two for one once in some 10^8 verifications of a million leaves; who signs the log could
 * make it so, and would only be reported for it.
 */
export class Recent {
  private younger = new Table(smallest);
  private older = new Table(smallest);

  /** Remembers where a name stands; returns where it stood before, undefined where it is new. */
  move(name: string, leaf: number, ordinal: number): Place | undefined {
    // FNV-1a, and one like it with another prime and more mixing.
    let first = 0x811c9dc5;
    let second = 0x9747b28c;
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      first = Math.imul(first ^ code, 0x01000193);
      second = Math.imul(second ^ code, 0x5bd1e995);
      second ^= second >>> 13;
    }
    first >>>= 0;
    second >>>= 0;
    if (this.younger.isFull) this.younger = this.younger.enlarged();
    const slot = this.younger.slotOf(first, second);
    let before: Place | undefined;
    if (this.younger.isTaken(slot)) before = this.younger.at(slot);
    else {
      const olderSlot = this.older.slotOf(first, second);
      if (this.older.isTaken(olderSlot)) before = this.older.at(olderSlot);
    }
    this.younger.put(slot, first, second, leaf, ordinal);
    return before;
  }

  /** Forgets what wasn't seen since the last turn. */
  turn(): void {
    this.older = this.younger;
    this.younger = new Table(this.older.slots);
  }
}
