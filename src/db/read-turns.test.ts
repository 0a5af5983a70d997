import { performance } from 'node:perf_hooks';
import { ReadTurns } from './read-turns';

const during = (milliseconds: number): void => {
  for (const until = performance.now() + milliseconds; performance.now() < until; ) Math.sqrt(2);
};
/** A read as the embedded database makes it: at once, and nothing else happens meanwhile. */
const read = (milliseconds: number) => () => {
  during(milliseconds);
  return Promise.resolve(milliseconds);
};

/** How often somebody else was heard until all of it was done. */
const heardDuring = async (work: Promise<unknown>): Promise<number> => {
  let heard = 0;
  let isDone = false;
  const listen = (): void => {
    if (isDone) return;
    heard += 1;
    setImmediate(listen);
  };
  setImmediate(listen);
  await work;
  isDone = true;
  return heard;
};

test('reads that take long together let others be heard between them, and all end', async () => {
  const turns = new ReadTurns();
  const all = Promise.all(Array.from({ length: 50 }, () => turns.run(read(5))));
  expect(await heardDuring(all)).toBeGreaterThanOrEqual(8);
  expect(await all).toHaveLength(50);
});

test('one after another too', async () => {
  const turns = new ReadTurns();
  const work = (async () => {
    for (let count = 0; count < 50; count += 1) await turns.run(read(5));
  })();
  expect(await heardDuring(work)).toBeGreaterThanOrEqual(8);
});

test('reads that are done soon share a turn, as what gathers them for one statement expects', async () => {
  const turns = new ReadTurns();
  const heard = heardDuring(Promise.all(Array.from({ length: 50 }, () => turns.run(read(0)))));
  expect(await heard).toBe(0);
});

test('a read that fails stops none of the others', async () => {
  const turns = new ReadTurns();
  const failing = turns.run(async () => {
    during(30);
    throw new Error('failed');
  });
  const after = turns.run(read(1));
  await expect(failing).rejects.toThrow('failed');
  expect(await after).toBe(1);
});
