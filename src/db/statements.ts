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
}

/** `lock: true` holds the rows that are read until the transaction ends. */
export interface ReadOptions {
  readonly lock?: boolean;
}

/** Rows of a selection as a transaction sees them. `rest` is what follows its FROM. */
export const readRows = async <R extends object>(
  { manager, engine }: Transaction,
  selection: Selection<R>,
  rest: Sql,
  options: ReadOptions = {},
): Promise<R[]> => {
  const { sql: text, values } = sql`${selection} ${rest}`;
  return selection.hydrate((await manager.query(options.lock ? text + forUpdate(engine) : text, values)) as Row[]);
};

/** Affected rows of a write, whichever engine ran it. */
export const execute = async ({ manager, engine }: Transaction, sql: string, parameters: readonly unknown[]): Promise<number> => {
  if (engine === 'mariadb') {
    const result = (await manager.query(sql, [...parameters])) as { affectedRows?: number };
    return result.affectedRows ?? 0;
  }
  const result = (await manager.queryRunner?.query(sql, [...parameters], true)) as QueryResult;
  return result.affected ?? 0;
};

/**
 * Runs a write whose text comes again. A server keeps it prepared on its connection, and bytes go to it as they are, where a text spells each of them in
 * two digits.
 */
export const executePrepared = async (
  { manager, engine }: Transaction,
  sql: string,
  parameters: readonly unknown[],
): Promise<void> => {
  const runner = manager.queryRunner;
  if (engine !== 'mariadb' || !runner) return void (await manager.query(sql, [...parameters]));
  const connection = (await runner.connect()) as PoolConnection;
  manager.connection.logger.logQuery(sql, [...parameters], runner);
  await new Promise<void>((resolve, reject) => {
    connection.execute(sql, parameters as Parameters<PoolConnection['execute']>[1], (error: Error | null) =>
      error ? reject(error) : resolve(),
    );
  });
};
