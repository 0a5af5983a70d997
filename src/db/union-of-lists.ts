/**
 * One statement of several lists, each with its own ORDER BY and LIMIT, which SQLite takes only inside a subquery. A list
 * alone stays as it is: the subquery would be a temporary table, on disk where a column is a BLOB.
 */
export const unionOfLists = (lists: readonly string[]): string =>
  lists.length === 1
    ? (lists[0] as string)
    : lists.map((list, index) => `SELECT * FROM (${list}) AS list${index}`).join(' UNION ALL ');
