import fc from 'fast-check';
import { inTurns, type Lane, Lanes, WaitedTooLong, Waits } from './lanes';

/** Work that ends when the test says so. */
const pieces = (lanes: Lanes) => {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (lane: Lane, name: string, longestWait?: number) =>
    lanes.run(
      lane,
      () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      },
      longestWait,
    );
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { begun, run, end };
};

describe('lanes', () => {
  it('let in as many as they are wide, and the rest in its order as places become free', async () => {
    const { begun, run, end } = pieces(new Lanes(2));
    for (const name of ['a', 'b', 'c', 'd']) void run('background', name);
    await new Promise(setImmediate);
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('let what a person waits for overtake what nobody waits for', async () => {
    const { begun, run, end } = pieces(new Lanes(1));
    for (const name of ['fill 1', 'fill 2']) void run('background', name);
    for (const name of ['person 1', 'person 2']) void run('interactive', name);
    for (const name of ['fill 1', 'person 1', 'person 2', 'fill 2']) await end(name);
    expect(begun).toEqual(['fill 1', 'person 1', 'person 2', 'fill 2']);
  });

  it('never let people alone in for ever: a backfill goes on, slowly', async () => {
    const lanes = new Lanes(1);
    const order: Lane[] = [];
    const piece = (lane: Lane) => lanes.run(lane, async () => void order.push(lane));
    const blocker = piece('background');
    const all = [
      ...Array.from({ length: 64 }, () => piece('interactive')),
      ...Array.from({ length: 3 }, () => piece('background')),
    ];
    await Promise.all([blocker, ...all]);
    expect(order.flatMap((lane, index) => (lane === 'background' ? [index] : []))).toEqual([0, 16, 32, 48]);
  });

  it('give up waiting at the deadline, without having begun, and the place goes to the next', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const lanes = new Lanes(1);
      const { begun, run, end } = pieces(lanes);
      void run('interactive', 'first');
      const late = run('interactive', 'late', 1_000);
      const refused = expect(late).rejects.toThrow(WaitedTooLong);
      void run('interactive', 'patient');
      jest.advanceTimersByTime(1_000);
      await refused;
      await end('first');
      expect(begun).toEqual(['first', 'patient']);
      await end('patient');
      await lanes.idle();
    } finally {
      jest.useRealTimers();
    }
  });

  it('take no more than may wait, each lane for itself', async () => {
    const { begun, run, end } = pieces(new Lanes(1, 2));
    for (const name of ['a', 'b', 'c']) void run('interactive', name);
    await expect(run('interactive', 'd')).rejects.toThrow(WaitedTooLong);
    void run('background', 'e');
    await end('a');
    void run('interactive', 'f');
    for (const name of ['b', 'c', 'f', 'e']) await end(name);
    expect(begun).toEqual(['a', 'b', 'c', 'f', 'e']);
  });

  it('hand a place on when work throws, at once or later', async () => {
    const lanes = new Lanes(1);
    const results = await Promise.allSettled([
      lanes.run('interactive', () => {
        throw new Error('at once');
      }),
      lanes.run('background', () => Promise.reject(new Error('later'))),
      lanes.run('background', () => Promise.resolve('fine')),
    ]);
    expect(results.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).message))).toEqual([
      'at once',
      'later',
      'fine',
    ]);
    await lanes.idle();
  });

  it('run everything exactly once and never more than their width at a time, whatever comes', async () => {
    const arrivals = fc.array(
      fc.record({ lane: fc.constantFrom<Lane>('interactive', 'background'), steps: fc.nat(4), fails: fc.boolean() }),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), arrivals, async (width, list) => {
        const lanes = new Lanes(width);
        let under = 0;
        let most = 0;
        const runs = await Promise.allSettled(
          list.map(({ lane, steps, fails }, index) =>
            lanes.run(lane, async () => {
              under += 1;
              most = Math.max(most, under);
              for (let step = 0; step < steps; step += 1) await null;
              under -= 1;
              if (fails) throw new Error('failed');
              return index;
            }),
          ),
        );
        await lanes.idle();
        expect(most).toBeLessThanOrEqual(width);
        expect(runs.map((each) => (each.status === 'fulfilled' ? each.value : null))).toEqual(
          list.map(({ fails }, index) => (fails ? null : index)),
        );
      }),
    );
  });
});

describe('waits', () => {
  it('count each until it is over, however it ends, and tell of each that begins', async () => {
    const waits = new Waits();
    let begun = 0;
    waits.onBegin = () => {
      begun += 1;
    };
    const end = waits.begin();
    const during = [waits.during(Promise.resolve('done')), waits.during(Promise.reject(new Error('failed')))];
    expect([waits.count, begun]).toEqual([3, 3]);
    expect((await Promise.allSettled(during)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    end();
    end();
    expect(waits.count).toBe(0);
  });
});

describe('in turns', () => {
  it('each item is worked on once, a few at a time, from a list as from a stream', async () => {
    const stream = async function* () {
      for (let item = 0; item < 20; item += 1) yield item;
    };
    for (const items of [Array.from({ length: 20 }, (_, index) => index), stream()]) {
      const done: number[] = [];
      let under = 0;
      let most = 0;
      await inTurns(items, 3, async (item) => {
        under += 1;
        most = Math.max(most, under);
        await new Promise(setImmediate);
        done.push(item);
        under -= 1;
      });
      expect([most, done.sort((a, b) => a - b)]).toEqual([3, Array.from({ length: 20 }, (_, index) => index)]);
    }
  });

  it('the first failure ends the taking, waits for what is under way, and is what is thrown', async () => {
    const done: number[] = [];
    const work = inTurns([0, 1, 2, 3, 4, 5], 2, async (item) => {
      if (item === 1) throw new Error('one');
      await new Promise(setImmediate);
      done.push(item);
    });
    await expect(work).rejects.toThrow('one');
    expect(done).toEqual([0]);
  });
});
