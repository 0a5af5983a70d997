import type { EngineKind } from './engine';

/**
 * One statement of several lists, each with its own ORDER BY and LIMIT. SQLite takes those only inside a subquery, which
 * on MariaDB would be a temporary table, on disk where a column is a BLOB; there parentheses do.
 */
export const unionOfLists = (engine: EngineKind, lists: readonly string[]): string => {
  if (lists.length === 1) return lists[0] as string;
  const part = (list: string, index: number): string =>
    engine === 'mariadb' ? `(${list})` : `SELECT * FROM (${list}) AS list${index}`;
  return lists.map(part).join(' UNION ALL ');
};
