import type { Part } from './bytes';

/** Where something stood when it was last seen. */
export interface Place {
  readonly leaf: number;
  readonly ordinal: number;
}

/** Numbers of a slot: two of the fingerprint, the leaf, the ordinal. They stand together, so that one look finds all four. */
const [perSlot, secondAt, leafAt, ordinalAt] = [4, 1, 2, 3];
const empty = -1;

/** Open addressing over numbers: a map of strings costs a verifier a quarter of its time, most of it in the collector. */
class Table {
  private readonly numbers: Float64Array;
  private count = 0;

  constructor(readonly slots: number) {
    this.numbers = new Float64Array(slots * perSlot).fill(empty);
  }

  get isFull(): boolean {
    return this.count * 2 >= this.slots;
  }

  /** The slot with this fingerprint, or the empty one where it belongs. `slots` is a power of two. */
  slotOf(first: number, second: number): number {
    const { numbers, slots } = this;
    let slot = first & (slots - 1);
    for (;;) {
      const at = slot * perSlot;
      const found = numbers[at];
      if (found === empty || (found === first && numbers[at + secondAt] === second)) return slot;
      slot = (slot + 1) & (slots - 1);
    }
  }

  at(slot: number): Place | undefined {
    const at = slot * perSlot;
    if (this.numbers[at] === empty) return undefined;
    return { leaf: this.numbers[at + leafAt] as number, ordinal: this.numbers[at + ordinalAt] as number };
  }

  put(slot: number, first: number, second: number, leaf: number, ordinal: number): void {
    const { numbers } = this;
    const at = slot * perSlot;
    if (numbers[at] === empty) this.count += 1;
    numbers[at] = first;
    numbers[at + secondAt] = second;
    numbers[at + leafAt] = leaf;
    numbers[at + ordinalAt] = ordinal;
  }

  clear(): this {
    this.numbers.fill(empty);
    this.count = 0;
    return this;
  }

  enlarged(): Table {
    const larger = new Table(this.slots * 2);
    const { numbers } = this;
    for (let at = 0; at < numbers.length; at += perSlot) {
      const [first, second, leaf, ordinal] = numbers.subarray(at, at + perSlot) as unknown as [number, number, number, number];
      if (first !== empty) larger.put(larger.slotOf(first, second), first, second, leaf, ordinal);
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
  move({ bytes, start, end }: Part, leaf: number, ordinal: number): Place | undefined {
    // FNV-1a, and one like it with another prime and more mixing.
    let first = 0x811c9dc5;
    let second = 0x9747b28c;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      first = Math.imul(first ^ byte, 0x01000193);
      second = Math.imul(second ^ byte, 0x5bd1e995);
      second ^= second >>> 13;
    }
    first >>>= 0;
    second >>>= 0;
    if (this.younger.isFull) this.younger = this.younger.enlarged();
    const slot = this.younger.slotOf(first, second);
    const before = this.younger.at(slot) ?? this.older.at(this.older.slotOf(first, second));
    this.younger.put(slot, first, second, leaf, ordinal);
    return before;
  }

  /** Forgets what wasn't seen since the last turn. */
  turn(): void {
    // The same two tables again: numbers live outside the heap, where what is dropped stays until the collector comes by.
    [this.younger, this.older] = [this.older.clear(), this.younger];
  }
}
