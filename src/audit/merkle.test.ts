import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  compactRange,
  consistencyPath,
  coverOf,
  emptyRoot,
  Frontier,
  inclusionPath,
  leafHash,
  type NodeAt,
  nodeHash,
  rootFromInclusion,
  verifyConsistency,
  verifyInclusion,
} from './merkle';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The definition of RFC 9162, 2.1.1, written down once more and as slowly as it reads. */
const slowRoot = (leaves: readonly Buffer[]): Buffer => {
  if (leaves.length === 0) return emptyRoot;
  if (leaves.length === 1) return leaves[0] as Buffer;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(slowRoot(leaves.slice(0, split)), slowRoot(leaves.slice(split)));
};

const leavesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));

/** A store as a writer has it: complete subtrees only, each told once by the frontier. */
const storeOf = (leaves: readonly Buffer[]): NodeAt => {
  const nodes = new Map<string, Buffer>();
  const frontier = new Frontier();
  for (const leaf of leaves)
    frontier.append(leaf, (level, index, hash) => {
      const place = `${level}/${index}`;
      if (nodes.has(place)) throw new Error(`${place} is told twice`);
      nodes.set(place, hash);
    });
  return (level, index) => {
    const hash = nodes.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`${level}/${index} isn't complete`);
    return hash;
  };
};

const frontierOf = (leaves: readonly Buffer[]): Frontier => {
  const frontier = new Frontier();
  for (const leaf of leaves) frontier.append(leaf);
  return frontier;
};

/** What the public test data of RFC 6962 implementations has as leaves, and the roots of their first n. */
const knownLeaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (text) => leafHash(Buffer.from(text, 'hex')),
);
const knownRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const flipped = (hash: Uint8Array, bit: number): Buffer => {
  const copy = Buffer.from(hash);
  const byte = Math.floor(bit / 8) % copy.length;
  copy[byte] = (copy[byte] as number) ^ (1 << (bit % 8));
  return copy;
};

/** Every way in which a proof may be off by one: a flipped bit, one hash less, one more, two in the wrong order. */
const spoiled = (path: readonly Buffer[], bit: number): Buffer[][] => [
  ...path.map((hash, at) => path.with(at, flipped(hash, bit))),
  ...path.map((_, at) => path.toSpliced(at, 1)),
  ...[...path, emptyRoot].map((_, at) => path.toSpliced(at, 0, emptyRoot)),
  ...path.slice(1).map((hash, at) => path.with(at, hash).with(at + 1, path[at] as Buffer)),
  ...path.map((hash, at) => path.with(at, hash.subarray(1))),
];

const sizeAndLess = fc.integer({ min: 1, max: 130 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));
const bit = fc.nat(255);

describe('hashes of RFC 6962', () => {
  test('have their own mark for leaves and for nodes', () => {
    expect(hex(leafHash(Buffer.from('L123456')))).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
    expect(hex(nodeHash(Buffer.from('N123'), Buffer.from('N456')))).toBe(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    );
  });
});

describe('a frontier', () => {
  test('has the known roots', () => {
    expect(Array.from(knownRoots, (_, size) => hex(frontierOf(knownLeaves.slice(0, size)).root()))).toEqual(knownRoots);
  });

  test('has the root that the definition says, at every size', () => {
    const leaves = leavesOf(140);
    const frontier = new Frontier();
    leaves.forEach((leaf, index) => {
      frontier.append(leaf);
      expect(hex(frontier.root())).toBe(hex(slowRoot(leaves.slice(0, index + 1))));
    });
  });

  test('goes on from its right edge as if it had never stopped', () => {
    fc.assert(
      fc.property(sizeAndLess, ([size, stop]) => {
        const leaves = leavesOf(size);
        const stopped = frontierOf(leaves.slice(0, stop));
        const resumed = Frontier.restore(stop, stopped.rightEdge());
        expect(hex(resumed.root())).toBe(hex(stopped.root()));
        for (const leaf of leaves.slice(stop)) resumed.append(leaf);
        expect([resumed.size, hex(resumed.root())]).toEqual([size, hex(slowRoot(leaves))]);
        expect(resumed.rightEdge().map(hex)).toEqual(frontierOf(leaves).rightEdge().map(hex));
      }),
    );
  });

  test.each<[string, number, Buffer[]]>([
    ['too few hashes', 3, [emptyRoot]],
    ['too many hashes', 2, [emptyRoot, emptyRoot]],
    ['a hash of another length', 1, [Buffer.alloc(31)]],
    ['a size that is no count', 1.5, [emptyRoot]],
    ['a negative size', -1, []],
  ])('isn’t restored from %s', (_name, size, edge) => {
    expect(() => Frontier.restore(size, edge)).toThrow(RangeError);
  });

  test('takes a complete subtree only where one may begin', () => {
    expect(() => frontierOf(leavesOf(1)).appendSubtree(1, emptyRoot)).toThrow(RangeError);
  });

  test('counts beyond 32 bits', () => {
    const size = 2 ** 40;
    const frontier = Frontier.restore(size, [emptyRoot]);
    frontier.append(knownLeaves[0] as Buffer);
    expect(frontier.size).toBe(size + 1);
    expect(hex(frontier.root())).toBe(hex(nodeHash(emptyRoot, knownLeaves[0] as Buffer)));
  });
});

