/** Chance that repeats: the same seed gives the same draws on every machine (sfc32, seeded from a text by FNV-1a). */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(private readonly seed: string) {
    this.a = hash(seed, 0x811c9dc5);
    this.b = hash(seed, 0x9e3779b9);
    this.c = hash(seed, 0x85ebca6b);
    for (let turn = 0; turn < 15; turn += 1) this.next();
  }

  /** Draws of its own: what one part draws more or less of changes no other part. */
  fork(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** In [0, 1). */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to pick from');
    return from[Math.floor(this.next() * from.length)] as T;
  }

  weighted<T>(from: readonly (readonly [T, number])[]): T {
    let left = this.next() * from.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of from) {
      left -= weight;
      if (left < 0) return value;
    }
    return (from.at(-1) as readonly [T, number])[0];
  }

  shuffled<T>(from: readonly T[]): T[] {
    const list = [...from];
    for (let last = list.length - 1; last > 0; last -= 1) {
      const other = this.integer(0, last);
      [list[last], list[other]] = [list[other] as T, list[last] as T];
    }
    return list;
  }

  /** Different ones; fewer where there are not as many. */
  sample<T>(from: readonly T[], count: number): T[] {
    const found = new Set<T>();
    if (count * 2 >= from.length) return this.shuffled(from).slice(0, count);
    while (found.size < count) found.add(this.pick(from));
    return [...found];
  }

  /** How many, where so many are expected (Knuth; in parts, so that a large mean doesn't underflow). */
  poisson(mean: number): number {
    let count = 0;
    for (let left = mean; left > 0; left -= 30) {
      const limit = Math.exp(-Math.min(left, 30));
      for (let product = this.next(); product > limit; product *= this.next()) count += 1;
    }
    return count;
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** By its median; the spread is that of the logarithm (Box-Muller). */
  logNormal(median: number, spread: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(spread * normal);
  }
}

const hash = (text: string, start: number): number => {
  let value = start;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return (value ^ (value >>> 15)) | 0;
};
