export interface GroupOptions<Item, Result> {
  /** Items of one commit; where they are weighed, what they may weigh together. One that weighs more is committed by itself. */
  readonly size: number;
  /** What an item is of a commit's size; 1, where it isn't said. */
  readonly weigh?: (item: Item) => number;
  /** Items that may wait; what comes then is told so at once. */
  readonly most: number;
  /** Milliseconds after which one that waits isn't committed any more: nobody waits for its answer. */
  readonly patience: number;
  /** Commits a group. Returns for each of its items, in their order, what gives its result, or throws what it is told. */
  readonly commit: (items: readonly Item[]) => Promise<readonly (() => Result)[]>;
  /** What an item is told that isn't committed: of this fault, or, without one, as too many wait or it waited too long. */
  readonly refusal: (fault?: unknown) => unknown;
}

interface Waiting<Item, Result> {
  /** On the monotonic clock. */
  readonly since: number;
  readonly item: Item;
  readonly settle: (result: Result) => void;
  readonly fail: (error: unknown) => void;
}

/** What is handed in one by one and committed by the group: while one is under way, the next gathers. */
export class Groups<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private flushing: Promise<void> | undefined;

  constructor(private readonly options: GroupOptions<Item, Result>) {}

  /** Resolves once the item's group is durable. */
  add(item: Item): Promise<Result> {
    if (this.waiting.length >= this.options.most) return Promise.reject(this.options.refusal());
    return new Promise((settle, fail) => {
      this.waiting.push({ since: performance.now(), item, settle, fail });
      this.flushing ??= this.flush();
    });
  }

  /** Waits until everything that was handed in is settled. */
  async idle(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  private async flush(): Promise<void> {
    const { patience, commit, refusal } = this.options;
    // An embedded database answers at once: without a turn of the event loop each item would be committed by itself.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const group: Waiting<Item, Result>[] = [];
      for (const each of this.waiting.splice(0, this.fitting())) {
        if (performance.now() - each.since > patience) each.fail(refusal());
        else group.push(each);
      }
      if (group.length === 0) continue;
      try {
        const results = await commit(group.map(({ item }) => item));
        for (const [index, { settle, fail }] of group.entries()) {
          try {
            settle((results[index] as () => Result)());
          } catch (error) {
            fail(error);
          }
        }
      } catch (error) {
        const told = refusal(error);
        for (const { fail } of group) fail(told);
      }
    }
    this.flushing = undefined;
  }

  /** How many of those that wait fit into one commit: one at least. */
  private fitting(): number {
    const { size, weigh } = this.options;
    if (!weigh) return size;
    let weight = 0;
    const tooMany = this.waiting.findIndex(({ item }) => {
      weight += weigh(item);
      return weight > size;
    });
    return tooMany === -1 ? this.waiting.length : Math.max(1, tooMany);
  }
}
