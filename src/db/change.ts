import type { FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { type EventDraft, finalizeEvent } from '../audit/event';
import { type ActionName, draftOf, type EventFacts, type EventName } from '../audit/events';
import { type Actor, isSignedIn } from '../authz/actor';
import { Failure, ProgrammingError } from '../failure';
import { ulid } from '../ulid';
import { appendEvents } from './append-events';
import { expectBookkeeping } from './bookkeeping';
import { forUpdate } from './engine';
import type { Reads } from './reads';
import { marks, type Sql } from './sql';
import { execute, queryRows, type ReadOptions, type Row, readRows, type Transaction } from './statements';
import { type Changes, deleting, insertions, type Selection, type Table, updating, type Values } from './table';

export type { Row };

type EntityClass<E> = new () => E;

/** Asks the action's rule about the subject as it stands in the change's transaction. Throws `DENIED`. */
export type Permit<Subject> = unknown extends Subject ? () => void : (subject: Subject) => void;

/** What a change is made of; the `Database` alone makes one. */
export interface ChangeParts {
  readonly transaction: Transaction;
  readonly actor: Actor;
  readonly action: ActionName;
  readonly at: Date;
  readonly permit: ((subject: never) => void) | null;
  readonly isPermitted: () => boolean;
}

/**
 * One change: lock, permit, save, record, in one transaction. Writing before the permit, or ending a change that wrote
 * without `record`, is a programming error and rolls everything back.
 */
export class Change<Subject = unknown> implements Reads {
  private wrote = false;
  protected readonly drafts: EventDraft[] = [];
  readonly actor: Actor;
  /** The change's one instant: everything in it happened then. */
  readonly at: Date;
  readonly transactionId: string;

  constructor(private readonly parts: ChangeParts) {
    this.actor = parts.actor;
    this.at = parts.at;
    this.transactionId = `atx_${ulid(parts.at.getTime())}`;
  }

  /** Something was written that needs a record. */
  get hasWritten(): boolean {
    return this.wrote;
  }

  /** The row as it is now, held until the change ends. Throws `NOT_FOUND` when there is none. */
  async lock<E extends ObjectLiteral>(entity: EntityClass<E>, where: FindOptionsWhere<E>): Promise<E> {
    const found = await this.lockIfAny(entity, where);
    if (!found) throw Failure.notFound(entity.name.toLowerCase());
    return found;
  }

  /** Like `lock`, null when there is no such row. */
  lockIfAny<E extends ObjectLiteral>(entity: EntityClass<E>, where: FindOptionsWhere<E>): Promise<E | null> {
    const { manager, engine } = this.parts.transaction;
    return manager.findOne(entity, {
      where,
      ...(engine === 'mariadb' ? { lock: { mode: 'pessimistic_write' as const } } : {}),
    });
  }

  /** Rows of a selection as they are inside the change. `rest` is what follows its FROM; `lock: true` holds the rows. */
  read<R extends object>(selection: Selection<R>, rest: Sql, options: ReadOptions = {}): Promise<R[]> {
    return readRows(this.parts.transaction, selection, rest, options);
  }

  /** Inserts rows of one table; none is nothing written. */
  async insert<E>(into: Table<E>, rows: Values<E> | readonly Values<E>[]): Promise<void> {
    for (const { sql: text, values } of insertions(into, Array.isArray(rows) ? rows : [rows])) {
      this.expectPermission();
      this.wrote = true;
      await this.parts.transaction.manager.query(text, values);
    }
  }

  /** Gives the rows that meet the condition these values. Returns how many did, which is the answer to "does it still hold". */
  update<E>(of: Table<E>, changes: Changes<E>, condition: Sql): Promise<number> {
    return this.write(updating(of, changes, condition));
  }

  /** Takes away the rows that meet the condition. Returns how many did. */
  remove<E>(from: Table<E>, condition: Sql): Promise<number> {
    return this.write(deleting(from, condition));
  }

  /** Writes what needs no record: columns that `db/bookkeeping` lists, and no others. Returns how many rows met the condition. */
  async bookkeep<E>(of: Table<E>, changes: Changes<E>, condition: Sql): Promise<number> {
    this.expectPermission();
    expectBookkeeping(of, changes);
    const { sql: text, values } = updating(of, changes, condition);
    return execute(this.parts.transaction, text, values);
  }

  /** Stores an entity as it is now. */
  async save<E extends ObjectLiteral>(row: E): Promise<E> {
    this.expectPermission();
    this.wrote = true;
    return this.parts.transaction.manager.save(row, { reload: false, transaction: false });
  }

  /** States what happened, as the catalogue has it; stored with the change when it commits. */
  record<Name extends EventName>(name: Name, facts: EventFacts<Name>): void {
    const actor = { id: this.actor.id, kind: this.actor.kind, roles: isSignedIn(this.actor) ? this.actor.roles : [] };
    this.drafts.push(draftOf({ ...facts, action: name, actor }));
  }

  /** For the `Database` only: ends the change, or throws so that it is rolled back. */
  async finish(): Promise<void> {
    if (this.wrote && this.drafts.length === 0) throw new ProgrammingError(`${this.parts.action} wrote without a record`);
    await appendEvents(
      this.parts.transaction.manager,
      this.drafts.map((draft, ordinal) => finalizeEvent(draft, this.transactionId, ordinal, this.at)),
    );
  }

  private async write({ sql: text, values }: Sql): Promise<number> {
    this.expectPermission();
    const affected = await execute(this.parts.transaction, text, values);
    if (affected > 0) this.wrote = true;
    return affected;
  }

  private expectPermission(): void {
    if (!this.parts.isPermitted()) throw new ProgrammingError(`${this.parts.action} wrote before it was permitted`);
  }

  permit(subject: Subject): void {
    this.parts.permit?.(subject as never);
  }

  find<E extends ObjectLiteral>(entity: EntityClass<E>, where: FindOptionsWhere<E>): Promise<E | null> {
    return this.lockIfAny(entity, where);
  }

  query<R extends Row>(sql: string, parameters: readonly unknown[] = [], options: ReadOptions = {}): Promise<R[]> {
    const { manager, engine } = this.parts.transaction;
    return queryRows(manager, options.lock ? sql + forUpdate(engine) : sql, parameters);
  }

  async insertRows(table: string, rows: readonly Row[]): Promise<void> {
    const first = rows[0];
    if (!first) return;
    this.expectPermission();
    this.wrote = true;
    const columns = Object.keys(first);
    const perStatement = Math.max(1, Math.floor(16_000 / columns.length));
    for (let start = 0; start < rows.length; start += perStatement) {
      const chunk = rows.slice(start, start + perStatement);
      const tuple = `(${marks(columns)})`;
      await this.parts.transaction.manager.query(
        `INSERT INTO ${table} (${columns.join(',')}) VALUES ${chunk.map(() => tuple).join(',')}`,
        chunk.flatMap((row) => columns.map((column) => row[column] ?? null)),
      );
    }
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    this.expectPermission();
    const affected = await execute(this.parts.transaction, sql, parameters);
    if (affected > 0) this.wrote = true;
    return affected;
  }

  async confirm(sql: string, parameters: readonly unknown[] = []): Promise<number> {
    this.expectPermission();
    return execute(this.parts.transaction, sql, parameters);
  }
}

/** A change of one of the gateway's own jobs: permitted from the start, and recorded like any other. */
export class SystemChange extends Change {
  /** States what somebody else did or was shown, in their name. */
  recordFor<Name extends EventName>(actor: EventDraft['actor'], name: Name, facts: EventFacts<Name>): void {
    this.drafts.push(draftOf({ ...facts, action: name, actor }));
  }
}
