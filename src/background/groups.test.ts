import { Groups } from './groups';

/** Groups whose commits a test ends. */
const held = (options: { readonly size?: number; readonly most?: number; readonly patience?: number } = {}) => {
  const commits: { readonly items: readonly number[]; readonly end: (error?: unknown) => void }[] = [];
  const groups = new Groups<number, string>({
    size: 3,
    most: 5,
    patience: 60_000,
    ...options,
    refusal: (fault) => new Error(fault === undefined ? 'not committed' : `failed: ${(fault as Error).message}`),
    commit: (items) =>
      new Promise((resolve, reject) => {
        const results = items.map((item) => () => {
          if (item < 0) throw new Error(`${item} is refused`);
          return `committed ${item}`;
        });
        commits.push({ items, end: (error) => (error === undefined ? resolve(results) : reject(error)) });
      }),
  });
  return { groups, commits };
};
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('what is committed by the group', () => {
  test('gathers while one is under way, no more of them than a group has', async () => {
    const { groups, commits } = held();
    const all = [1, 2].map((item) => groups.add(item));
    await turn();
    all.push(...[3, 4, 5, 6].map((item) => groups.add(item)));
    commits[0]?.end();
    await turn();
    commits[1]?.end();
    await turn();
    commits[2]?.end();
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5, 6].map((item) => `committed ${item}`));
    expect(commits.map(({ items }) => items)).toEqual([[1, 2], [3, 4, 5], [6]]);
    await groups.idle();
  });

  test('is refused for itself where it is', async () => {
    const { groups, commits } = held();
    const all = [1, -2, 3].map((item) => groups.add(item).catch((error: Error) => error.message));
    await turn();
    commits[0]?.end();
    expect(await Promise.all(all)).toEqual(['committed 1', '-2 is refused', 'committed 3']);
  });

  test('fails together where the commit does, and the next one is tried all the same', async () => {
    const { groups, commits } = held();
    const all = [1, 2].map((item) => groups.add(item).catch((error: Error) => error.message));
    await turn();
    commits[0]?.end(new Error('the disk is full'));
    expect(await Promise.all(all)).toEqual(['failed: the disk is full', 'failed: the disk is full']);
    const next = groups.add(3);
    await turn();
    commits[1]?.end();
    expect(await next).toBe('committed 3');
  });

  test('is refused at once where too many wait, and later where it waited too long', async () => {
    const { groups, commits } = held({ most: 2, patience: -1 });
    const all = [1, 2, 3].map((item) => groups.add(item).catch((error: Error) => error.message));
    expect(await all[2]).toBe('not committed');
    expect(await Promise.all(all)).toEqual(['not committed', 'not committed', 'not committed']);
    expect(commits).toEqual([]);
  });
});
