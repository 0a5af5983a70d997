import { compactRange, Frontier, inclusionPath, leafHash, nodeHash, verifyInclusion } from '../audit/merkle';
import { levelsOf, type Query, StoredTree, TreeBroken, tileHeight, tileWidth } from './stored-tree';

/** What the database would hold of a tree of this many leaves, and how many ranges were read from it. */
const stored = (size: number) => {
  const levels = new Map<number, Buffer[]>([
    [0, Array.from({ length: size }, (_, index) => leafHash(Buffer.from(String(index))))],
  ]);
  for (let level = 0; (levels.get(level)?.length ?? 0) >= tileWidth; level += tileHeight) {
    const below = levels.get(level) ?? [];
    const roots: Buffer[] = [];
    for (let start = 0; start + tileWidth <= below.length; start += tileWidth)
      roots.push(levelsOf(below.slice(start, start + tileWidth)).at(-1)?.[0] as Buffer);
    levels.set(level + tileHeight, roots);
  }
  const reads: string[] = [];
  const query = (async (sql: string, [from = 0, to = 0]: readonly number[] = []) => {
    const level = Number(/level = (\d+)/.exec(sql)?.[1] ?? 0);
    reads.push(`${level}:${from}`);
    return (levels.get(level) ?? [])
      .slice(from, to)
      .map((hash, offset) => ({ position: from + offset, hash: hash.toString('hex') }));
  }) as unknown as Query;
  return { levels, query, reads };
};

const rootOf = async (tree: StoredTree, size: number) =>
  (await compactRange(0, size, tree.nodeAt)).reduceRight((right, left) => nodeHash(left, right));

describe('the stored tree', () => {
  const size = 2 * tileWidth ** 2 + 3 * tileWidth + 5;
  const big = stored(size);

  it.each([1, 2, 255, 256, 257, 65_535, 65_536, 65_537, size])('has the root of its first %s leaves', async (leaves) => {
    const frontier = new Frontier();
    for (const leaf of (big.levels.get(0) ?? []).slice(0, leaves)) frontier.append(leaf);
    expect(await rootOf(new StoredTree(big.query), leaves)).toEqual(frontier.root());
  });

  it('proves a leaf among many by few ranges', async () => {
    const root = await rootOf(new StoredTree(big.query), size);
    for (const index of [0, 255, 256, 70_000, 131_071, 131_072, size - 1]) {
      big.reads.length = 0;
      const path = await inclusionPath(size, index, new StoredTree(big.query).nodeAt);
      expect(verifyInclusion(size, index, big.levels.get(0)?.[index] as Buffer, path, root)).toBe(true);
      expect(new Set(big.reads).size).toBe(big.reads.length);
      expect(big.reads.length).toBeLessThanOrEqual(5);
    }
  });

  it('says where a hash is missing or isn’t one', async () => {
    const small = stored(300);
    const without = (async (sql: string, range: readonly number[]) =>
      (await small.query<{ position: number; hash: string }>(sql, range)).filter(({ position }) => position !== 260)) as Query;
    await expect(rootOf(new StoredTree(without), 300)).rejects.toBeInstanceOf(TreeBroken);
    const spoilt = (async (sql: string, range: readonly number[]) =>
      (await small.query<{ position: number; hash: string }>(sql, range)).map((row) => ({ ...row, hash: 'no hash' }))) as Query;
    await expect(rootOf(new StoredTree(spoilt), 300)).rejects.toMatchObject({ level: expect.any(Number) });
  });
});
