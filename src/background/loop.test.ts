import { Loop, type LoopOptions, type Timer } from './loop';

/** Time that passes when it is told to. */
class ManualTimer implements Timer {
  private at = 0;
  private waiting: { due: number; work: () => void }[] = [];

  now(): number {
    return this.at;
  }

  after(milliseconds: number, work: () => void): () => void {
    const entry = { due: this.at + milliseconds, work };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((each) => each !== entry);
    };
  }

  get pending(): number {
    return this.waiting.length;
  }

  /** Lets time pass; what settles in between settles. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.at + milliseconds;
    for (;;) {
      await settled();
      const next = this.waiting.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.waiting = this.waiting.filter((each) => each !== next);
      this.at = Math.max(this.at, next.due);
      next.work();
    }
    this.at = end;
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A loop whose turns end when they are told to. */
const heldLoop = (options: Partial<LoopOptions> = {}) => {
  const timer = new ManualTimer();
  const turns: { end: () => void; fail: (error: unknown) => void }[] = [];
  const faults: unknown[] = [];
  let [atOnce, mostAtOnce] = [0, 0];
  const loop = new Loop({
    turn: async () => {
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      await new Promise<void>((resolve, reject) => turns.push({ end: resolve, fail: reject })).finally(() => {
        atOnce -= 1;
      });
    },
    every: 1_000,
    onFault: (error) => faults.push(error),
    timer,
    ...options,
  });
  return {
    loop,
    timer,
    turns,
    faults,
    mostAtOnce: () => mostAtOnce,
    async end() {
      turns.at(-1)?.end();
      await settled();
    },
  };
};

/** A loop whose turns end by themselves, with the instants at which they began. */
const quickLoop = (options: Partial<LoopOptions> = {}) => {
  const timer = new ManualTimer();
  const began: number[] = [];
  const faults: unknown[] = [];
  const loop = new Loop({
    turn: async () => began.push(timer.now()),
    every: 1_000,
    onFault: (error) => faults.push(error),
    timer,
    ...options,
  });
  return { loop, timer, began, faults };
};

