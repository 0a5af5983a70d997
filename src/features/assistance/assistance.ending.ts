import type { Change } from '../../db/change';
import { marks } from '../../db/sql';
import type { AssistanceEndReason } from './assistance.entity';

/** What happened to a ticket that ends the assistances on it. */
export interface TicketTurn {
  readonly ticketId: string;
  readonly reason: AssistanceEndReason;
}

/**
 * How long, in milliseconds, a process may go on disclosing on the word of an assistance that it has just written to.
 * Whoever ends the assistance waits that long before acknowledging.
 */
export const leaseMilliseconds = 1_000;

export interface OpenAssistance extends Record<string, unknown> {
  readonly id: string;
  readonly actor_id: string;
  readonly ticket_id: string;
  readonly lease_until: number | null;
}

/** Ends these rows, which the change has locked. Returns until when some process may still disclose on their word, in UTC milliseconds. */
export const endRows = async (
  change: Pick<Change, 'at' | 'execute' | 'record'>,
  rows: readonly OpenAssistance[],
  reason: AssistanceEndReason,
): Promise<number> => {
  if (rows.length === 0) return 0;
  const at = change.at.getTime();
  await change.execute(
    `UPDATE assistance SET ended_at = ?, end_reason = ?, open_key = NULL WHERE ended_at IS NULL AND id IN (${marks(rows)})`,
    [at, reason, ...rows.map(({ id }) => id)],
  );
  for (const row of rows) {
    change.record('assistance.end', {
      ticketId: row.ticket_id,
      assistanceId: row.id,
      subject: { type: 'Assistance', id: row.id },
      detail: { reason, of: row.actor_id },
    });
  }
  return Math.max(...rows.map((row) => row.lease_until ?? 0));
};

/** Ends every assistance on tickets that were closed, reassigned or re-addressed, in the change that stores that. */
export const endAssistances = async (
  change: Change,
  turns: readonly TicketTurn[],
): Promise<{ ended: number; leasesUntil: number }> => {
  let ended = 0;
  let leasesUntil = 0;
  for (const { ticketId, reason } of turns) {
    const rows = await change.query<OpenAssistance>(
      'SELECT id, actor_id, ticket_id, lease_until FROM assistance WHERE ticket_id = ? AND ended_at IS NULL',
      [ticketId],
      {
        lock: true,
      },
    );
    ended += rows.length;
    leasesUntil = Math.max(leasesUntil, await endRows(change, rows, reason));
  }
  return { ended, leasesUntil };
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
