import type { AuditEvent } from '../audit/event';
import { ticketsBeside } from '../audit/leaf';
import { Failure } from '../failure';
import type { EventVouchers } from '../privacy/event-vouchers';
import { auditCustomers, auditEvents, auditNotes, auditPending, auditTickets } from './audit.entity';
import { isDuplicate, nameSchemaFault, outageOf } from './engine';
import { execute, executePrepared, type Transaction } from './statements';
import { insertions, namesOf, type Table, type Values } from './table';

/** A leaf has 65,535 bytes at most, and a server takes 16 MB in one statement. */
const rowsPerStatement = 200;
/** Of leaves: each number of rows is a text of its own, which a server prepares once a connection. */
const leavesPerStatement = 16;

/**
 * Writes events, what belongs beside their leaves, and their place in the queue of the tree, in the transaction of
 * `transaction`. Nothing else writes these tables. `vouchers` of the installation; null where its key isn't there. Throws `RECORD_UNAVAILABLE`.
 */
export const appendEvents = async (
  transaction: Transaction,
  events: readonly AuditEvent[],
  vouchers: EventVouchers | null,
): Promise<void> => {
  if (events.length === 0) return;
  try {
    await insertEvents(transaction, events, vouchers);
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

const notesTable = namesOf(auditNotes, []).table;

const insertEvents = async (
  transaction: Transaction,
  events: readonly AuditEvent[],
  vouchers: EventVouchers | null,
): Promise<void> => {
  const insert = async <E>(into: Table<E>, rows: readonly Values<E>[]): Promise<void> => {
    for (const { sql, values } of insertions(into, rows, rowsPerStatement)) await execute(transaction, sql, values);
  };
  const leaves = insertions(
    auditEvents,
    events.map(({ id, transactionId, ordinal, at, draft, leaf, leafHash }) => ({
      id,
      transactionId,
      ordinal,
      at,
      action: draft.action,
      outcome: draft.outcome,
      actorId: draft.actor.id,
      ticketId: draft.ticketId ?? null,
      assistanceId: draft.assistanceId ?? null,
      subjectType: draft.subject?.type ?? null,
      subjectId: draft.subject?.id ?? null,
      leaf,
      leafHash,
      voucher: vouchers?.of(leafHash) ?? null,
    })),
    leavesPerStatement,
  );
  for (const { sql, values } of leaves) await executePrepared(transaction, sql, values);
  await insert(
    auditCustomers,
    events.flatMap(({ id: eventId, draft }) =>
      [...new Set((draft.customers ?? []).map((customer) => customer.id))].map((customerId) => ({ eventId, customerId })),
    ),
  );
  await insert(
    auditTickets,
    events.flatMap(({ id: eventId, draft }) =>
      ticketsBeside(draft.ticketId, draft.detail).map((ticketId) => ({ eventId, ticketId })),
    ),
  );
  await insert(
    auditNotes,
    events.flatMap(({ id: eventId, draft }) =>
      (draft.notes ?? []).map(({ name, keyId, seal }) => ({
        eventId,
        name,
        keyId,
        sealed: seal({ table: notesTable, column: name, row: eventId }),
      })),
    ),
  );
  await insert(
    auditPending,
    events.map(({ id: eventId, transactionId, ordinal }) => ({ eventId, transactionId, ordinal })),
  );
};
