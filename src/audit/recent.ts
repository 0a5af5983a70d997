import type { Part } from './bytes';

/** Where something stood when it was last seen. */
export interface Place {
  readonly leaf: number;
  readonly ordinal: number;
}

/** Numbers of a slot: two of the fingerprint, the leaf, the ordinal. They stand together, so that one look finds all four. */
const [perSlot, secondAt, leafAt, ordinalAt] = [4, 1, 2, 3];
const empty = -1;

/**
 * HalfSipHash-1-3 with 64 bits (Aumasson and Bernstein, https://github.com/veorq/SipHash): without its key nobody finds names that hash alike. Who signs
 * a log chooses the names in it, and with a hash that is known they could make one that takes a verifier as long as they like.
 */
class KeyedHash {
  private readonly key = crypto.getRandomValues(new Int32Array(2));
  first = 0;
  second = 0;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;

  /** Into `first` and `second`. */
  read({ bytes, start, end }: Part): void {
    const [k0, k1] = this.key as unknown as [number, number];
    let v0 = k0;
    let v1 = k1 ^ 0xee;
    let v2 = 0x6c796765 ^ k0;
    let v3 = 0x74656462 ^ k1;
    const length = end - start;
    const whole = end - (length & 3);
    // The last word has what is left of the bytes, and the length.
    for (let at = start; at <= whole; at += 4) {
      let word = length << 24;
      if (at < whole)
        word =
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24);
      else for (let left = at; left < end; left += 1) word |= (bytes[left] as number) << (8 * (left - at));
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2 ^ 0xee;
    this.v3 = v3;
    this.first = this.finish();
    this.v1 ^= 0xdd;
    this.second = this.finish();
  }

  private finish(): number {
    let { v0, v1, v2, v3 } = this;
    for (let round = 0; round < 3; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
    return (v1 ^ v3) >>> 0;
  }
}

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
 * by 64 bits of a hash whose key is another one each time. Chance takes two for one once in some 10^8 verifications of a million leaves.
 */
export class Recent {
  private readonly hash = new KeyedHash();
  private younger = new Table(smallest);
  private older = new Table(smallest);

  /** Remembers where a name stands; returns where it stood before, undefined where it is new. */
  move(name: Part, leaf: number, ordinal: number): Place | undefined {
    const { hash } = this;
    hash.read(name);
    const { first, second } = hash;
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
