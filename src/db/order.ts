import type { Database, SequencerCommit } from './database';
import { isDuplicate } from './engine';
import type { Reads } from './reads';
import { sql } from './sql';
import type { Column, Selection } from './table';

/** Committed rows that wait for their place in an order: each says in which transaction it was written, and as which of it. */
export interface Waiting<Item extends { readonly transactionId: string }> {
  readonly rows: Selection<Item>;
  readonly id: Column<string>;
  readonly transactionId: Column<string>;
  readonly ordinal: Column<number>;
  readonly idOf: (item: Item) => string;
  /** How many places one takes; one, where it isn't said. */
  readonly sizeOf?: (item: Item) => number;
}

/**
 * The next that wait but for those that are kept apart, for about `most` places: whole transactions only, each in its own order. A transaction
 * that takes more than that comes whole. Whoever committed late comes late, and is never passed over.
 */
export const nextWaiting = async <Item extends { readonly transactionId: string }>(
  reads: Reads,
  { rows: of, id, transactionId, ordinal, idOf, sizeOf = () => 1 }: Waiting<Item>,
  most: number,
  apart: readonly string[] = [],
): Promise<readonly Item[]> => {
  const others = apart.length === 0 ? sql`` : sql`WHERE ${id} NOT IN (${apart})`;
  const rows = await reads.read(of, sql`${others} ORDER BY ${transactionId}, ${ordinal} LIMIT ${most + 1}`);
  let places = 0;
  const tooMany = rows.find((row) => {
    places += sizeOf(row);
    return places > most;
  });
  if (!tooMany) return rows;
  const cut = tooMany.transactionId;
  const whole = rows.slice(0, rows.indexOf(tooMany)).filter((row) => row.transactionId !== cut);
  if (whole.length > 0) return whole;
  const all = await reads.read(of, sql`WHERE ${transactionId} = ${cut} ORDER BY ${ordinal}`);
  return all.filter((row) => !apart.includes(idOf(row)));
};

/** A gapless order that committed rows are given their places in; one may take several that follow each other. */
export interface Order<Item> {
  /** Asked without a transaction: mostly there is nothing. */
  readonly isAnyWaiting: (reads: Reads) => Promise<boolean>;
  readonly next: (reads: Reads) => Promise<readonly Item[]>;
  /** How many places are taken. */
  readonly size: (reads: Reads) => Promise<number>;
  /** Writes the places from `size` on, of which each is a primary key, and ends the waiting of these. Returns how many places. */
  readonly place: (commit: SequencerCommit, items: readonly Item[], size: number) => Promise<number>;
}

/**
 * Gives the next that wait their places, in one transaction: places, what is made of them, and the end of their waiting, or nothing
 * of it. Returns how many. Whoever else does the same at that moment takes the same places, so one of the two starts over and sees
 * what the other did: the primary key is the fence.
 */
export const takePlaces = async <Item>(database: Database, order: Order<Item>): Promise<number> =>
  (await order.isAnyWaiting(database)) ? database.sequence((commit) => placeNext(commit, order)) : 0;

/** The same, but that nothing is started over where somebody else took these places first: then it returns null, and they go on. */
export const takeFreePlaces = async <Item>(database: Database, order: Order<Item>): Promise<number | null> => {
  if (!(await order.isAnyWaiting(database))) return 0;
  let isTaken = false;
  return database.sequence(async (commit) => {
    if (isTaken) return null;
    try {
      return await placeNext(commit, order);
    } catch (error) {
      // Any other fault says nothing of whether somebody else goes on.
      isTaken = isDuplicate(error);
      throw error;
    }
  });
};

const placeNext = async <Item>(commit: SequencerCommit, { next, size, place }: Order<Item>): Promise<number> => {
  const items = await next(commit);
  if (items.length === 0) return 0;
  return place(commit, items, await size(commit));
};
