import { hash } from 'node:crypto';
import { isCount } from './shapes';

/**
 * The Merkle tree of RFC 6962, 2.1 (RFC 9162, 2.1): SHA-256, 0x00 before a leaf, 0x01 before the two halves of a node.
 * Sizes and indices are whole numbers up to 2^53 - 1, so they are divided, never shifted: JavaScript shifts 32 bits.
 */
export const hashBytes = 32;

const leafMark = 0x00;
const nodeMark = 0x01;

// One call over joined bytes, answered as text, takes a fraction of the time of a hash object with several updates.
const sha256 = (bytes: Uint8Array): Buffer => Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');

/** Where short inputs are joined, rather than in a new buffer each. */
const scratch = Buffer.alloc(65_536);
const ofNode = scratch.subarray(0, 1 + 2 * hashBytes);

const hashJoined = (mark: number, left: Uint8Array, right?: Uint8Array): Buffer => {
  const length = 1 + left.length + (right?.length ?? 0);
  const short = length === ofNode.length ? ofNode : scratch.subarray(0, length);
  const bytes = length <= scratch.length ? short : Buffer.allocUnsafe(length);
  bytes[0] = mark;
  bytes.set(left, 1);
  if (right) bytes.set(right, 1 + left.length);
  return sha256(bytes);
};

/** The root of a tree without leaves. */
export const emptyRoot = sha256(Buffer.alloc(0));

export const leafHash = (leaf: Uint8Array): Buffer => hashJoined(leafMark, leaf);

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => hashJoined(nodeMark, left, right);

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

/** The greatest power of two that is less than `size`, which is at least 2: where RFC 6962 splits a tree. */
const splitOf = (size: number): number => {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
};

/** Leaves `begin` to `end`, the latter excluded. */
interface Span {
  readonly begin: number;
  readonly end: number;
}

/** A complete subtree: the 2^`level` leaves from `index` * 2^`level` on. Level 0 holds the leaf hashes. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** Where hashes of complete subtrees come from. It is never asked for one that reaches beyond the tree. */
export type NodeAt = (level: number, index: number) => Promise<Buffer> | Buffer;

/** The fewest complete subtrees that make up the leaves from `begin` to `end` (excluded), from left to right. At most 2 log2 of them. */
export const coverOf = (begin: number, end: number): Subtree[] => {
  if (!isCount(begin) || !isCount(end) || begin > end) throw new RangeError('expected whole numbers, begin not beyond end');
  const cover: Subtree[] = [];
  for (let at = begin; at < end; ) {
    let level = 0;
    let leaves = 1;
    while (at % (leaves * 2) === 0 && at + leaves * 2 <= end) {
      level += 1;
      leaves *= 2;
    }
    cover.push({ level, index: at / leaves });
    at += leaves;
  }
  return cover;
};

/** The hashes of `coverOf(begin, end)`: with them the leaves they stand for needn't be known to compute a root. */
export const compactRange = (begin: number, end: number, nodeAt: NodeAt): Promise<Buffer[]> =>
  Promise.all(coverOf(begin, end).map(({ level, index }) => nodeAt(level, index)));

/** MTH of RFC 9162, 2.1.1 over a span that starts where a subtree may: its complete subtrees, joined from the right. */
const spanRoot = async ({ begin, end }: Span, nodeAt: NodeAt): Promise<Buffer> =>
  (await compactRange(begin, end, nodeAt)).reduceRight((right, left) => nodeHash(left, right));

const spanRoots = (spans: readonly Span[], nodeAt: NodeAt): Promise<Buffer[]> =>
  Promise.all(spans.map((span) => spanRoot(span, nodeAt)));

/** PATH of RFC 9162, 2.1.3.1, as spans. */
const inclusionSpans = (index: number, { begin, end }: Span): Span[] => {
  if (end - begin === 1) return [];
  const middle = begin + splitOf(end - begin);
  return index < middle
    ? [...inclusionSpans(index, { begin, end: middle }), { begin: middle, end }]
    : [...inclusionSpans(index, { begin: middle, end }), { begin, end: middle }];
};

/** SUBPROOF of RFC 9162, 2.1.4.1, as spans. `known` while the old tree is one whose root the verifier has. */
const consistencySpans = (from: number, { begin, end }: Span, known: boolean): Span[] => {
  if (from === end) return known ? [] : [{ begin, end }];
  const middle = begin + splitOf(end - begin);
  return from <= middle
    ? [...consistencySpans(from, { begin, end: middle }, known), { begin: middle, end }]
    : [...consistencySpans(from, { begin: middle, end }, false), { begin, end: middle }];
};

/** Proof that leaf `index` is in the tree of `size` leaves (RFC 9162, 2.1.3.1). Throws RangeError unless `index` < `size`. */
export const inclusionPath = async (size: number, index: number, nodeAt: NodeAt): Promise<Buffer[]> => {
  if (!isCount(size) || !isCount(index) || index >= size) throw new RangeError('expected an index below the tree’s size');
  return spanRoots(inclusionSpans(index, { begin: 0, end: size }), nodeAt);
};

