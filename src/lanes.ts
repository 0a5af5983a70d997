/** Who waits for a piece of work: a person, or nobody. */
export type Lane = 'interactive' | 'background';

/** No place became free within the longest wait, or so many wait already that none would. The work was not begun. */
export class WaitedTooLong extends Error {
  constructor() {
    super('no place became free in time');
    this.name = 'WaitedTooLong';
  }
}

/** After this many interactive pieces in a row one of the background is let in, so that constant use never stops a backfill. */
const mostOvertakes = 15;

/**
 * At most `width` pieces of work at once; whatever is more waits, in the order it came. Interactive work is let in before
 * background work that waits, however long that has waited; background work may use every place that no person asks for.
 */
export class Lanes {
  private readonly waiting: Readonly<Record<Lane, Set<() => void>>> = { interactive: new Set(), background: new Set() };
  private underWay = 0;
  private overtakes = 0;
  private readonly whenIdle: (() => void)[] = [];

  /** `mostWaiting`: of each lane; whatever comes then isn't let in. */
  constructor(
    private readonly width: number,
    private readonly mostWaiting = Number.POSITIVE_INFINITY,
  ) {}

  /** Runs `work` once there is a place. `longestWait` in milliseconds, for ever when left out. Throws `WaitedTooLong`, and what `work` throws. */
  async run<T>(lane: Lane, work: () => Promise<T>, longestWait?: number): Promise<T> {
    if (this.underWay < this.width) this.underWay += 1;
    else if (this.waiting[lane].size >= this.mostWaiting) throw new WaitedTooLong();
    else await this.place(lane, longestWait);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** Resolves once nothing is under way and nothing waits. */
  idle(): Promise<void> {
    return this.underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.whenIdle.push(resolve));
  }

  /** Resolves when a place was handed over. */
  private place(lane: Lane, longestWait: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting[lane].add(enter);
      if (longestWait === undefined) return;
      timer = setTimeout(() => {
        this.waiting[lane].delete(enter);
        reject(new WaitedTooLong());
      }, longestWait);
    });
  }

  private leave(): void {
    const enterNext = this.next();
    if (enterNext) {
      enterNext();
      return;
    }
    this.underWay -= 1;
    if (this.underWay === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  private next(): (() => void) | undefined {
    const { interactive, background } = this.waiting;
    const isOvertaking = interactive.size > 0 && background.size > 0;
    const lane = isOvertaking && this.overtakes >= mostOvertakes ? background : interactive.size > 0 ? interactive : background;
    this.overtakes = isOvertaking && lane === interactive ? this.overtakes + 1 : 0;
    const [next] = lane;
    if (next) lane.delete(next);
    return next;
  }
}

/** How many pieces of work that have a place somewhere wait for something else, and leave that place to others meanwhile. */
export class Waits {
  /** Told of each that begins. */
  onBegin: () => void = () => {};
  private waiting = 0;

  get count(): number {
    return this.waiting;
  }

  /** Counts as waiting until what is returned is called. */
  begin(): () => void {
    let isOver = false;
    this.waiting += 1;
    this.onBegin();
    return () => {
      if (!isOver) this.waiting -= 1;
      isOver = true;
    };
  }

  /** Counts as waiting until `work` has settled. */
  async during<T>(work: Promise<T>): Promise<T> {
    const end = this.begin();
    try {
      return await work;
    } finally {
      end();
    }
  }
}

/**
 * Runs `work` over all items, at most `width` at once: a source has limits, and one item may take several requests. After
 * the first that throws no further item is taken; those under way end, then that error is thrown.
 */
export const inTurns = async <T>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failed: { readonly error: unknown } | null = null;
  const takeTurns = async () => {
    try {
      while (failed === null) {
        const next = await iterator.next();
        if (next.done || failed !== null) return;
        await work(next.value);
      }
    } catch (error) {
      failed ??= { error };
    }
  };
  await Promise.all(Array.from({ length: width }, takeTurns));
  if (failed !== null) throw (failed as { readonly error: unknown }).error;
};

/** A list in parts of at most `size`, in its order: no statement, search or change grows with the desk. */
export const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
