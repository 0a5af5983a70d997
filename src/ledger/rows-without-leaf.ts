import { auditCustomers, auditEvents, auditNotes, auditPending, auditTickets } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { Column, namesOf, select, type Table } from '../db/table';
import type { EventVouchers } from '../privacy/event-vouchers';
import { auditLeaves } from './audit-tree.entity';
import { needsNoVoucher } from './vouching';

interface Step {
  readonly what: 'ROWS' | 'QUEUE';
  /** Null at the end of a step: nothing more was found in it. */
  readonly message: string | null;
}

const rowsOf = <E extends { eventId: string }>(table: Table<E>, id: Column<string>) => ({
  name: namesOf(table, []).table,
  id,
  ids: select({ id }, sql`FROM ${table}`),
});
const besideLeaves = [
  rowsOf(auditCustomers, auditCustomers.eventId),
  rowsOf(auditTickets, auditTickets.eventId),
  rowsOf(auditNotes, auditNotes.eventId),
];

/** Whatever stands there: what was altered must not end the search. */
const stored = <T>(column: Column<T>): Column<T> => new Column<T>(column, null);
const events = select(
  {
    ...auditEvents.pick('id', 'transactionId', 'actorId', 'action', 'leafHash', 'voucher'),
    ordinal: stored(auditEvents.ordinal),
  },
  sql`FROM ${auditEvents}`,
);
const waiting = select(
  { eventId: auditPending.eventId, transactionId: auditPending.transactionId, ordinal: stored(auditPending.ordinal) },
  sql`FROM ${auditPending}`,
);
const placed = select(auditLeaves.pick('eventId'), sql`FROM ${auditLeaves}`);

/**
 * Which of these events have a place in the tree, and which wait for one. The queue is read first: who leaves it meanwhile has
 * a place by then.
 */
const placesOf = async (reads: Reads, ids: readonly string[]) => {
  const queued = await reads.read(waiting, sql`WHERE ${auditPending.eventId} IN (${ids})`);
  const inTree = await reads.read(placed, sql`WHERE ${auditLeaves.eventId} IN (${ids})`);
  return {
    queued: new Map(queued.map((row) => [row.eventId, row])),
    inTree: new Set(inTree.map(({ eventId }) => eventId)),
  };
};

/**
 * What is stored and belongs to no leaf: an event that has no place and waits for none, one that waits under another transaction
 * than its own or without the voucher that it ought to have, and rows beside events that the log doesn't have. Steps of three
 * statements, whatever is stored. `vouchers`: null where not every event ought to have one.
 */
export async function* rowsWithoutLeaf(reads: Reads, atOnce: number, vouchers: EventVouchers | null): AsyncGenerator<Step> {
  for (let after = ''; ; ) {
    const page = await reads.read(events, sql`WHERE ${auditEvents.id} > ${after} ORDER BY ${auditEvents.id} LIMIT ${atOnce}`);
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
    const { queued, inTree } = await placesOf(
      reads,
      page.map(({ id }) => id),
    );
    for (const { id, transactionId, ordinal, actorId, action, leafHash, voucher } of page) {
      const entry = queued.get(id);
      if (entry && vouchers && !needsNoVoucher({ actor: { id: actorId }, action }) && !vouchers.vouches(leafHash, voucher))
        yield {
          what: 'QUEUE',
          message: `event ${id} waits for its place, and nobody who has the installation’s key recorded it`,
        };
      if (entry && (entry.transactionId !== transactionId || entry.ordinal !== ordinal))
        yield { what: 'QUEUE', message: `event ${id} waits for its place under another transaction or ordinal than its own` };
      if (!entry && !inTree.has(id))
        yield { what: 'QUEUE', message: `event ${id} is stored, has no place in the tree and doesn't wait for one` };
    }
    yield { what: 'QUEUE', message: null };
  }
  for (const { name, id, ids } of besideLeaves) {
    for (let after = ''; ; ) {
      const page = await reads.read(ids, sql`WHERE ${id} > ${after} GROUP BY ${id} ORDER BY ${id} LIMIT ${atOnce}`);
      const last = page.at(-1);
      if (!last) break;
      after = last.id;
      const { queued, inTree } = await placesOf(
        reads,
        page.map((row) => row.id),
      );
      for (const { id: event } of page)
        if (!queued.has(event) && !inTree.has(event))
          yield { what: 'ROWS', message: `${name} has rows of event ${event}, which the log doesn't have` };
      yield { what: 'ROWS', message: null };
    }
  }
}
