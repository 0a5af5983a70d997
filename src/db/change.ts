import type { FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { type EventDraft, finalizeEvent } from '../audit/event';
import { type ActionName, draftOf, type EventFacts, type EventName } from '../audit/events';
import { type Actor, isSignedIn, type SignedInActor } from '../authz/actor';
import { Failure, ProgrammingError } from '../failure';
import type { EventVouchers } from '../privacy/event-vouchers';
import { appendEvents } from './append-events';
import { expectBookkeeping, expectTally } from './bookkeeping';
import type { Reads } from './reads';
import type { Sql } from './sql';
import { execute, type ReadOptions, readRows, type Transaction } from './statements';
import { type Changes, deleting, insertions, type Selection, type Table, updating, type Values } from './table';

type EntityClass<E> = new () => E;

/** Asks the action's rule about the subject as it stands in the change's transaction. Throws `DENIED`. */
export type Permit<Subject> = unknown extends Subject ? () => void : (subject: Subject) => void;

/** Says, within a change and before its work, whether somebody may change anything now. Throws `DENIED`. */
export type ChangeGate = (change: Change, actor: SignedInActor, action: ActionName) => Promise<void>;

/** What a change is made of; the `Database` alone makes one. */
export interface ChangeParts {
  readonly transaction: Transaction;
  readonly actor: Actor;
  readonly action: ActionName;
  readonly at: Date;
  readonly transactionId: string;
  readonly isPermitted: () => boolean;
  /** Asked where the change ends. */
  readonly vouchers: () => EventVouchers | null;
}

/**
 * One change: lock, permit, save, record, in one transaction. Writing before the permit, or ending a change that wrote
 * without `record`, is a programming error and rolls everything back.
 */
export class Change implements Reads {
  private wrote = false;
  private readonly locked = new WeakSet<object>();
  protected readonly drafts: EventDraft[] = [];
  readonly actor: Actor;
  /** The change's one instant: everything in it happened then. */
  readonly at: Date;
  readonly transactionId: string;

  constructor(private readonly parts: ChangeParts) {
    this.actor = parts.actor;
    this.at = parts.at;
    this.transactionId = parts.transactionId;
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
  async lockIfAny<E extends ObjectLiteral>(entity: EntityClass<E>, where: FindOptionsWhere<E>): Promise<E | null> {
    const { manager, engine } = this.parts.transaction;
    const found = await manager.findOne(entity, {
      where,
      ...(engine === 'mariadb' ? { lock: { mode: 'pessimistic_write' as const } } : {}),
    });
    if (found) this.locked.add(found);
    return found;
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
      await execute(this.parts.transaction, text, values);
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

  /** Inserts rows of which none needs a record: of tables that `db/bookkeeping` lists, and no others. */
  async tally<E>(into: Table<E>, rows: readonly Values<E>[]): Promise<void> {
    this.expectPermission();
    expectTally(into);
    for (const { sql: text, values } of insertions(into, rows)) await execute(this.parts.transaction, text, values);
  }

  /** Stores a row that this change locked, as it is now. */
  async save<E extends ObjectLiteral>(row: E): Promise<E> {
    this.expectPermission();
    if (!this.locked.has(row)) throw new ProgrammingError(`${this.parts.action} saved a row that it hadn’t locked`);
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
      this.parts.transaction,
      this.drafts.map((draft, ordinal) => finalizeEvent(draft, this.transactionId, ordinal, this.at)),
      this.parts.vouchers(),
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
}

/** A change of one of the gateway's own jobs: permitted from the start, and recorded like any other. */
export class SystemChange extends Change {
  /** States what somebody else did or was shown, in their name. */
  recordFor<Name extends EventName>(actor: EventDraft['actor'], name: Name, facts: EventFacts<Name>): void {
    this.drafts.push(draftOf({ ...facts, action: name, actor }));
  }
}
