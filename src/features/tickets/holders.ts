import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { ulid } from '../../ulid';
import { ticketHolders } from './ticket.entity';

/** A ticket that somebody had, about a customer, until it was found to be no longer so. */
export interface Departure {
  readonly ticketId: string;
  readonly customerId: string;
  readonly staffId: string;
  readonly at: Date;
}

const known = select(ticketHolders.pick('id', 'ticketId', 'customerId', 'staffId'), sql`FROM ${ticketHolders}`);

/** Writes down who had these tickets before. Part of a change that has the tickets locked. */
export const keepHolders = async (change: Change, departures: readonly Departure[]): Promise<void> => {
  if (departures.length === 0) return;
  const rows = await change.read(known, sql`WHERE ${ticketHolders.ticketId} IN (${departures.map(({ ticketId }) => ticketId)})`);
  for (const { ticketId, customerId, staffId, at } of departures) {
    const row = rows.find((each) => each.ticketId === ticketId && each.customerId === customerId && each.staffId === staffId);
    if (row) await change.update(ticketHolders, { lastAt: at }, sql`${ticketHolders.id} = ${row.id}`);
    else
      await change.insert(ticketHolders, { id: `hol_${ulid(change.at.getTime())}`, ticketId, customerId, staffId, lastAt: at });
  }
};
