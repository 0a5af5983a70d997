import type { PoolConnection } from 'mysql2';
import type { EntityManager, QueryResult } from 'typeorm';
import { type EngineKind, forUpdate } from './engine';
import { type Sql, sql } from './sql';
import type { Selection } from './table';

export type Row = Record<string, unknown>;

/** A transaction under way, and what it speaks. */
export interface Transaction {
  readonly manager: EntityManager;
  readonly engine: EngineKind;
  /** Of a server. Statements go over it as they are: through TypeORM each would cost about as much again. */
  readonly connection: PoolConnection | null;
}

/** What a server answers to a write. */
interface Written {
  readonly affectedRows?: number;
}

/** One statement over a server's connection. `execute`: it keeps it prepared. */
export const ask = <Answer>(
  connection: PoolConnection,
  text: string,
  values: readonly unknown[] = [],
  how: 'query' | 'execute' = 'query',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const told = (error: Error | null, answer: unknown) => (error ? reject(error) : resolve(answer as Answer));
    if (how === 'execute') connection.execute(text, values as Parameters<PoolConnection['execute']>[1], told);
    else connection.query(text, values as unknown[], told);
  });

/** The same in a transaction, seen by TypeORM's logger like its own. */
const askIn = <Answer>(
  { manager }: Transaction,
  connection: PoolConnection,
  { text, values, how }: { text: string; values: readonly unknown[]; how?: 'query' | 'execute' },
): Promise<Answer> => {
  manager.connection.logger.logQuery(text, [...values], manager.queryRunner);
  return ask(connection, text, values, how);
};

/** `lock: true` holds the rows that are read until the transaction ends. */
export interface ReadOptions {
  readonly lock?: boolean;
}

/** Rows of a selection as a transaction sees them. `rest` is what follows its FROM. */
export const readRows = async <R extends object>(
  transaction: Transaction,
  selection: Selection<R>,
  rest: Sql,
  options: ReadOptions = {},
): Promise<R[]> => {
  const { manager, engine, connection } = transaction;
  const { sql: plain, values } = sql`${selection} ${rest}`;
  const text = options.lock ? plain + forUpdate(engine) : plain;
  const rows = connection ? await askIn<Row[]>(transaction, connection, { text, values }) : await manager.query(text, values);
  return selection.hydrate(rows as Row[]);
};

/** Affected rows of a write, whichever engine ran it. */
export const execute = async (transaction: Transaction, text: string, values: readonly unknown[]): Promise<number> => {
  const { manager, connection } = transaction;
  if (connection) return (await askIn<Written>(transaction, connection, { text, values })).affectedRows ?? 0;
  const result = (await manager.queryRunner?.query(text, [...values], true)) as QueryResult;
  return result.affected ?? 0;
};

/**
 * Runs a write whose text comes again. A server keeps it prepared on its connection, and bytes go to it as they are, where a text spells each of them in
 * two digits.
 */
export const executePrepared = async (transaction: Transaction, text: string, values: readonly unknown[]): Promise<void> => {
  const { manager, connection } = transaction;
  if (connection) await askIn(transaction, connection, { text, values, how: 'execute' });
  else await manager.query(text, [...values]);
};
