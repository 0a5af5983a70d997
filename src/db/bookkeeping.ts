import { ProgrammingError } from '../failure';
import type { Sql } from './sql';
import { execute, type ReadOptions, readRows, type Transaction } from './statements';
import { type Changes, deleting, insertions, namesOf, type Selection, type Table, updating, type Values } from './table';

/**
 * The columns that are written without an event, by table: how far something has been read, who does a job just now, when
 * something was last confirmed or is tried again, and by which name an identity provider told of somebody last, and which tokens it gave. Nothing is permitted by
 * them alone.
 */
export const bookkeeping: Readonly<Record<string, readonly string[]>> = {
  actor: ['fence', 'lease_until', 'person_digest'],
  assistance: ['last_used_at', 'lease_until'],
  card_invitation_job: ['state', 'attempts', 'next_at', 'lease_until', 'lease_holder', 'fault'],
  browser_session: ['used_at', 'refresh_until', 'tokens_sealed', 'access_until'],
  credential_job: ['state', 'attempts', 'next_at', 'lease_until', 'lease_holder', 'fault'],
  decision_budget: ['used'],
  frame_use: [],
  helpdesk_customer: ['observed_at', 'linked_at', 'link_tries', 'link_next_at'],
  helpdesk_message: ['claim_due_at'],
  helpdesk_ticket: ['observed_at', 'unreadable', 'messages_seen_at'],
  payment_hold_job: ['state', 'attempts', 'next_at', 'lease_until', 'lease_holder', 'fault'],
  payment_transaction: ['confirmed_at'],
  recognition_job: ['state', 'attempts', 'next_at', 'lease_until', 'lease_holder', 'fault'],
  risk_consumer: ['position'],
  risk_outreach_job: ['state', 'attempts', 'next_at', 'lease_until', 'lease_holder', 'fault'],
  step_up_demand: ['lookups'],
  used_proof: [],
  webhook_delivery: ['state', 'attempts', 'next_at', 'lease_until', 'lease_holder', 'fault'],
  webhook_endpoint: ['position'],
  upstream_source: ['position', 'backfill_position', 'backfilled_at', 'polled_at', 'fault', 'fault_at'],
};

/**
 * The tables whose rows are inserted without an event of each: how much of a budget is used, and what was answered to whom asks twice. An
 * answer that stops something has an event, which its row is held against.
 */
const tallies: readonly string[] = ['decision_budget', 'payment_decision'];

/** The tables whose rows come and go without an event: what may be used once, for as long as it could be used again. */
const passing: readonly string[] = ['frame_use', 'used_proof'];

const expectPassing = <E>(of: Table<E>): void => {
  const { table } = namesOf(of, []);
  if (!passing.includes(table)) throw new ProgrammingError(`${table} has rows that don’t come and go without a record.`);
};

/** Throws `ProgrammingError` where rows of this table need a record. */
export const expectTally = <E>(of: Table<E>): void => {
  const { table } = namesOf(of, []);
  if (!tallies.includes(table)) throw new ProgrammingError(`${table} isn't written without a record.`);
};

/** Throws `ProgrammingError` where one of these columns isn't in the list, or none of the table is. */
export const expectBookkeeping = <E>(of: Table<E>, changes: Changes<E>): void => {
  const { table, columns } = namesOf(of, Object.keys(changes));
  const listed = bookkeeping[table];
  if (!listed) throw new ProgrammingError(`${table} has no column that is written without a record.`);
  const other = columns.find((column) => !listed.includes(column));
  if (other !== undefined) throw new ProgrammingError(`${table}.${other} isn't written without a record.`);
};

/** Writes the bookkeeping of one table, in a transaction of its own that leaves no record. */
export class Bookkeeper<E> {
  constructor(
    private readonly transaction: Transaction,
    private readonly of: Table<E>,
  ) {
    expectBookkeeping(of, {});
  }

  /** Rows of a selection as they are now. `rest` is what follows its FROM; `lock: true` holds the rows. */
  read<R extends object>(selection: Selection<R>, rest: Sql, options: ReadOptions = {}): Promise<R[]> {
    return readRows(this.transaction, selection, rest, options);
  }

  /** Gives the rows that meet the condition these values. Returns how many did. */
  async update(changes: Changes<E>, condition: Sql): Promise<number> {
    expectBookkeeping(this.of, changes);
    const { sql, values } = updating(this.of, changes, condition);
    return execute(this.transaction, sql, values);
  }

  /** Inserts rows of a table whose rows come and go. Where one is there already, the work runs again and finds it. */
  async insert(rows: readonly Values<E>[]): Promise<void> {
    expectPassing(this.of);
    for (const { sql, values } of insertions(this.of, rows)) await execute(this.transaction, sql, values);
  }

  /** Takes rows of such a table away. Returns how many met the condition. */
  async remove(condition: Sql): Promise<number> {
    expectPassing(this.of);
    const { sql, values } = deleting(this.of, condition);
    return execute(this.transaction, sql, values);
  }
}
