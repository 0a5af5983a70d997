import type { EntityManager } from 'typeorm';
import type { AuditEvent } from '../audit/event';
import { Failure } from '../failure';
import { isDuplicate, nameSchemaFault, outageOf } from './engine';
import { marks } from './sql';

const rowsPerStatement = 200;

/** Inserts rows of one table, many in a statement. */
export const insertRows = async (
  manager: EntityManager,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): Promise<void> => {
  for (let start = 0; start < rows.length; start += rowsPerStatement) {
    const chunk = rows.slice(start, start + rowsPerStatement);
    const tuple = `(${marks(columns)})`;
    await manager.query(`INSERT INTO ${table} (${columns.join(',')}) VALUES ${chunk.map(() => tuple).join(',')}`, chunk.flat());
  }
};

/**
 * Writes events, what belongs beside their leaves, and their place in the queue of the tree, in the transaction of
 * `manager`. Nothing else writes these tables. Throws `RECORD_UNAVAILABLE`.
 */
export const appendEvents = async (manager: EntityManager, events: readonly AuditEvent[]): Promise<void> => {
  if (events.length === 0) return;
  try {
    await insertEvents(manager, events);
  } catch (error) {
    // Run again, or answered, like anywhere else; what keeps the log alone from being written is said as such.
    if (isDuplicate(error) || outageOf(error) !== null) throw error;
    throw Object.assign(
      new Failure('RECORD_UNAVAILABLE', 'This could not be recorded, so it was not done.', {
        remedy: 'Try again shortly.',
        retryAfter: 2,
      }),
      { cause: nameSchemaFault(error) },
    );
  }
};

const insertEvents = async (manager: EntityManager, events: readonly AuditEvent[]): Promise<void> => {
  await insertRows(
    manager,
    'audit_event',
    [
      'id',
      'transaction_id',
      'ordinal',
      'at',
      'action',
      'outcome',
      'actor_id',
      'ticket_id',
      'assistance_id',
      'subject_type',
      'subject_id',
      'leaf',
      'leaf_hash',
    ],
    events.map(({ id, transactionId, ordinal, at, draft, leaf, leafHash }) => [
      id,
      transactionId,
      ordinal,
      at.getTime(),
      draft.action,
      draft.outcome,
      draft.actor.id,
      draft.ticketId ?? null,
      draft.assistanceId ?? null,
      draft.subject?.type ?? null,
      draft.subject?.id ?? null,
      leaf,
      leafHash,
    ]),
  );
  await insertRows(
    manager,
    'audit_customer',
    ['event_id', 'customer_id'],
    events.flatMap(({ id, draft }) =>
      [...new Set((draft.customers ?? []).map((customer) => customer.id))].map((customerId) => [id, customerId]),
    ),
  );
  await insertRows(
    manager,
    'audit_ticket',
    ['event_id', 'ticket_id'],
    events.flatMap(({ id, draft }) => [...new Set(draft.tickets ?? [])].map((ticketId) => [id, ticketId])),
  );
  await insertRows(
    manager,
    'audit_note',
    ['event_id', 'name', 'key_id', 'sealed'],
    events.flatMap(({ id, draft }) =>
      (draft.notes ?? []).map((note) => [
        id,
        note.name,
        note.keyId,
        note.seal({ table: 'audit_note', column: note.name, row: id }),
      ]),
    ),
  );
  await insertRows(
    manager,
    'audit_pending',
    ['event_id', 'transaction_id', 'ordinal'],
    events.map(({ id, transactionId, ordinal }) => [id, transactionId, ordinal]),
  );
};
