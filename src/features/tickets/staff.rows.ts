import type { SignedInActor } from '../../authz/actor';
import type { KeptPerson } from '../../authz/same-person';
import type { Change } from '../../db/change';
import { joined, type Sql, sql } from '../../db/sql';
import { Column, type Selected, select, type Table, wholeNumber } from '../../db/table';
import { staffMembers, type Ticket } from './ticket.entity';

const staffCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${staffMembers}`);
const staffInSource = select(staffMembers.pick('id', 'source'), sql`FROM ${staffMembers}`);

const requesters = staffMembers.as('r');

/** The helpdesk has somebody of these ids among its staff, or had. */
export const isStaff = async (from: Pick<Change, 'read'>, source: string, ids: readonly string[]): Promise<boolean> => {
  if (ids.length === 0) return false;
  const [counted] = await from.read(
    staffCounts,
    sql`WHERE ${staffMembers.source} = ${source} AND ${staffMembers.id} IN (${ids})`,
  );
  return (counted?.n ?? 0) > 0;
};

/** The helpdesk has somebody of these ids among its active staff. */
export const isActiveStaff = async (from: Pick<Change, 'read'>, source: string, ids: readonly string[]): Promise<boolean> => {
  if (ids.length === 0) return false;
  const [counted] = await from.read(
    staffCounts,
    sql`WHERE ${staffMembers.source} = ${source} AND ${staffMembers.active} = ${true} AND ${staffMembers.id} IN (${ids})`,
  );
  return (counted?.n ?? 0) > 0;
};

/** One of these is among the active staff of this helpdesk, or, where none is named, of any, as SQL. */
export const isActiveIn = (source: Sql, ids: readonly string[]): Sql =>
  ids.length === 0
    ? sql`1 = 0`
    : sql`EXISTS (SELECT 1 FROM ${requesters} WHERE ${requesters.id} IN (${ids}) AND ${requesters.active} = ${true}
        AND (${source} IS NULL OR ${requesters.source} = ${source}))`;

/** Active staff of every helpdesk by the digests of a login name or e-mail address. */
export const activeStaffNamed = (
  from: Pick<Change, 'read'>,
  digests: readonly string[],
): Promise<readonly Selected<typeof staffInSource>[]> =>
  from.read(
    staffInSource,
    sql`WHERE ${staffMembers.active} = ${true} AND (${staffMembers.loginDigest} IN (${digests}) OR ${staffMembers.emailDigest} IN (${digests}))`,
  );

/** The id of somebody of a helpdesk's active staff by its own reference; undefined where there is nobody. */
export const activeStaffAt = async (
  from: Pick<Change, 'read'>,
  source: string,
  reference: string,
): Promise<string | undefined> => {
  const [row] = await from.read(
    staffInSource,
    sql`WHERE ${staffMembers.active} = ${true} AND ${staffMembers.source} = ${source} AND ${staffMembers.reference} = ${reference}`,
  );
  return row?.id;
};

/** Who did something, as SQL sees it: the actor, and their rows among the staff as a JSON list. */
interface DoneBy {
  readonly actorId: Sql;
  readonly staffIds: Sql;
}

/** A request as SQL sees it, with the ticket that it is on. */
interface AskedFor extends DoneBy {
  readonly ticket: Table<Ticket>;
}

/** What was done by this person, under whichever of their subjects: `isSamePerson` as SQL. */
export const doneBy = (person: KeptPerson, { actorId, staffIds }: DoneBy): Sql =>
  sql`(${joined(
    [
      sql`${actorId} = ${person.actorId}`,
      ...(person.staffIds ?? []).map((id) => sql`INSTR(${staffIds}, ${JSON.stringify(id)}) > 0`),
    ],
    ' OR ',
  )})`;

/** The first of these rows among the staff, a JSON list, that this helpdesk has or had; null where it has none. */
export const rowAmong = (source: Sql, staffIds: Sql): Column<string | null> =>
  new Column<string | null>(
    sql`(SELECT MIN(${requesters.id}) FROM ${requesters} WHERE ${requesters.source} = ${source} AND INSTR(${staffIds}, ${requesters.id}) > 0)`,
    null,
  );

/** Requests at which the actor may be the second of two people: asked by somebody else, on a ticket that isn't of the actor's doing. */
export const askedBySomebodyElse = (actor: SignedInActor, { actorId, staffIds, ticket }: AskedFor): Sql => {
  if (actor.helpdesks.length === 0 || actor.staffIds.length === 0) return sql`1 = 0`;
  const { source, teamSetById, createdById, customerSetByIds } = ticket;
  const without = (list: Sql) => actor.staffIds.map((id) => sql`INSTR(${list}, ${JSON.stringify(id)}) = 0`);
  return sql`${actorId} <> ${actor.id} AND ${joined([...without(staffIds), ...without(customerSetByIds)], ' AND ')}
    AND (${teamSetById} IS NULL OR ${teamSetById} NOT IN (${actor.staffIds}))
    AND (${createdById} IS NULL OR ${createdById} NOT IN (${actor.staffIds})) AND ${source} IN (${actor.helpdesks})
    AND EXISTS (SELECT 1 FROM ${requesters} WHERE ${requesters.source} = ${source} AND INSTR(${staffIds}, ${requesters.id}) > 0)`;
};