describe('a compact range', () => {
  test('with the leaves between its two sides makes up the root, however the tree is cut', async () => {
    await fc.assert(
      fc.asyncProperty(sizeAndLess, fc.nat(130), async ([size, from], length) => {
        const to = Math.min(size, from + length);
        const leaves = leavesOf(size);
        const nodeAt = storeOf(leaves);
        const frontier = Frontier.restore(from, await compactRange(0, from, nodeAt));
        for (const leaf of leaves.slice(from, to)) frontier.append(leaf);
        const right = await compactRange(to, size, nodeAt);
        coverOf(to, size).forEach(({ level }, at) => {
          frontier.appendSubtree(level, right[at] as Buffer);
        });
        expect([frontier.size, hex(frontier.root())]).toEqual([size, hex(slowRoot(leaves))]);
        expect(right.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(size + 1)));
      }),
    );
  });
});

describe('a proof of inclusion', () => {
  test('verifies for every leaf of every tree, and no other one does', async () => {
    await fc.assert(
      fc.asyncProperty(sizeAndLess, bit, async ([size, index], at) => {
        const leaves = leavesOf(size);
        const root = slowRoot(leaves);
        const leaf = leaves[index] as Buffer;
        const path = await inclusionPath(size, index, storeOf(leaves));
        expect(verifyInclusion(size, index, leaf, path, root)).toBe(true);
        expect(hex(rootFromInclusion(size, index, leaf, path) as Uint8Array)).toBe(hex(root));
        expect(verifyInclusion(size, index, flipped(leaf, at), path, root)).toBe(false);
        expect(verifyInclusion(size, index, leaf, path, flipped(root, at))).toBe(false);
        for (const wrong of spoiled(path, at)) expect(verifyInclusion(size, index, leaf, wrong, root)).toBe(false);
        for (let other = 0; other < size; other += 1)
          expect(verifyInclusion(size, other, leaf, path, root)).toBe(other === index);
      }),
    );
  });

  test.each([
    [0, 0],
    [1, 1],
    [4, 5],
    [4, -1],
    [4, 0.5],
    [Number.NaN, 0],
    [4, 2 ** 64],
  ])('isn’t made or believed in a tree of %s leaves at %s', async (size, index) => {
    await expect(inclusionPath(size, index, storeOf(knownLeaves))).rejects.toThrow(RangeError);
    expect(rootFromInclusion(size, index, emptyRoot, [])).toBeUndefined();
  });
});

test('a proof of inclusion is believed of hashes only', () => {
  const nothing = Buffer.alloc(0);
  expect(verifyInclusion(1, 0, nothing, [], nothing)).toBe(false);
  expect(verifyInclusion(1, 0, emptyRoot, [], emptyRoot)).toBe(true);
});

