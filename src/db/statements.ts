import type { EntityManager } from 'typeorm';
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
  await manager.query(sql, [...parameters]);
  const [row] = (await manager.query('SELECT changes() AS affected')) as { affected: number }[];
  return row?.affected ?? 0;
};