describe('a loop', () => {
  it('takes its first turn after a pause, and the others a pause after the end of the one before', async () => {
    const { loop, timer, turns, end } = heldLoop();
    loop.start();
    await timer.pass(999);
    expect(turns).toHaveLength(0);
    await timer.pass(1);
    expect(turns).toHaveLength(1);
    await timer.pass(10_000);
    expect(turns).toHaveLength(1);
    await end();
    await timer.pass(999);
    expect(turns).toHaveLength(1);
    await timer.pass(1);
    expect(turns).toHaveLength(2);
  });

  it('takes its first turn at once where it is told to', async () => {
    const { loop, timer, began } = quickLoop({ first: 'at once' });
    loop.start();
    await timer.pass(1_000);
    expect(began).toEqual([0, 1_000]);
  });

  it('asks anew how long each pause is', async () => {
    const pauses = [100, 300, 50];
    const { loop, timer, began } = quickLoop({ every: () => pauses.shift() ?? 1_000_000 });
    loop.start();
    await timer.pass(1_000);
    expect(began).toEqual([100, 400, 450]);
  });

  it('ends its pause when it is woken', async () => {
    const { loop, timer, began } = quickLoop();
    loop.start();
    await timer.pass(300);
    loop.wake();
    await timer.pass(1_000);
    expect(began).toEqual([300, 1_300]);
  });

  it('takes exactly one more turn however often it is woken during one, and never two at once', async () => {
    const { loop, timer, turns, end, mostAtOnce } = heldLoop({ first: 'at once' });
    loop.start();
    await settled();
    for (let n = 0; n < 100; n += 1) loop.wake();
    await settled();
    expect(turns).toHaveLength(1);
    await end();
    expect(turns).toHaveLength(2);
    await end();
    expect(turns).toHaveLength(2);
    expect(timer.pending).toBe(1);
    expect(mostAtOnce()).toBe(1);
  });

  it('goes on at once when a turn wakes it itself', async () => {
    let left = 3;
    const { loop, timer, began } = quickLoop({
      first: 'at once',
      turn: async () => {
        began.push(timer.now());
        left -= 1;
        if (left > 0) loop.wake();
      },
    });
    loop.start();
    await timer.pass(999);
    expect(began).toEqual([0, 0, 0]);
  });

  it('does nothing before it is started, and then remembers that it was woken', async () => {
    const { loop, timer, began } = quickLoop();
    loop.wake();
    await timer.pass(5_000);
    expect(began).toEqual([]);
    loop.start();
    await settled();
    expect(began).toEqual([5_000]);
  });

  it('runs once however often it is started', async () => {
    const { loop, timer, began } = quickLoop();
    loop.start();
    loop.start();
    await timer.pass(2_500);
    expect(began).toEqual([1_000, 2_000]);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('hands over the error of a turn that %s, and goes on', async (_, turn) => {
    const { loop, timer, faults } = quickLoop({ turn });
    loop.start();
    await timer.pass(2_000);
    expect(faults).toEqual([new Error('no'), new Error('no')]);
  });

  it('is stopped by the handler of its error, where that says so', async () => {
    const { loop, timer, faults } = quickLoop({
      turn: () => Promise.reject(new Error('for good')),
      onFault: (error) => {
        faults.push(error);
        void loop.stop();
      },
    });
    loop.start();
    await timer.pass(10_000);
    expect({ faults: faults.length, isStopped: loop.isStopped, pending: timer.pending }).toEqual({
      faults: 1,
      isStopped: true,
      pending: 0,
    });
  });

  it('waits for the turn under way when it stops, and takes no other', async () => {
    const { loop, timer, turns, end } = heldLoop({ first: 'at once' });
    loop.start();
    await settled();
    loop.wake();
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await settled();
    expect(stopped).toBe(false);
    await end();
    await stopping;
    loop.wake();
    loop.wakeIn(10);
    await timer.pass(10_000);
    expect({ turns: turns.length, pending: timer.pending }).toEqual({ turns: 1, pending: 0 });
  });

  it('stops in its pause at once, and before it was started for good', async () => {
    const paused = quickLoop();
    paused.loop.start();
    await paused.loop.stop();
    const fresh = quickLoop({ first: 'at once' });
    await fresh.loop.stop();
    fresh.loop.start();
    await paused.timer.pass(5_000);
    await fresh.timer.pass(5_000);
    expect([paused.began, fresh.began, paused.timer.pending, fresh.timer.pending]).toEqual([[], [], 0, 0]);
  });

  it('is woken later by each delay', async () => {
    const { loop, timer, began } = quickLoop({ every: 1_000_000 });
    loop.start();
    loop.wakeIn(250);
    loop.wakeIn(2_000);
    await timer.pass(10_000);
    expect(began).toEqual([250, 2_000]);
  });

  it('keeps one timer for each delay however many calls come, is not put off by them, and turns a whole delay after the last', async () => {
    const { loop, timer, began } = quickLoop({ every: 1_000_000 });
    loop.start();
    let most = 0;
    for (let call = 0; call < 100; call += 1) {
      loop.wakeIn(250);
      most = Math.max(most, timer.pending);
      await timer.pass(10);
    }
    await timer.pass(10_000);
    // The last call came at 990.
    expect({ began, most }).toEqual({ began: [250, 490, 730, 970, 1_210, 1_240], most: 2 });
  });

  it('takes its turns in the process’s own time where no other is given', async () => {
    let loop: Loop | undefined;
    await new Promise<void>((resolve) => {
      loop = new Loop({ turn: async () => resolve(), every: 1, onFault: () => {} });
      loop.start();
    });
    await loop?.stop();
    expect(loop?.isStopped).toBe(true);
  });
});
