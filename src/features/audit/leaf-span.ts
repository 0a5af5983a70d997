import { hashLeaf } from '../../audit/event';
import { type Leaf, LeafInvalid, readLeaf } from '../../audit/leaf';
import type { Reads } from '../../db/reads';
import { type Sql, sql } from '../../db/sql';
import { optional, select, wholeNumber } from '../../db/table';
import { Failure } from '../../failure';
import { LogBroken } from '../../ledger/log-broken';
import { e, l, placedEvents } from './audit.rows';

const leaves = select({ ...l.pick('leafIndex', 'leafHash'), leaf: e.leaf }, placedEvents);
const edges = {
  first: select({ position: optional(wholeNumber(sql`MIN(${l.leafIndex})`)) }, placedEvents),
  last: select({ position: optional(wholeNumber(sql`MAX(${l.leafIndex})`)) }, placedEvents),
};

/** Leaves read at once: a leaf has 65,535 bytes at most, and usually some hundred. */
const leavesAtOnce = 500;
/** How far two leaves may stand in another order than their times, in milliseconds: what `verify` flags beyond (TIME). */
const outOfOrder = 65_000;

export interface LeafSpan {
  readonly from: number;
  /** Excluded. */
  readonly to: number;
}

/** A leaf in its place, as it was signed as far as its hash says. */
export interface LeafInPlace {
  readonly index: number;
  readonly leaf: Leaf;
}

/** The leaf in stored bytes. Throws `LogBroken` where they aren't those of its place in the tree. */
export const leafInPlace = (index: number, hash: string, bytes: Buffer | null): Leaf => {
  const altered = new LogBroken('ALTERED', `Leaf ${index} isn't what was signed: it was altered.`);
  if (bytes === null || hashLeaf(bytes) !== hash) throw altered;
  try {
    return readLeaf(bytes.toString('utf8'));
  } catch (error) {
    throw error instanceof LeafInvalid ? altered : error;
  }
};

/** Leaves `start` to `end` (excluded), in their order. */
export const inSpan = (start: number, end: number): Sql =>
  sql`WHERE ${l.leafIndex} >= ${start} AND ${l.leafIndex} < ${end} ORDER BY ${l.leafIndex}`;

/** The rows of a span, where there is one for each leaf. Throws `LogBroken`. */
export const expectAll = <Row>(rows: readonly Row[], start: number, end: number): readonly Row[] => {
  if (rows.length === end - start) return rows;
  throw new LogBroken('MISSING', `Of the leaves ${start} to ${end - 1} only ${rows.length} are stored.`);
};

/** Every leaf of a span, in its order, some hundred at once. Throws `LogBroken` for one that is missing or altered. */
export async function* leavesOf(reads: Reads, { from, to }: LeafSpan): AsyncGenerator<readonly LeafInPlace[]> {
  for (let start = from; start < to; start += leavesAtOnce)
    yield await leavesBetween(reads, start, Math.min(to, start + leavesAtOnce));
}

const leavesBetween = async (reads: Reads, start: number, end: number): Promise<readonly LeafInPlace[]> => {
  const rows = expectAll(await reads.read(leaves, inSpan(start, end)), start, end);
  return rows.map(({ leafIndex: index, leafHash, leaf }) => ({ index, leaf: leafInPlace(index, leafHash, leaf) }));
};

const edge = async (reads: Reads, pick: keyof typeof edges, at: Date): Promise<number | null> => {
  const condition = pick === 'first' ? sql`WHERE ${e.at} >= ${at}` : sql`WHERE ${e.at} < ${at}`;
  return (await reads.read(edges[pick], condition))[0]?.position ?? null;
};

const differs = (index: number): Failure =>
  new Failure(
    'CONFLICT',
    `Leaf ${index} says another time than the row that a span of time is found by: what is stored was altered, and the span would lack leaves.`,
    { remedy: 'Ask for the whole log, without times; "counterfoil doctor" names every place.' },
  );

/**
 * Which of the first `size` leaves a span of time is: from the first that isn't before `from` to the last before `before`, whatever
 * times lie between. Rows find it, and the leaves around it are held against that: throws `CONFLICT` where one of them belongs
 * into it, and `LogBroken`.
 */
export const spanOf = async (
  reads: Reads,
  { from, before }: { readonly from: Date | null; readonly before: Date | null },
  size: number,
): Promise<LeafSpan> => {
  const first = from === null ? 0 : Math.min((await edge(reads, 'first', from)) ?? size, size);
  const last = before === null ? size - 1 : ((await edge(reads, 'last', before)) ?? -1);
  const end = Math.min(last + 1, size);
  if (from !== null) await expectAllBefore(reads, first, from.getTime());
  if (before !== null) await expectAllAfter(reads, end, size, before.getTime());
  return { from: first, to: Math.max(first, end) };
};

const timeOf = ({ leaf }: LeafInPlace): number => Date.parse(leaf.at);

const expectAllBefore = async (reads: Reads, first: number, from: number): Promise<void> => {
  for (let end = first; end > 0; end -= leavesAtOnce) {
    const found = await leavesBetween(reads, Math.max(0, end - leavesAtOnce), end);
    const inside = found.findLast((leaf) => timeOf(leaf) >= from);
    if (inside) throw differs(inside.index);
    if (found.some((leaf) => timeOf(leaf) < from - outOfOrder)) return;
  }
};

const expectAllAfter = async (reads: Reads, end: number, size: number, before: number): Promise<void> => {
  for (let start = end; start < size; start += leavesAtOnce) {
    const found = await leavesBetween(reads, start, Math.min(size, start + leavesAtOnce));
    const inside = found.find((leaf) => timeOf(leaf) < before);
    if (inside) throw differs(inside.index);
    if (found.some((leaf) => timeOf(leaf) >= before + outOfOrder)) return;
  }
};
