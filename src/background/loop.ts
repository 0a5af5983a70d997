/** Where a loop gets its time from: monotonic milliseconds, and one call after some of them. */
export interface Timer {
  now(): number;
  /** Calls `work` once, unless the returned function is called before. */
  after(milliseconds: number, work: () => void): () => void;
}

/** The process's own time. A pause alone doesn't keep the process alive. */
export const processTimer: Timer = {
  now: () => performance.now(),
  after: (milliseconds, work) => {
    const timeout = setTimeout(work, milliseconds);
    timeout.unref();
    return () => clearTimeout(timeout);
  },
};

export interface LoopOptions {
  /** The work of one turn. The next turn begins only after it has settled. */
  readonly turn: () => Promise<unknown>;
  /** Milliseconds from the end of a turn to the next; a function is asked after each turn. */
  readonly every: number | (() => number);
  /** Told of a turn that failed; the loop goes on. Must not throw. It may call `stop`, but not wait for it. */
  readonly onFault: (error: unknown) => void;
  /** Whether `start` takes a turn or waits for `every` first. */
  readonly first?: 'at once' | 'after a pause';
  readonly timer?: Timer;
}

/**
 * A job that is done again and again, one turn at a time, from `start` to `stop`. However often it is woken during a turn,
 * one further turn follows.
 */
export class Loop {
  private readonly timer: Timer;
  private isStarted = false;
  private stopping = false;
  private isWoken = false;
  private turning: Promise<void> | null = null;
  private endPause = () => {};
  /** Wake-ups to come, by their delay: the latest instant that was asked for, and what cancels the timer. */
  private readonly delayed = new Map<number, { due: number; cancel: () => void }>();

  constructor(private readonly options: LoopOptions) {
    this.timer = options.timer ?? processTimer;
  }

  /** It was told to stop: no further turn begins. */
  get isStopped(): boolean {
    return this.stopping;
  }

  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    if (this.options.first === 'at once') this.isWoken = true;
    this.next();
  }

  /** Takes a turn now, or, during a turn, another one right after it: what there is to see may lie behind where it looked. */
  wake(): void {
    this.isWoken = true;
    if (this.isStarted && this.turning === null) this.next();
  }

  /**
   * Wakes it once so many milliseconds have passed. A call while one with the same delay waits doesn't put that one off and
   * needs no timer of its own: one more wake-up follows, a whole delay after the last call.
   */
  wakeIn(milliseconds: number): void {
    const due = this.timer.now() + milliseconds;
    const waiting = this.delayed.get(milliseconds);
    if (waiting) waiting.due = due;
    else this.wakeAt(due, milliseconds, milliseconds);
  }

  /** Ends the pause, takes no further turn, and resolves once the turn under way has settled. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.endPause();
    for (const { cancel } of this.delayed.values()) cancel();
    this.delayed.clear();
    await this.turning;
  }

  private wakeAt(due: number, wait: number, delay: number): void {
    if (this.stopping) return;
    const waiting = {
      due,
      cancel: this.timer.after(wait, () => {
        this.delayed.delete(delay);
        this.wake();
        if (waiting.due > due) this.wakeAt(waiting.due, Math.max(0, waiting.due - this.timer.now()), delay);
      }),
    };
    this.delayed.set(delay, waiting);
  }

  private next(): void {
    this.endPause();
    if (this.stopping) return;
    if (this.isWoken) {
      this.isWoken = false;
      this.turning = Promise.resolve()
        .then(this.options.turn)
        .catch(this.options.onFault)
        .then(() => {
          this.turning = null;
          this.next();
        });
      return;
    }
    const { every } = this.options;
    this.endPause = this.timer.after(typeof every === 'number' ? every : every(), () => this.wake());
  }
}
