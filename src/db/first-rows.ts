import { ProgrammingError } from '../failure';
import type { EngineKind } from './engine';
import { joined, padded, raw, type Sql, sql } from './sql';
import type { Column, Selection, Table } from './table';

/** Columns of a table under one of its names. */
interface Ordered {
  readonly owner: Column<string>;
  /** A whole number by which the rows are ordered. */
  readonly order: Sql;
  /** What rows must meet beside. */
  readonly conditions: readonly Sql[];
}

/** The first rows of several owners: which they are, and where they are found. */
export interface FirstRows<E> {
  /** The table of the rows, under the name that the selection has for it. */
  readonly of: Table<E>;
  readonly columns: (of: Table<E>) => Ordered;
  readonly direction: 'ASC' | 'DESC';
  /** Of owner and order, in the order that is asked for. */
  readonly index: string;
  /** The ids of the owners as a table of theirs has them. */
  readonly ownerIds: { readonly id: Column<string>; readonly from: Sql };
}

/** Rows more than were asked for that ties may bring, all owners together. */
const mostTies = 500;

/** How many rows that statement answers at most; as many tell that some may be missing. */
export const mostOfFirst = (owners: number, limit: number): number => owners * limit + mostTies;

/**
 * One statement for the first `limit` rows of each owner, with one text for nearly any number of them: from each owner's beginning to where
 * its last row stands, which is looked up in the index. Several rows may stand there: then an owner has more than `limit`, to be cut by
 * whoever puts them in order. `list` says which of the owners a row is of, by its place among them.
 */
export const selectFirst = <E>(
  engine: EngineKind,
  selection: Selection<object>,
  { of, columns, direction, index, ownerIds }: FirstRows<E>,
  owners: readonly string[],
  limit: number,
): Sql => {
  const among = padded(owners);
  // A number is shorter than the id that it stands for.
  const list = joined(
    among.values.map((owner, index) => sql`WHEN ${owner} THEN ${raw(`${index}`)}`),
    ' ',
  );
  const counted = of.as('counted');
  const [outer, inner] = [columns(of), columns(counted)];
  const isDescending = direction === 'DESC';
  // Beyond every value: an owner of fewer rows has all of them.
  const end = raw(String(isDescending ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER));
  const conditions = (own: Ordered, first: Sql): Sql => joined([first, ...own.conditions], ' AND ');
  const last = sql`SELECT ${inner.order} FROM ${counted} WHERE ${conditions(inner, sql`${inner.owner} = ${ownerIds.id}`)}
    ORDER BY ${inner.order} ${raw(direction)} LIMIT 1 OFFSET ${limit - 1}`;
  // Without its LIMIT MariaDB would take the derived table apart, and look the last row up again for each row that it reads.
  const ends = sql`SELECT ${ownerIds.id} AS owner, CASE ${ownerIds.id} ${list} END AS list, COALESCE((${last}), ${end}) AS last
    ${ownerIds.from} WHERE ${ownerIds.id} IN (${among}) LIMIT ${among.values.length}`;
  const reaches = sql`${outer.order} ${raw(isDescending ? '>=' : '<=')} ends.last`;
  // Of indexes of an owner MariaDB's statistics prefer any.
  const by = engine === 'mariadb' ? raw(`FORCE INDEX (${index})`) : sql``;
  return sql`SELECT ends.list AS list, ${selection.listOn(engine)} FROM (${ends}) AS ends JOIN ${of} ${by} ON ${outer.owner} = ends.owner AND ${reaches}
    ${selection.joins} WHERE ${conditions(outer, sql`1 = 1`)} LIMIT ${mostOfFirst(owners.length, limit)}`;
};

/** Its rows by their owners' places. Throws `ProgrammingError` for one that is of none of them. */
export const dealFirst = <R extends object>(owners: number, rows: readonly R[]): R[][] => {
  const lists: R[][] = Array.from({ length: owners }, () => []);
  for (const row of rows) {
    const list = lists[(row as R & { list: number }).list];
    if (!list) throw new ProgrammingError('A statement for several owners answered a row of none of them.');
    list.push(row);
  }
  return lists;
};
