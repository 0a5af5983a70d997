import type { Change } from '../../db/change';
import { bounded } from '../../db/columns';
import { sql } from '../../db/sql';
import { select, type Values } from '../../db/table';
import { normalForm } from '../../privacy/digests';
import { ulid } from '../../ulid';
import type { StaffRecord } from '../../upstream/helpdesk/helpdesk.port';
import { staffDigest } from '../keys/contact-digests';
import type { Keys } from '../keys/keys.service';
import { type StaffMember, staffMembers } from './ticket.entity';

const knownStaff = select(
  staffMembers.pick('id', 'reference', 'displayName', 'loginDigest', 'emailDigest', 'active', 'observedAt'),
  sql`FROM ${staffMembers}`,
);

/**
 * What a helpdesk says about members of its staff, as part of the change that stores their tickets. Where one was seen
 * twice, the later in the list counts. Returns our id of each by the helpdesk's reference.
 */
export const takeStaff = async (
  change: Change,
  keys: Keys,
  source: string,
  seen: readonly { readonly record: StaffRecord; readonly asOf: Date }[],
): Promise<ReadonlyMap<string, string>> => {
  const latest = new Map(seen.map((each) => [each.record.reference, each]));
  const ids = new Map<string, string>();
  if (latest.size === 0) return ids;
  const known = await change.read(
    knownStaff,
    sql`WHERE ${staffMembers.source} = ${source} AND ${staffMembers.reference} IN (${[...latest.keys()]})`,
    { lock: true },
  );
  const stored = new Map(known.map((row) => [row.reference, row]));
  const fresh: Values<StaffMember>[] = [];
  for (const [reference, { record, asOf }] of latest) {
    const values = {
      displayName: bounded(record.displayName, 200),
      loginDigest: keys.searchDigest('staff', normalForm(record.login)) ?? '',
      emailDigest: staffDigest(keys, record.email),
      active: record.active,
    };
    const row = stored.get(reference);
    const id = row?.id ?? `stf_${ulid()}`;
    ids.set(reference, id);
    if (!row) {
      fresh.push({ id, source, reference, ...values, observedAt: asOf });
      continue;
    }
    const differs = Object.entries(values).some(([fact, value]) => row[fact as keyof typeof values] !== value);
    if (differs && row.observedAt <= asOf)
      await change.update(staffMembers, { ...values, observedAt: asOf }, sql`${staffMembers.id} = ${id}`);
  }
  await change.insert(staffMembers, fresh);
  return ids;
};
