import type { EngineKind } from './engine';
import { joined, raw, type Sql, sql } from './sql';
import type { Selection } from './table';

/**
 * One statement of several lists of a selection, each with its own conditions, order and limit; `list` says which one a row
 * is of where there are several. SQLite takes ORDER BY and LIMIT only inside a subquery, which on MariaDB would be a temporary table, on disk where a
 * column is a BLOB; there parentheses do.
 */
export const selectLists = (engine: EngineKind, selection: Selection<object>, rests: readonly Sql[]): Sql => {
  const [only] = rests;
  if (only && rests.length === 1) return sql`SELECT ${selection.listOn(engine)} ${selection.source} ${only}`;
  const lists = rests.map((rest, index) => sql`SELECT ${raw(`${index}`)} AS list, ${selection.list} ${selection.source} ${rest}`);
  const part = (list: Sql, index: number): Sql =>
    engine === 'mariadb' ? sql`(${list})` : sql`SELECT * FROM (${list}) AS ${raw(`list${index}`)}`;
  return joined(lists.map(part), ' UNION ALL ');
};
