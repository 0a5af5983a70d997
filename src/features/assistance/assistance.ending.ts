import type { KeptPerson } from '../../authz/same-person';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { doneBy } from '../tickets/staff.rows';
import type { TicketTurn } from '../tickets/tickets.ingest';
import { type AssistanceEndReason, assistances } from './assistance.entity';
import { leaseMilliseconds } from './assistance.leases';
import { actorIds, assistance, doneByRows, type OpenAssistance, openRows } from './assistance.rows';
import { assistanceIds } from './live';

/** Ends these, which the change has locked. Returns until when some process may still disclose under them, in UTC milliseconds. */
export const endRows = async (change: Change, rows: readonly OpenAssistance[], reason: AssistanceEndReason): Promise<number> => {
  if (rows.length === 0) return 0;
  await change.update(
    assistances,
    { endedAt: change.at, endReason: reason, openKey: null },
    sql`${assistances.endedAt} IS NULL AND ${assistances.id} IN (${rows.map(({ id }) => id)})`,
  );
  for (const { id, actorId, ticketId } of rows) {
    change.record('assistance.end', {
      ticketId,
      assistanceId: id,
      subject: { type: 'Assistance', id },
      detail: { reason, of: actorId },
    });
  }
  return Math.max(...rows.map(({ leaseUntil }) => leaseUntil?.getTime() ?? 0));
};

/** Ends every assistance on tickets that were closed, reassigned or re-addressed, in the change that stores that. */
export const endAssistances = async (
  change: Change,
  turns: readonly TicketTurn[],
): Promise<{ ended: number; leasesUntil: number }> => {
  let ended = 0;
  let leasesUntil = 0;
  for (const { ticketId, reason } of turns) {
    const onTicket = sql`WHERE ${assistance.ticketId} = ${ticketId} AND ${assistance.endedAt} IS NULL`;
    const rows = await change.read(openRows, onTicket, { lock: true });
    ended += rows.length;
    leasesUntil = Math.max(leasesUntil, await endRows(change, rows, reason));
  }
  return { ended, leasesUntil };
};

/** For how long, in milliseconds, what somebody did under another subject tells that it is they. */
const remembered = 30 * 86_400_000;

/** Subjects that a person is known by: the one that is named, and those that asked lately with a row among the staff that is theirs. */
export const actorsOf = async (
  change: Change,
  { actorId: named, staffIds: rows }: Omit<KeptPerson, 'actorId'> & { readonly actorId: string | null },
): Promise<readonly string[]> => {
  const { actorId, requestedByStaffIds: staffIds, beginsAt } = assistance;
  const person = { actorId: named ?? '', staffIds: rows };
  const lately = sql`WHERE ${beginsAt} > ${new Date(change.at.getTime() - remembered)} AND ${doneBy(person, { actorId, staffIds })}
    GROUP BY ${actorId}`;
  const found = await change.read(actorIds, lately);
  return [...new Set([...(named === null ? [] : [named]), ...found.map((row) => row.actorId)])].sort();
};

/** Under which rows among the staff these actors lately asked, and of which teams the tickets were. */
export const lateWorkOf = async (change: Change, ids: readonly string[]) => {
  const { actorId, beginsAt } = assistance;
  const since = new Date(change.at.getTime() - remembered);
  const rows = await change.read(doneByRows, sql`WHERE ${actorId} IN (${ids}) AND ${beginsAt} > ${since}`);
  return {
    staffIds: [...new Set(rows.flatMap(({ staffIds }) => staffIds ?? []))].sort(),
    teams: [...new Set(rows.flatMap(({ team }) => team ?? []))].sort(),
  };
};

/** Ends what these actors have open: all of it, or what waits for its approval. Returns until when some process may still disclose under it. */
export const endOf = async (change: Change, actorIds: readonly string[], which: 'all' | 'waiting'): Promise<number> => {
  const { actorId, endedAt, beginsAt } = assistance;
  const waiting = which === 'waiting' ? sql`AND ${beginsAt} IS NULL` : sql``;
  const rows = await change.read(openRows, sql`WHERE ${actorId} IN (${actorIds}) AND ${endedAt} IS NULL ${waiting}`, {
    lock: true,
  });
  return endRows(change, rows, 'BRAKE');
};

/** What a person has open on a ticket, waiting or live, under all of their subjects. */
export const openOn = (change: Change, person: KeptPerson, ticketId: string) => {
  const { actorId, requestedByStaffIds: staffIds, endedAt } = assistance;
  const isTheirs = sql`${assistance.ticketId} = ${ticketId} AND ${endedAt} IS NULL AND ${doneBy(person, { actorId, staffIds })}`;
  return change.read(openRows, sql`WHERE ${isTheirs}`, { lock: true });
};

/** A supervisor ended an assistance of this person on the ticket, and so what they get to there needs somebody's consent. */
export const wasEndedBySupervisor = async (change: Change, person: KeptPerson, ticketId: string): Promise<boolean> => {
  const { actorId, requestedByStaffIds: staffIds, endReason } = assistances;
  const isTheirs = sql`${assistances.ticketId} = ${ticketId} AND ${doneBy(person, { actorId, staffIds })}`;
  const ended = await change.read(assistanceIds, sql`WHERE ${isTheirs} AND ${endReason} = 'BY_SUPERVISOR' LIMIT 1`);
  return ended.length > 0;
};

/** By how much, in milliseconds, the clocks of two processes may differ, or one may be set. */
const toleratedSkew = 2_000;

/**
 * Resolves when every lease that was granted before the end has run out. `until` is by the clock of whoever granted it,
 * so it only tells that there was a lease lately: that one is waited out from now on, in full.
 */
export const waitForLeases = async (until: number): Promise<void> => {
  if (until + toleratedSkew <= Date.now()) return;
  await new Promise((resolve) => setTimeout(resolve, leaseMilliseconds));
};
