import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { assistances } from './assistance.entity';
import { assistanceIds, isLive } from './live';

/**
 * How long, in milliseconds, a process may go on disclosing under an assistance that it has just written to. Whoever ends the
 * assistance waits that long before acknowledging.
 */
export const leaseMilliseconds = 1_000;

/** Writes to those of these assistances that are live: from now on this process may disclose under them. Returns which these were. */
export const renewLeases = async (change: Change, wanted: readonly string[], now: Date): Promise<readonly string[]> => {
  if (wanted.length === 0) return [];
  const areLive = sql`${assistances.id} IN (${wanted}) AND ${isLive(assistances, now)}`;
  const leaseUntil = new Date(Date.now() + leaseMilliseconds);
  const renewed = await change.bookkeep(assistances, { lastUsedAt: now, leaseUntil }, areLive);
  if (renewed === wanted.length) return wanted;
  return (await change.read(assistanceIds, sql`WHERE ${areLive}`)).map(({ id }) => id);
};