describe('a proof of consistency', () => {
  test('verifies between any two sizes, and no other one does', async () => {
    await fc.assert(
      fc.asyncProperty(sizeAndLess, bit, async ([to, less], at) => {
        const from = less + 1;
        const leaves = leavesOf(to);
        const [older, newer] = [slowRoot(leaves.slice(0, from)), slowRoot(leaves)];
        const path = await consistencyPath(from, to, storeOf(leaves));
        expect(verifyConsistency(from, to, older, newer, path)).toBe(true);
        expect(verifyConsistency(from, to, flipped(older, at), newer, path)).toBe(false);
        expect(verifyConsistency(from, to, older, flipped(newer, at), path)).toBe(false);
        for (const wrong of spoiled(path, at)) expect(verifyConsistency(from, to, older, newer, wrong)).toBe(false);
      }),
    );
  });

  test('can’t be had for a tree in which an old leaf is another', async () => {
    await fc.assert(
      fc.asyncProperty(sizeAndLess, fc.nat(), bit, async ([to, less], which, at) => {
        const from = less + 1;
        const leaves = leavesOf(to);
        const changed = leaves.with(which % from, flipped(leaves[which % from] as Buffer, at));
        const path = await consistencyPath(from, to, storeOf(changed));
        expect(verifyConsistency(from, to, slowRoot(leaves.slice(0, from)), slowRoot(changed), path)).toBe(false);
      }),
    );
  });

  test.each([
    [0, 4],
    [0, 0],
    [5, 4],
    [-1, 4],
    [1.5, 4],
    [1, 2 ** 64],
  ])('isn’t made or believed from %s to %s', async (from, to) => {
    await expect(consistencyPath(from, to, storeOf(knownLeaves))).rejects.toThrow(RangeError);
    expect(verifyConsistency(from, to, emptyRoot, emptyRoot, [])).toBe(false);
  });
});

const published = join(__dirname, '../../../shared/vectors/merkle-rfc6962.json');
interface InclusionVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
  readonly file: string;
}
interface ConsistencyVector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
  readonly file: string;
}
if (existsSync(published)) {
  const vectors = JSON.parse(readFileSync(published, 'utf8')) as {
    inclusion: readonly InclusionVector[];
    consistency: readonly ConsistencyVector[];
    subtreeinclusion: readonly (Omit<InclusionVector, 'treeSize'> & { readonly start: number; readonly end: number })[];
    subtreeconsistency: readonly (Omit<ConsistencyVector, 'size1' | 'size2'> & {
      readonly start: number;
      readonly end: number;
      readonly size: number;
    })[];
    node_hashes_hex: readonly (readonly string[])[];
  };
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

  describe('the published vectors', () => {
    test.each(vectors.inclusion.map((vector) => [vector.file, vector] as const))('%s', (_file, vector) => {
      const { leafIdx, treeSize, leafHash: leaf, root, proof, wantErr } = vector;
      expect(verifyInclusion(treeSize, leafIdx, bytes(leaf), (proof ?? []).map(bytes), bytes(root))).toBe(!wantErr);
    });

    test.each(vectors.consistency.map((vector) => [vector.file, vector] as const))('%s', (_file, vector) => {
      const { size1, size2, root1, root2, proof, wantErr } = vector;
      expect(verifyConsistency(size1, size2, bytes(root1), bytes(root2), (proof ?? []).map(bytes))).toBe(!wantErr);
    });

    // A subtree begins at a multiple of the least power of two that holds it; within it, it is a tree like any other.
    const isSubtree = (start: number, end: number): boolean => {
      let width = 1;
      while (width < end - start) width *= 2;
      return start < end && start % width === 0;
    };

    test.each(vectors.subtreeinclusion.map((vector) => [vector.file, vector] as const))('%s', (_file, vector) => {
      const { start, end, leafIdx, leafHash: leaf, root, proof, wantErr } = vector;
      const shown =
        isSubtree(start, end) &&
        verifyInclusion(end - start, leafIdx - start, bytes(leaf), (proof ?? []).map(bytes), bytes(root));
      expect(shown).toBe(!wantErr);
    });

    // Those from the first leaf on are older trees; an empty one, which has one root, says nothing of the newer.
    test.each(vectors.subtreeconsistency.map((vector) => [vector.file, vector] as const))('%s', (_file, vector) => {
      const { start, end, size, root1, root2, proof, wantErr } = vector;
      const path = (proof ?? []).map(bytes);
      const shown =
        start === end
          ? end <= size && path.length === 0 && bytes(root1).equals(emptyRoot)
          : start === 0 && verifyConsistency(end, size, bytes(root1), bytes(root2), path);
      expect(shown).toBe(!wantErr);
    });

    test('have the nodes that a frontier tells', async () => {
      const nodeAt = storeOf(knownLeaves);
      const told = await Promise.all(
        vectors.node_hashes_hex.map(async (row, level) =>
          Promise.all(row.map(async (_, index) => hex(await nodeAt(level, index)))),
        ),
      );
      expect(told).toEqual(vectors.node_hashes_hex);
    });
  });
}
