import { Resilience } from './resilience';
import { SourceUnavailable } from './source-unavailable';

const fault = () => Promise.reject(new SourceUnavailable('shop', 'fault'));
const whyOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error as SourceUnavailable).why,
  );

test('what is called once is not tried over, and what is called otherwise is', async () => {
  const resilience = new Resilience('shop', { retries: 2 });
  let calls = 0;
  const failing = () => {
    calls += 1;
    return fault();
  };
  expect(await whyOf(resilience.once(failing))).toBe('fault');
  expect(calls).toBe(1);
  expect(await whyOf(resilience.call(failing))).toBe('fault');
  expect(calls).toBe(4);
});

test('both kinds of call share one circuit: what fails for one is closed to the other', async () => {
  const resilience = new Resilience('shop', { retries: 0, breakAfter: 2, breakFor: 60_000 });
  expect([await whyOf(resilience.once(fault)), await whyOf(resilience.call(fault))]).toEqual(['fault', 'fault']);
  const untouched = jest.fn(() => Promise.resolve());
  expect([await whyOf(resilience.once(untouched)), await whyOf(resilience.call(untouched))]).toEqual([
    'circuit-open',
    'circuit-open',
  ]);
  expect(untouched).not.toHaveBeenCalled();
});

/** A source whose calls are answered when the test says so. */
const heldSource = () => {
  const answers: (() => void)[] = [];
  const held = () => new Promise<string>((resolve) => answers.push(() => resolve('answered')));
  return { answers, held };
};

describe('more calls than a source takes at once', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
  afterEach(() => jest.useRealTimers());
  const settle = () => new Promise(setImmediate);

  test('wait for their turn, however many they are, whichever kind they are', async () => {
    const resilience = new Resilience('shop', { retries: 0, concurrency: 1 });
    const { answers, held } = heldSource();
    const first = resilience.call(held);
    const waiting = Array.from({ length: 200 }, (_, index) =>
      index % 2 === 0
        ? resilience.once(() => Promise.resolve('let in'))
        : resilience.call(() => Promise.resolve('let in'), 'background'),
    );
    await settle();
    answers[0]?.();
    expect(await first).toBe('answered');
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['let in']));
  });

  test('are let in as people before backfills', async () => {
    const resilience = new Resilience('shop', { retries: 0, concurrency: 1 });
    const { answers, held } = heldSource();
    const order: string[] = [];
    const first = resilience.call(held);
    const background = resilience.call(async () => void order.push('backfill'), 'background');
    const interactive = resilience.call(async () => void order.push('person'));
    await settle();
    answers[0]?.();
    await Promise.all([first, background, interactive]);
    expect(order).toEqual(['person', 'backfill']);
  });

  test('are overloaded once they waited too long while the source answered, and are not tried over', async () => {
    const resilience = new Resilience('shop', { retries: 2, concurrency: 1, attemptTimeout: 1_000 });
    const order: string[] = [];
    // Each answer takes nearly all the time of an attempt, so that nothing fails and nothing opens.
    const slow = (name: string) => () =>
      new Promise<void>((resolve) =>
        setTimeout(() => {
          order.push(name);
          resolve();
        }, 900),
      );
    const before = ['a', 'b', 'c', 'd', 'e'].map((name) => resilience.call(slow(name)));
    const late = whyOf(resilience.call(slow('late')));
    for (let step = 0; step < 60; step += 1) {
      await jest.advanceTimersByTimeAsync(100);
      await settle();
    }
    await Promise.all(before);
    expect([await late, order]).toEqual(['overloaded', ['a', 'b', 'c', 'd', 'e']]);
  });

  test('are never overloaded by a source that hangs: its circuit opens first', async () => {
    const resilience = new Resilience('shop', { concurrency: 8 });
    const never = () => new Promise<void>(() => undefined);
    const whys = Promise.all(Array.from({ length: 120 }, () => whyOf(resilience.call(never))));
    for (let step = 0; step < 130; step += 1) {
      await jest.advanceTimersByTimeAsync(100);
      await settle();
    }
    expect(new Set(await whys)).toEqual(new Set(['circuit-open']));
  });
});
