import { join, raw, Sql } from 'sql-template-tag';
import { ProgrammingError } from '../failure';
import { type Page, pageOf } from './connection';
import { type Cursors, type Position, pageSize } from './cursor';

/** How a list is ordered. */
export interface Keyset<Row> {
  /** What it is sorted by. */
  readonly column: Sql;
  /** What tells rows of the same value apart; null where no two have the same. */
  readonly id: Sql | null;
  readonly direction: 'ASC' | 'DESC';
  readonly positionOf: (row: Row) => Position;
}

const sql = (strings: readonly string[], ...values: readonly unknown[]): Sql => new Sql(strings, values);

/**
 * Keyset pagination: what stands behind the WHERE conditions of a list, which must have at least one. Rows after a position
 * (from the list's beginning where it is null), in order, so many at most.
 */
export const pageClause = <Row>({ column, id, direction }: Keyset<Row>, after: Position | null, limit: number): Sql => {
  const isFurther = raw(direction === 'ASC' ? '>' : '<');
  const order = join(
    [column, ...(id === null ? [] : [id])].map((each) => sql`${each} ${raw(direction)}`),
    ', ',
  );
  const end = sql`ORDER BY ${order} LIMIT ${limit}`;
  if (after === null) return end;
  if (id === null) return sql`AND ${column} ${isFurther} ${after.value} ${end}`;
  return sql`AND (${column} ${isFurther} ${after.value} OR (${column} = ${after.value} AND ${id} ${isFurther} ${after.id})) ${end}`;
};

/** The same list from its other end. */
export const reversed = <Row>(keyset: Keyset<Row>): Keyset<Row> => ({
  ...keyset,
  direction: keyset.direction === 'ASC' ? 'DESC' : 'ASC',
});

const comparePositions = (a: Position, b: Position): number => a.value - b.value || (a.id < b.id ? -1 : Number(a.id > b.id));

/** The same order for rows in memory, which it changes: UNION ALL promises none. */
export const putInOrder = <Row>(rows: Row[], { direction, positionOf }: Keyset<Row>): Row[] => {
  const sign = direction === 'ASC' ? 1 : -1;
  const placed = rows.map((row) => ({ row, position: positionOf(row) }));
  const isBehind = ({ position }: (typeof placed)[number], index: number): boolean => {
    const before = placed[index - 1];
    return before === undefined || sign * comparePositions(before.position, position) <= 0;
  };
  // Most come as they should.
  if (placed.every(isBehind)) return rows;
  placed.sort((a, b) => sign * comparePositions(a.position, b.position));
  for (const [index, { row }] of placed.entries()) rows[index] = row;
  return rows;
};

/** A list as one actor reads it. */
interface PagedList<Row> {
  readonly cursors: Cursors;
  readonly actorId: string;
  /** Which list it is: field, parent, filter, order. */
  readonly list: readonly unknown[];
  readonly keyset: Keyset<Row>;
}

/** What a page was asked for with. */
interface PageArguments {
  readonly first: number | null;
  readonly after: string | null | undefined;
  /** What the operation selects, as `Type.field`; null where nobody knows. */
  readonly fields?: ReadonlySet<string> | null;
}

/** One request of an actor for a page of a list: its arguments, checked, and the page that its rows make. */
export class PageRequest<Row> {
  private readonly size: number;
  /** Somebody asks whether there is a next page. */
  private readonly tellsNext: boolean;
  /** Where the page before ended. */
  readonly after: Position | null;

  /** Throws `INVALID` for a size or cursor that doesn't fit. */
  constructor(
    private readonly of: PagedList<Row>,
    { first, after, fields = null }: PageArguments,
  ) {
    this.tellsNext = fields === null || fields.has('PageInfo.hasNextPage');
    this.size = pageSize(first);
    this.after = of.cursors.decode(of.actorId, of.list, after);
  }

  /** Rows to fetch: one more than the page has says whether there is a next one, where that is asked for. */
  get limit(): number {
    return this.size + (this.tellsNext ? 1 : 0);
  }

  get clause(): Sql {
    return pageClause(this.of.keyset, this.after, this.limit);
  }

  /** Of the rows that `clause` gave. `count` counts the whole list. */
  pageOf<Node>(rows: readonly Row[], toNode: (row: Row) => Node, count: () => Promise<number>): Page<Node> {
    const cursorOf = (row: Row) => this.of.cursors.encode(this.of.actorId, this.of.list, this.of.keyset.positionOf(row));
    const page = pageOf(rows, this.size, toNode, cursorOf, this.after !== null, count);
    if (this.tellsNext) return page;
    return {
      ...page,
      get hasNextPage(): boolean {
        throw new ProgrammingError('Nobody asked for PageInfo.hasNextPage, so that the row that tells it wasn’t read.');
      },
    };
  }
}
