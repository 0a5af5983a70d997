/** Milliseconds from when nothing too old was left until it is looked for again. */
const every = 3_600_000;
/** Batches of one turn: what is left waits for the next, and nothing for long behind it. */
const batchesOfTurn = 20;

/** Removes what is too old, a batch a change, some batches a turn. Any number of processes may do so at once. */
export class Sweep {
  private lookAt = 0;

  constructor(
    /** True where there may be more. Each batch is small enough to keep no other change waiting. */
    private readonly removeBatch: (now: Date) => Promise<boolean>,
    private readonly clock: () => Date,
  ) {}

  /** Does nothing until it is time again. */
  async turn(): Promise<void> {
    const now = this.clock();
    if (now.getTime() < this.lookAt) return;
    for (let batch = 0; batch < batchesOfTurn; batch += 1)
      if (!(await this.removeBatch(now))) {
        this.lookAt = now.getTime() + every;
        return;
      }
  }
}
