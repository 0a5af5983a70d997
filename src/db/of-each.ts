import type { Reads } from './reads';
import { padded, type Sql, sql } from './sql';
import type { Column, Selection } from './table';

/** Rows that nearly every owner has fewer of: so many of each are read at once before anybody is asked for by themselves. */
const usual = 20;

export interface OfEach<R> {
  readonly owners: readonly string[];
  readonly column: Column<string>;
  readonly ownerOf: (row: R) => string;
  /** What follows the condition on the owner: further conditions and the order. */
  readonly rest: Sql;
  /** Rows of one owner at most. */
  readonly most: number;
}

/** Rows that a statement for so many owners answers at most; as many tell that some may be missing. */
export const mostOfEach = (owners: number, most: number): number => Math.max(owners * Math.min(usual, most), most) + 1;

/**
 * The first `most` rows of each owner, in the order of `owners`: one statement where they have few, and otherwise a
 * bounded one for each, so that nobody's rows are read without end.
 */
export const readOfEach = async <R extends object>(
  database: Reads,
  selection: Selection<R>,
  { owners, column, ownerOf, rest, most }: OfEach<R>,
): Promise<R[][]> => {
  const limit = mostOfEach(owners.length, most);
  const rows = await database.read(selection, sql`WHERE ${column} IN (${padded(owners)}) ${rest} LIMIT ${limit}`);
  if (rows.length < limit) {
    const byOwner = new Map<string, R[]>(owners.map((owner) => [owner, []]));
    for (const row of rows) {
      const list = byOwner.get(ownerOf(row));
      if (list && list.length < most) list.push(row);
    }
    return owners.map((owner) => byOwner.get(owner) ?? []);
  }
  const lists: R[][] = [];
  for (const owner of owners) lists.push(await database.read(selection, sql`WHERE ${column} = ${owner} ${rest} LIMIT ${most}`));
  return lists;
};
