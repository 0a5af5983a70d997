import type { Database } from '../db/database';
import type { FirstRows } from '../db/first-rows';
import type { Selection } from '../db/table';
import type { Position } from '../graphql/cursor';
import { type Keyset, putInOrder } from '../graphql/page';

/** One page of one owner's list. */
export interface OwnersPage {
  readonly owner: string;
  /** Rows to fetch. */
  readonly limit: number;
  readonly after: Position | null;
  /** What it is narrowed and ordered by: the same text for the same. */
  readonly by: string;
}

interface Form<E, R> extends FirstRows<E> {
  readonly keyset: Keyset<R>;
}

/**
 * The pages, in their order, where they are the beginnings of lists that differ by their owners alone: all of them in one statement. Null where they
 * aren't, and where too many rows stand at the end of a page together.
 */
export const readBeginnings = async <E, R extends object>(
  database: Pick<Database, 'readFirst'>,
  selection: Selection<R>,
  pages: readonly OwnersPage[],
  form: Form<E, R>,
): Promise<R[][] | null> => {
  const [page] = pages;
  const areAlike = pages.every(({ limit, after, by }) => after === null && limit === page?.limit && by === page.by);
  if (page === undefined || pages.length < 2 || !areAlike) return null;
  const rows = await database.readFirst(
    selection,
    form,
    pages.map(({ owner }) => owner),
    page.limit,
  );
  return rows === null ? null : rows.map((list) => putInOrder(list, form.keyset).slice(0, page.limit));
};
