import { compactRange, Frontier, inclusionPath, leafHash, nodeHash, verifyInclusion } from '../audit/merkle';
import type { Reads } from '../db/reads';
import type { Sql } from '../db/sql';
import { levelsOf, StoredTree, TreeBroken, tileHeight, tileWidth } from './stored-tree';

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
  const read = async (_: unknown, { values }: Sql) => {
    const [level = 0, from = 0, to = 0] = (values.length === 2 ? [0, ...values] : values) as number[];
    reads.push(`${level}:${from}`);
    return (levels.get(level) ?? [])
      .slice(from, to)
      .map((hash, offset) => ({ position: from + offset, hash: hash.toString('hex') }));
  };
  return { levels, read: read as unknown as Reads['read'], reads };
};

const rootOf = async (tree: StoredTree, size: number) =>
  (await compactRange(0, size, tree.nodeAt)).reduceRight((right, left) => nodeHash(left, right));

describe('the stored tree', () => {
  const size = 2 * tileWidth ** 2 + 3 * tileWidth + 5;
  const big = stored(size);

  it.each([1, 2, 255, 256, 257, 65_535, 65_536, 65_537, size])('has the root of its first %s leaves', async (leaves) => {
    const frontier = new Frontier();
    for (const leaf of (big.levels.get(0) ?? []).slice(0, leaves)) frontier.append(leaf);
    expect(await rootOf(new StoredTree(big), leaves)).toEqual(frontier.root());
  });

  it('proves a leaf among many by few ranges', async () => {
    const root = await rootOf(new StoredTree(big), size);
    for (const index of [0, 255, 256, 70_000, 131_071, 131_072, size - 1]) {
      big.reads.length = 0;
      const path = await inclusionPath(size, index, new StoredTree(big).nodeAt);
      expect(verifyInclusion(size, index, big.levels.get(0)?.[index] as Buffer, path, root)).toBe(true);
      expect(new Set(big.reads).size).toBe(big.reads.length);
      expect(big.reads.length).toBeLessThanOrEqual(5);
    }
  });

  it('says where a hash is missing or isn’t one', async () => {
    const small = stored(300);
    const without: Reads = {
      read: async (selection, rest) =>
        (await small.read(selection, rest)).filter((row) => !('position' in row && row.position === 260)),
    };
    await expect(rootOf(new StoredTree(without), 300)).rejects.toBeInstanceOf(TreeBroken);
    const spoilt: Reads = {
      read: async (selection, rest) => (await small.read(selection, rest)).map((row) => ({ ...row, hash: 'no hash' })),
    };
    await expect(rootOf(new StoredTree(spoilt), 300)).rejects.toMatchObject({ level: expect.any(Number) });
  });
});
