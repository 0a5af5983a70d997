import { nodeHash } from '../audit/merkle';
import { isDigest } from '../audit/shapes';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { auditLeaves, auditNodes } from './audit-tree.entity';

/** A stored hash is missing or isn't one: what is stored is not the tree that was built. */
export class TreeBroken extends Error {
  constructor(
    readonly level: number,
    readonly index: number,
  ) {
    super(`The stored tree has no hash of level ${level} at ${index}.`);
    this.name = 'TreeBroken';
  }
}

/** Levels between two that are stored. A tile is what one stored node is computed from: 2^8 hashes of the stored level below. */
export const tileHeight = 8;
export const tileWidth = 2 ** tileHeight;

const leafHashes = select({ position: auditLeaves.leafIndex, hash: auditLeaves.leafHash }, sql`FROM ${auditLeaves}`);
const nodeHashes = select({ position: auditNodes.nodeIndex, hash: auditNodes.hash }, sql`FROM ${auditNodes}`);

/** Hashes of one stored level (0 are the leaves) from `start` up to the first gap, or `end`. Throws `TreeBroken` for what is no hash. */
export const storedHashes = async (reads: Reads, level: number, start: number, end: number): Promise<Buffer[]> => {
  const { leafIndex } = auditLeaves;
  const { nodeIndex } = auditNodes;
  const rows =
    level === 0
      ? await reads.read(leafHashes, sql`WHERE ${leafIndex} >= ${start} AND ${leafIndex} < ${end} ORDER BY ${leafIndex}`)
      : await reads.read(
          nodeHashes,
          sql`WHERE ${auditNodes.level} = ${level} AND ${nodeIndex} >= ${start} AND ${nodeIndex} < ${end} ORDER BY ${nodeIndex}`,
        );
  const hashes: Buffer[] = [];
  for (const { position, hash } of rows) {
    const index = start + hashes.length;
    if (position !== index) break;
    if (!isDigest(hash)) throw new TreeBroken(level, index);
    hashes.push(Buffer.from(hash, 'hex'));
  }
  return hashes;
};

/** The levels above a tile's hashes, complete nodes only: the last has one hash where the tile is full. */
export const levelsOf = (hashes: readonly Buffer[]): Buffer[][] => {
  const levels: Buffer[][] = [[...hashes]];
  for (let below = levels[0] as Buffer[]; below.length > 1; below = levels.at(-1) as Buffer[]) {
    const above: Buffer[] = [];
    for (let index = 0; index + 1 < below.length; index += 2)
      above.push(nodeHash(below[index] as Buffer, below[index + 1] as Buffer));
    levels.push(above);
  }
  return levels;
};

/**
 * The tree as it is stored, for one proof or one root: every 8th level is in the database, what lies between is computed.
 * A proof among 10^6 leaves reads three ranges of 256 rows at most. Keeps what it read, so it isn't for longer than that.
 */
export class StoredTree {
  private readonly tiles = new Map<string, Promise<Buffer[][]>>();

  constructor(private readonly reads: Reads) {}

  /** The root of the complete subtree over leaves [index·2^level, (index+1)·2^level). Throws `TreeBroken`. */
  readonly nodeAt = async (level: number, index: number): Promise<Buffer> => {
    const within = level % tileHeight;
    const stored = level - within;
    const tile = Math.floor((index * 2 ** within) / tileWidth);
    const levels = await this.tile(stored, tile);
    const hash = levels[within]?.[index - (tile * tileWidth) / 2 ** within];
    if (!hash) throw new TreeBroken(level, index);
    return hash;
  };

  private tile(level: number, tile: number): Promise<Buffer[][]> {
    const key = `${level}/${tile}`;
    let loading = this.tiles.get(key);
    if (!loading) {
      loading = storedHashes(this.reads, level, tile * tileWidth, (tile + 1) * tileWidth).then(levelsOf);
      this.tiles.set(key, loading);
    }
    return loading;
  }
}
