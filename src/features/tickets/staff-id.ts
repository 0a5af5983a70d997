import type { SignedInActor } from '../../authz/actor';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { staff, staffRows } from './tickets.rows';

/** An actor as a helpdesk names them; null where it doesn't know them. */
export const staffIdOf = async (change: Change, actor: SignedInActor, source: string): Promise<string | null> => {
  if (actor.staffIds.length === 0) return null;
  const [row] = await change.read(staffRows, sql`WHERE ${staff.source} = ${source} AND ${staff.id} IN (${actor.staffIds})`);
  return row?.id ?? null;
};
