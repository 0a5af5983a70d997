import type { EntityManager, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { type EventDraft, finalizeEvent } from '../audit/event';
import { draftOf, type EventFacts, type EventName } from '../audit/events';
import { type Actor, isSignedIn } from '../authz/actor';
import { type Action, permit } from '../authz/rule';
import { Failure, ProgrammingError } from '../failure';
import { ulid } from '../ulid';
import { appendEvents } from './append-events';
import { type EngineKind, forUpdate } from './engine';
import { safeRows } from './integers';
import { marks, type Sql, sql } from './sql';
import { type Changes, insertions, type Selection, type Table, updating, type Values } from './table';

export type Row = Record<string, unknown>;
type EntityClass<E> = new () => E;

/**
 * One change: lock, permit, save, record, in one transaction. Writing before `permit`, or ending a change that wrote
 * without `record`, is a programming error and rolls everything back.
 */
export class Change<Subject = unknown> {
  private permitted = false;
  private wrote = false;
  private readonly drafts: EventDraft[] = [];
  readonly transactionId: string;

  constructor(
    private readonly manager: EntityManager,
    private readonly engine: EngineKind,
    readonly actor: Actor,
    private readonly action: Action<Subject>,
    /** The change's one instant: everything in it happened then. */
    readonly at: Date,
  ) {
    this.transactionId = `atx_${ulid(at.getTime())}`;
  }

  /** Something was written that needs a record. */
  get hasWritten(): boolean {
    return this.wrote;
  }

  /** The row as it is now, held until the change ends. Throws `NOT_FOUND` when there is none. */
  async lock<E extends ObjectLiteral>(entity: EntityClass<E>, where: FindOptionsWhere<E>): Promise<E> {
    const found = await this.find(entity, where);
    if (!found) throw Failure.notFound(entity.name.toLowerCase());
    return found;
  }

  /** Like `lock`, null when there is no such row. */
  find<E extends ObjectLiteral>(entity: EntityClass<E>, where: FindOptionsWhere<E>): Promise<E | null> {
    return this.manager.findOne(entity, {
      where,
      ...(this.engine === 'mariadb' ? { lock: { mode: 'pessimistic_write' as const } } : {}),
    });
  }

  /** Reads inside the change. `lock: true` holds the rows. */
  query<R extends Row>(sql: string, parameters: readonly unknown[] = [], options: { lock?: boolean } = {}): Promise<R[]> {
    return queryRows(this.manager, options.lock ? sql + forUpdate(this.engine) : sql, parameters);
  }

  /** Asks the action's rule about the subject as it stands in this transaction. Throws `DENIED`. */
  permit(subject: Subject): void {
    permit(this.actor, this.action, subject);
    this.permitted = true;
  }

  /** Rows of a selection as they are inside the change. `rest` is what follows its FROM; `lock: true` holds the rows. */
  async read<R extends object>(selection: Selection<R>, rest: Sql, options: { lock?: boolean } = {}): Promise<R[]> {
    const { sql: text, values } = sql`${selection} ${rest}`;
    const answered = await this.manager.query(options.lock ? text + forUpdate(this.engine) : text, values);
    return selection.hydrate(answered as Row[]);
  }

  /** Inserts rows of one table; none is nothing written. */
  async insert<E>(into: Table<E>, rows: Values<E> | readonly Values<E>[]): Promise<void> {
    for (const { sql: text, values } of insertions(into, Array.isArray(rows) ? rows : [rows])) {
      this.expectPermission();
      this.wrote = true;
      await this.manager.query(text, values);
    }
  }

  /** Gives the rows that meet the condition these values. Returns how many did, which is the answer to "does it still hold". */
  update<E>(of: Table<E>, changes: Changes<E>, condition: Sql): Promise<number> {
    const { sql: text, values } = updating(of, changes, condition);
    return this.execute(text, values);
  }

  async save<E extends ObjectLiteral>(row: E): Promise<E> {
    this.expectPermission();
    this.wrote = true;
    return this.manager.save(row, { reload: false, transaction: false });
  }

  /** Inserts many rows of one table; each row has the same columns. */
  async insertRows(table: string, rows: readonly Row[]): Promise<void> {
    const first = rows[0];
    if (!first) return;
    this.expectPermission();
    this.wrote = true;
    const columns = Object.keys(first);
    const perStatement = Math.max(1, Math.floor(maximumParameters / columns.length));
    for (let start = 0; start < rows.length; start += perStatement) {
      const chunk = rows.slice(start, start + perStatement);
      const tuple = `(${marks(columns)})`;
      await this.manager.query(
        `INSERT INTO ${table} (${columns.join(',')}) VALUES ${chunk.map(() => tuple).join(',')}`,
        chunk.flatMap((row) => columns.map((column) => row[column] ?? null)),
      );
    }
  }

  /** A conditional write. Returns how many rows met the condition, which is the answer to "does it still hold". */
  async execute(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    this.expectPermission();
    const affected = await execute(this.manager, this.engine, sql, parameters);
    if (affected > 0) this.wrote = true;
    return affected;
  }

  /**
   * Writes down when a row was last confirmed: says nothing new about anybody, so it needs no record. Returns the
   * affected rows.
   */
  async confirm(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    this.expectPermission();
    return execute(this.manager, this.engine, sql, parameters);
  }

  /** States what happened, as the catalogue has it; stored with the change when it commits. */
  record<Name extends EventName>(name: Name, facts: EventFacts<Name>): void {
    const actor = { id: this.actor.id, kind: this.actor.kind, roles: isSignedIn(this.actor) ? this.actor.roles : [] };
    this.drafts.push(draftOf({ ...facts, action: name, actor }));
  }

  /** For the `Database` only: ends the change, or throws so that it is rolled back. */
  async finish(): Promise<void> {
    if (this.wrote && this.drafts.length === 0) throw new ProgrammingError(`${this.action.name} wrote without a record`);
    await appendEvents(
      this.manager,
      this.drafts.map((draft, ordinal) => finalizeEvent(draft, this.transactionId, ordinal, this.at)),
    );
  }

  private expectPermission(): void {
    if (!this.permitted) throw new ProgrammingError(`${this.action.name} wrote before it was permitted`);
  }
}

/** SQLite refuses statements of more than 32,766 parameters. */
const maximumParameters = 16_000;

/** Rows as a transaction sees them. */
export const queryRows = async <R extends Row>(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[],
): Promise<R[]> => safeRows((await manager.query(sql, [...parameters])) as R[]);

/** Affected rows of a write, whichever engine ran it. */
export const execute = async (
  manager: EntityManager,
  engine: EngineKind,
  sql: string,
  parameters: readonly unknown[],
): Promise<number> => {
  if (engine === 'mariadb') {
    const result = (await manager.query(sql, [...parameters])) as { affectedRows?: number };
    return result.affectedRows ?? 0;
  }
  await manager.query(sql, [...parameters]);
  const [row] = (await manager.query('SELECT changes() AS affected')) as { affected: number }[];
  return row?.affected ?? 0;
};
