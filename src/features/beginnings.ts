import type { Database } from '../db/database';
import type { FirstRows } from '../db/first-rows';
import type { Reached } from '../db/reached';
import type { SharedBeginnings } from '../db/shared-reads';
import { joined, sql } from '../db/sql';
import type { Selection } from '../db/table';
import type { Position } from '../graphql/cursor';
import { type Keyset, pageClause, putInOrder } from '../graphql/page';

/** One page of one owner's list. */
export interface OwnersPage {
  readonly owner: Reached;
  /** Rows to fetch. */
  readonly limit: number;
  readonly after: Position | null;
  /** What it is narrowed and ordered by: the same text for the same. */
  readonly by: string;
}

/** Lists of owners as they begin. */
export interface Beginnings<E, R> extends SharedBeginnings<E> {
  readonly keyset: Keyset<R>;
}

/** Where they differ by nothing but their owners it is made once, where a module loads: then requests read them together. */
export const beginningsOf = <E, R>(first: FirstRows<E>, keyset: Keyset<R>): Beginnings<E, R> => ({
  ...first,
  keyset,
  alone: (id, limit) => {
    const { owner, conditions } = first.columns(first.of);
    return sql`WHERE ${joined([sql`${owner} = ${id}`, ...conditions], ' AND ')} ${pageClause(keyset, null, limit)}`;
  },
});

/**
 * The pages, in their order, where they are the beginnings of lists that differ by their owners alone: all of them in one statement. Null where they
 * aren't.
 */
export const readBeginnings = async <E, R extends object>(
  { shared }: Pick<Database, 'shared'>,
  selection: Selection<R>,
  pages: readonly OwnersPage[],
  form: Beginnings<E, R>,
): Promise<R[][] | null> => {
  const [page] = pages;
  const areAlike = pages.every(({ limit, after, by }) => after === null && limit === page?.limit && by === page.by);
  if (page === undefined || !areAlike) return null;
  const owners = pages.map(({ owner }) => owner);
  const lists = await shared.firstOfEach(selection, form, owners, page.limit);
  return lists.map((list) => putInOrder(list, form.keyset).slice(0, page.limit));
};