/**
 * Proof that the tree of `to` leaves continues that of `from` (RFC 9162, 2.1.4.1); empty for equal sizes. Throws RangeError
 * unless 0 < `from` <= `to`: every tree continues the empty one, and nothing has to show it.
 */
export const consistencyPath = async (from: number, to: number, nodeAt: NodeAt): Promise<Buffer[]> => {
  if (!isCount(from) || !isCount(to) || from < 1 || from > to)
    throw new RangeError('expected sizes of at least 1, the older not above the newer');
  return spanRoots(consistencySpans(from, { begin: 0, end: to }, true), nodeAt);
};

const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every((hash) => hash.length === hashBytes);

const areEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Told of each node on the way from a leaf to the root: on which side the hash of the proof stands, that hash, and what both make. */
export type StepListener = (side: 'left' | 'right', sibling: Uint8Array, node: Uint8Array) => void;

/** The root that a proof leads to (RFC 9162, 2.1.3.2), or undefined where it has the wrong length or shape. */
export const rootFromInclusion = (
  size: number,
  index: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
  onStep?: StepListener,
): Uint8Array | undefined => {
  if (!isCount(size) || !isCount(index) || index >= size || !areHashes([leaf, ...path])) return undefined;
  let fn = index;
  let sn = size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (sn === 0) return undefined;
    if (isOdd(fn) || fn === sn) {
      root = nodeHash(sibling, root);
      onStep?.('left', sibling, root);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      root = nodeHash(root, sibling);
      onStep?.('right', sibling, root);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 ? root : undefined;
};

/** Whether `path` shows that the tree of `size` leaves under `root` has `leaf` (its hash) at `index` (RFC 9162, 2.1.3.2). */
export const verifyInclusion = (
  size: number,
  index: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean => {
  const found = rootFromInclusion(size, index, leaf, path);
  return found !== undefined && areEqual(found, root);
};

/**
 * Whether `path` shows that the tree of `to` leaves under `toRoot` begins with the tree of `from` leaves under `fromRoot`
 * (RFC 9162, 2.1.4.2). Never for `from` = 0: an empty tree says nothing about another.
 */
export const verifyConsistency = (
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
  path: readonly Uint8Array[],
): boolean => {
  if (!isCount(from) || !isCount(to) || from < 1 || from > to || !areHashes(path)) return false;
  if (from === to) return path.length === 0 && areEqual(fromRoot, toRoot);
  let fn = from - 1;
  let sn = to - 1;
  while (isOdd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  // Where the old tree is complete its root is a node of the new one, and the proof leaves it out.
  const [first, ...rest] = fn === 0 ? [fromRoot, ...path] : path;
  if (first === undefined) return false;
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      newer = nodeHash(newer, hash);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && areEqual(older, fromRoot) && areEqual(newer, toRoot);
};

/** Told of each subtree that an append completes, in the order in which they are complete; level 0 is the leaf. */
export type NodeListener = (level: number, index: number, hash: Buffer) => void;

/**
 * The right edge of a growing tree: the complete subtrees that make it up, at most one a level. That is all it takes to append
 * and to say the root, so it never holds more than 53 hashes.
 */
export class Frontier {
  /** By level; a level is filled where the size has that bit. */
  private readonly subtrees: (Buffer | undefined)[] = [];
  private leaves = 0;

  /** `rightEdge` from the left, as `rightEdge()` says it. Throws RangeError where it isn't that of a tree of `size` leaves. */
  static restore(size: number, rightEdge: readonly Buffer[]): Frontier {
    const cover = coverOf(0, size);
    if (rightEdge.length !== cover.length || !areHashes(rightEdge))
      throw new RangeError(`a tree of this size has ${cover.length} hashes of ${hashBytes} bytes on its right edge`);
    const frontier = new Frontier();
    cover.forEach(({ level }, position) => {
      frontier.appendSubtree(level, rightEdge[position] as Buffer);
    });
    return frontier;
  }

  get size(): number {
    return this.leaves;
  }

  append(leaf: Buffer, onNode?: NodeListener): void {
    this.appendSubtree(0, leaf, onNode);
  }

  /** Appends 2^`level` leaves of which only the root is known. Throws RangeError where no such subtree may begin. */
  appendSubtree(level: number, root: Buffer, onNode?: NodeListener): void {
    const added = 2 ** level;
    if (this.leaves % added !== 0 || !isCount(this.leaves + added))
      throw new RangeError('no complete subtree of this level begins here');
    let hash = root;
    let at = level;
    let index = this.leaves / added;
    onNode?.(at, index, hash);
    for (let left = this.subtrees[at]; left !== undefined; left = this.subtrees[at]) {
      hash = nodeHash(left, hash);
      this.subtrees[at] = undefined;
      at += 1;
      index = half(index);
      onNode?.(at, index, hash);
    }
    this.subtrees[at] = hash;
    this.leaves += added;
  }

  /** The hashes of `coverOf(0, size)`: from the left, the greatest subtree first. */
  rightEdge(): Buffer[] {
    return this.subtrees.filter((hash) => hash !== undefined).reverse();
  }

  root(): Buffer {
    const edge = this.rightEdge();
    return edge.length === 0 ? emptyRoot : edge.reduceRight((right, left) => nodeHash(left, right));
  }
}
