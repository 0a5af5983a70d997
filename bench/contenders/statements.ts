import Sqlite from 'better-sqlite3';
import type { Pool } from 'mysql2';
import type { DatabaseLocation, FileLocation, ServerLocation } from '../../src/db/location';
import { ServerConnections } from '../../src/db/server-connections';
import { openPool } from '../../src/db/server-pool';

export type Value = string | number | Buffer | null;

/** Prepared statements, and nothing else between a server and its database. */
export interface Statements {
  /** Rows as lists of values in the order of the columns, which costs less than objects with names. */
  rows<Row extends readonly Value[]>(text: string, values: readonly Value[]): Promise<Row[]> | Row[];
  /** The same with names. */
  objects(text: string, values: readonly Value[]): Promise<Readonly<Record<string, Value>>[]>;
  /** One statement of several lists, each with an ORDER BY and a LIMIT of its own. */
  lists(texts: readonly string[]): string;
  close(): Promise<void>;
}

const onServer = (location: ServerLocation, poolSize: number): Statements => {
  const options = {
    side: 'read',
    size: poolSize,
    deadline: Number.POSITIVE_INFINITY,
    connections: new ServerConnections(),
  } as const;
  const pool: Pool = openPool(location, options);
  const execute = <Row>(sql: string, values: readonly Value[], rowsAsArray: boolean): Promise<Row[]> =>
    new Promise((resolve, reject) => {
      pool.execute({ sql, values: values as Value[], rowsAsArray }, (error, rows) => {
        if (error) reject(error);
        else resolve(rows as unknown as Row[]);
      });
    });
  return {
    rows: (text, values) => execute(text, values, true),
    objects: (text, values) => execute(text, values, false),
    // Parentheses: a subquery would be a temporary table.
    lists: (texts) => texts.map((text) => `(${text})`).join(' UNION ALL '),
    close: () => new Promise((resolve) => pool.end(() => resolve())),
  };
};

const onFile = ({ file }: FileLocation): Statements => {
  const database = new Sqlite(file, { readonly: true });
  database.pragma('cache_size = -65536');
  const prepared = new Map<string, Sqlite.Statement>();
  const statementOf = (text: string): Sqlite.Statement => {
    const known = prepared.get(text);
    if (known) return known;
    const made = database.prepare(text);
    prepared.set(text, made);
    return made;
  };
  return {
    rows: <Row extends readonly Value[]>(text: string, values: readonly Value[]) =>
      statementOf(text)
        .raw()
        .all(...values) as Row[],
    objects: async (text, values) =>
      statementOf(text)
        .raw(false)
        .all(...values) as Readonly<Record<string, Value>>[],
    lists: (texts) => texts.map((text) => `SELECT * FROM (${text})`).join(' UNION ALL '),
    close: async () => void database.close(),
  };
};

/** The connections of a server without our `db/`, made as the gateway's own are. */
export const openStatements = (location: DatabaseLocation, poolSize: number): Statements =>
  location.engine === 'sqlite' ? onFile(location) : onServer(location, poolSize);

/**
 * A list of columns for SELECT under names of one letter, and as expressions: with every answer the driver is told in which column of
 * which table a plain one stands.
 */
export const columns = (...names: readonly string[]): string =>
  names
    .map((name, index) => `${/^[a-z]/.test(name) ? `IFNULL(${name},NULL)` : name} ${String.fromCharCode(97 + index)}`)
    .join(',');

export const placeholders = (count: number): string => Array(count).fill('?').join(',');
