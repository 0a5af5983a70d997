import fc from 'fast-check';
import { Failure } from '../failure';
import { Waits } from '../lanes';
import { Door } from './door';

/** Requests that end when the test says so. */
const requestsAt = (door: Door) => {
  const begun: string[] = [];
  const told = new Map<string, unknown>();
  const ends = new Map<string, () => void>();
  const come = (name: string, who = name, part = 1): void => {
    const work = () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    };
    door.run(who, work, part).then(
      () => told.set(name, 'answered'),
      (error: unknown) => told.set(name, error),
    );
  };
  const settle = () => new Promise(setImmediate);
  const end = async (...names: string[]) => {
    for (const name of names) ends.get(name)?.();
    await settle();
  };
  return { begun, told, come, end, settle };
};
const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
const codesOf = (told: ReadonlyMap<string, unknown>) =>
  Object.fromEntries([...told].map(([name, what]) => [name, what instanceof Failure ? what.code : what]));
/** As busy as it should be: the number of places stays. */
const asItShouldBe = () => 0.95;

describe('the door', () => {
  it('lets sixteen in at first, and the rest in their order as places become free', async () => {
    const { begun, come, end, settle } = requestsAt(new Door({ most: 20, utilization: asItShouldBe }));
    for (const name of named('r', 19)) come(name);
    await settle();
    expect(begun).toEqual(named('r', 16));
    await end('r3');
    await end('r0', 'r1');
    expect(begun).toEqual(named('r', 19));
  });

  it('lets in who has fewest under way before who has more, however long these wait', async () => {
    const { begun, come, end, settle } = requestsAt(new Door({ most: 20, utilization: asItShouldBe }));
    for (const name of named('crowd', 40)) come(name, 'crowd');
    come('other 1', 'other');
    come('third', 'third');
    come('other 2', 'other');
    await settle();
    await end('crowd0');
    await end('crowd1');
    await end('crowd2');
    expect(begun.slice(16)).toEqual(['other 1', 'third', 'other 2']);
  });

  it('sends away whoever has waited longest once more wait than may, at once and with nothing begun, and serves the last to come', async () => {
    const door = new Door({ most: 20, utilization: asItShouldBe });
    const { begun, told, come, end, settle } = requestsAt(door);
    for (const name of named('r', 16 + 64)) come(name);
    await settle();
    expect([told.size, door.isCrowded]).toEqual([0, false]);
    come('late');
    await settle();
    expect(codesOf(told)).toEqual({ r16: 'OVERLOADED' });
    expect([(told.get('r16') as Failure).details.retryAfter, begun.includes('r16')]).toEqual([expect.any(Number), false]);
    // From then on few may wait: each that comes takes the places of two.
    come('later');
    await settle();
    expect(codesOf(told)).toEqual({ r16: 'OVERLOADED', r17: 'OVERLOADED', r18: 'OVERLOADED' });
    await end('r0');
    await end('r1');
    expect(begun.slice(16)).toEqual(['later', 'late']);
    expect(door.state).toEqual({ limit: 16, inside: 16, waiting: 61, entered: 18, sentAway: 3 });
  });

  it('sends away those of the one who has most, and nobody else', async () => {
    const { told, come, settle } = requestsAt(new Door({ most: 20, utilization: asItShouldBe }));
    for (const name of named('one ', 24)) come(name);
    for (const name of named('crowd ', 100)) come(name, 'crowd');
    for (const name of named('another ', 2)) come(name);
    await settle();
    expect([...told.keys()].filter((name) => !name.startsWith('crowd'))).toEqual([]);
    expect(told.size).toBeGreaterThan(48);
  });

  it('keeps all that a service may ask at once waiting beside a desk that comes at once, and lets its people in first', async () => {
    const door = new Door({ most: 20, utilization: asItShouldBe });
    const { begun, told, come, end, settle } = requestsAt(door);
    for (const name of named('pipeline ', 64)) come(name, 'pipeline', 1 / 64);
    for (const name of named('agent ', 60)) come(name);
    await settle();
    expect([told.size, door.state.waiting, begun.length]).toEqual([0, 48 + 60, 16]);
    await end('pipeline 0', 'pipeline 1');
    expect(begun.slice(16)).toEqual(['agent 0', 'agent 1']);
    // More people than may wait have those sent away that came first, and hardly anything of the service.
    for (const name of named('late ', 30)) come(name);
    await settle();
    const sent = [...told.keys()].filter((name) => told.get(name) !== 'answered');
    expect(sent.filter((name) => name.startsWith('pipeline')).length).toBeLessThanOrEqual(8);
    expect(sent.filter((name) => name.startsWith('agent')).length).toBeGreaterThan(30);
    expect(door.state.waiting).toBeLessThanOrEqual(64 + 48);
  });

  it('serves all of a burst that nobody follows, however long that takes', async () => {
    const { begun, told, come, end, settle } = requestsAt(new Door({ most: 20, utilization: asItShouldBe }));
    for (const name of named('r', 80)) come(name);
    await settle();
    for (let at = 0; at < 80; at += 1) await end(begun[at] as string);
    expect([begun.length, new Set(told.values())]).toEqual([80, new Set(['answered'])]);
  });

  it('sends away who has waited for five seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const { told, come, end, settle } = requestsAt(new Door({ most: 20, utilization: asItShouldBe }));
      for (const name of named('r', 17)) come(name);
      jest.advanceTimersByTime(1_000);
      come('patient');
      jest.advanceTimersByTime(4_250);
      await settle();
      expect(codesOf(told)).toEqual({ r16: 'OVERLOADED' });
      await end('r0');
      expect(codesOf(told)).toEqual({ r16: 'OVERLOADED', r0: 'answered' });
      await end('patient');
      expect(told.get('patient')).toBe('answered');
    } finally {
      jest.useRealTimers();
    }
  });

  it('gives the places of those that wait for something else to others', async () => {
    const waits = new Waits();
    const { begun, come, end, settle } = requestsAt(new Door({ most: 20, waits, utilization: asItShouldBe }));
    for (const name of named('r', 28)) come(name);
    const over = [waits.begin(), waits.begin(), waits.begin()];
    await settle();
    expect(begun).toEqual(named('r', 19));
    // Back from there they go on: nobody else is let in until there are fewer again.
    for (const each of over) each();
    await end('r0', 'r1', 'r2');
    expect(begun).toHaveLength(19);
    await end('r3');
    expect(begun).toEqual(named('r', 20));
  });

  it('lets more in while the process has time to spare and somebody waits, and fewer while it has none and some are sent away', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      let utilization = 0.5;
      const door = new Door({ most: 20, utilization: () => utilization });
      const { come, settle } = requestsAt(door);
      for (const name of named('r', 80)) come(name);
      jest.advanceTimersByTime(1_500);
      await settle();
      expect(door.state).toMatchObject({ limit: 20, inside: 20, sentAway: 0 });
      utilization = 1;
      jest.advanceTimersByTime(1_000);
      expect(door.state.limit).toBe(20);
      for (let look = 0; look < 16; look += 1) {
        for (const name of named(`late ${look} `, 8)) come(name);
        jest.advanceTimersByTime(250);
      }
      await settle();
      expect(door.state.limit).toBe(6);
      // Once nobody is sent away any more, as many as at first.
      jest.advanceTimersByTime(4_000);
      expect(door.state.limit).toBe(16);
    } finally {
      jest.useRealTimers();
    }
  });

  it('goes back to sixteen where requests take much longer than those that are almost alone', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const door = new Door({ most: 20, utilization: () => 0.5 });
      const { begun, come, end, settle } = requestsAt(door);
      come('alone');
      jest.advanceTimersByTime(10);
      await end('alone');
      for (const name of named('r', 70)) come(name);
      jest.advanceTimersByTime(1_500);
      await settle();
      expect(door.state.limit).toBe(20);
      // Each of them took a second and a half.
      await end(...begun.slice(1, 21));
      jest.advanceTimersByTime(2_000);
      expect(door.state.limit).toBe(16);
    } finally {
      jest.useRealTimers();
    }
  });

  it('hands a place on when work throws, at once or later', async () => {
    const door = new Door({ most: 20, utilization: asItShouldBe });
    const runs = await Promise.allSettled(
      named('r', 30).map((who, at) =>
        door.run(who, () => {
          if (at % 3 === 0) throw new Error('at once');
          return at % 3 === 1 ? Promise.reject(new Error('later')) : Promise.resolve('fine');
        }),
      ),
    );
    expect(runs.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(door.state).toMatchObject({ inside: 0, waiting: 0, entered: 30 });
  });

  it('answers everybody once, with at most as many inside as may be, whatever comes', async () => {
    const arrivals = fc.array(fc.record({ who: fc.nat(5), steps: fc.nat(6), pause: fc.boolean() }), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(arrivals, async (list) => {
        const door = new Door({ most: 20, utilization: asItShouldBe });
        let inside = 0;
        let most = 0;
        const runs: Promise<unknown>[] = [];
        for (const { who, steps, pause } of list) {
          if (pause) await null;
          const work = async () => {
            inside += 1;
            most = Math.max(most, inside);
            for (let step = 0; step < steps; step += 1) await null;
            inside -= 1;
          };
          runs.push(door.run(`${who}`, work));
        }
        const settled = await Promise.allSettled(runs);
        const refused = settled.filter(({ status }) => status === 'rejected').length;
        expect(most).toBeLessThanOrEqual(16);
        expect(door.state).toEqual({ limit: 16, inside: 0, waiting: 0, entered: list.length - refused, sentAway: refused });
      }),
      { numRuns: 50 },
    );
  });
});
