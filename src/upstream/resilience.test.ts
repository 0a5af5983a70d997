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

test('both kinds of call share one entrance', async () => {
  const resilience = new Resilience('shop', { retries: 0, concurrency: 1 });
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const first = resilience.call(() => held);
  const waiting = Array.from({ length: 8 }, () => resilience.once(() => Promise.resolve('let in')));
  expect(await whyOf(resilience.once(() => Promise.resolve()))).toBe('refused');
  letGo();
  await first;
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['let in']));
});
