import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { type Selected, select, wholeNumber } from '../../db/table';
import { staffMembers } from './ticket.entity';

const staffCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${staffMembers}`);
const staffInSource = select(staffMembers.pick('id', 'source'), sql`FROM ${staffMembers}`);

/** The helpdesk has somebody of these ids among its active staff. */
export const isActiveStaff = async (from: Pick<Change, 'read'>, source: string, ids: readonly string[]): Promise<boolean> => {
  if (ids.length === 0) return false;
  const [counted] = await from.read(
    staffCounts,
    sql`WHERE ${staffMembers.source} = ${source} AND ${staffMembers.active} = ${true} AND ${staffMembers.id} IN (${ids})`,
  );
  return (counted?.n ?? 0) > 0;
};

/** Active staff of every helpdesk by the digest of a login name or e-mail address. */
export const activeStaffNamed = (
  from: Pick<Change, 'read'>,
  digest: string,
): Promise<readonly Selected<typeof staffInSource>[]> =>
  from.read(
    staffInSource,
    sql`WHERE ${staffMembers.active} = ${true} AND (${staffMembers.loginDigest} = ${digest} OR ${staffMembers.emailDigest} = ${digest})`,
  );
