/** Finalizer of MurmurHash3 (Austin Appleby, public domain): every bit of the input moves half of the output's. */
const mix = (value: number): number => {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** 32 bits that depend on all of the arguments and on nothing else. */
export const keyedBits = (seed: number, kind: number, number: number): number =>
  mix(mix(mix(seed + 0x9e3779b9) ^ kind) + Math.imul(number, 0x9e3779b1));

/**
 * A stream of reproducible choices for one thing, addressed by (seed, kind, number), so that the thing can be computed
 * without computing those before it. The generator is xoshiro128** (Blackman and Vigna, 2018). Not for secrets.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number, kind: number, number: number) {
    const key = keyedBits(seed, kind, number);
    this.a = key;
    this.b = mix(key + 0x9e3779b9);
    this.c = mix(key + 0x3c6ef372);
    // Never all zero, where xoshiro would stay for ever.
    this.d = mix(key + 0xdaa66d2b) | 1;
  }

  /** An integer from 0 to 2^32 - 1. */
  bits(): number {
    const scaled = Math.imul(this.b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result >>> 0;
  }

  /** From 0 inclusive to 1 exclusive. */
  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** An integer from 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** An integer, both ends included. */
  between(lowest: number, highest: number): number {
    return lowest + this.below(highest - lowest + 1);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.below(from.length)] as T;
  }

  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.bits().toString(16).padStart(8, '0');
    return text.slice(0, length);
  }
}

/** Picks an outcome as often as its weight says; the weights need no particular sum. */
export const weighted = <T>(...entries: readonly (readonly [outcome: T, weight: number])[]): ((random: Random) => T) => {
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  return (random) => {
    let left = random.fraction() * total;
    for (const [outcome, weight] of entries) {
      left -= weight;
      if (left < 0) return outcome;
    }
    return (entries[entries.length - 1] as readonly [T, number])[0];
  };
};
