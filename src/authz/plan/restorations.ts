import { LRUCache } from 'lru-cache';
import type { RestorationTree } from './restore';

/** Bytes of memory that kept restorations may take. */
const keptBytes = 8 * 1024 * 1024;
/** Bytes that an entry takes, as measured; rounded up. */
const bytesPerEntry = 250;

/**
 * Restorations of plans, for the values of their conditions, kept by what they take in memory: a document of two thousand
 * characters may have one of several hundred kilobytes for each of many sets of values.
 */
export class Restorations {
  private readonly kept: LRUCache<string, RestorationTree>;
  private plans = 0;

  constructor(maxSize = keptBytes) {
    this.kept = new LRUCache({ maxSize, sizeCalculation: ({ size }) => 500 + size * bytesPerEntry });
  }

  /** For one plan. `key` stands for the values. What is too large to be kept is made each time. */
  ofPlan(): (key: string, make: () => RestorationTree) => RestorationTree {
    this.plans += 1;
    const plan = this.plans;
    return (key, make) => {
      const known = this.kept.get(`${plan} ${key}`);
      if (known) return known;
      const made = make();
      this.kept.set(`${plan} ${key}`, made);
      return made;
    };
  }
}
