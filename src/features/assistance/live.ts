import type { SignedInActor } from '../../authz/actor';
import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { padded, type Sql, sql } from '../../db/sql';
import { type Selected, select, type Table } from '../../db/table';
import { type Assistance, assistances } from './assistance.entity';

/** It has begun, and neither its end nor its time has come. */
export const isLive = (of: Table<Assistance>, now: Date): Sql =>
  sql`${of.endedAt} IS NULL AND ${of.beginsAt} IS NOT NULL AND ${of.expiresAt} > ${now}`;

/** The assistance of this row is the actor's and live. */
export const live = (of: Table<Assistance>, actor: SignedInActor, now: Date): Sql =>
  sql`${of.actorId} = ${actor.id} AND ${isLive(of, now)}`;

const a = assistances.as('a');

/** The actor assists on this ticket. */
export const assistsOn = (ticketId: Sql, actor: SignedInActor, now: Date): Sql =>
  sql`EXISTS (SELECT 1 FROM ${a} WHERE ${a.ticketId} = ${ticketId} AND ${live(a, actor, now)})`;

/** The actor assists on this ticket, for this customer. */
export const assistsOnFor = (ticketId: Sql, customerId: Sql, actor: SignedInActor, now: Date): Sql =>
  sql`EXISTS (SELECT 1 FROM ${a} WHERE ${a.ticketId} = ${ticketId} AND ${a.customerId} = ${customerId} AND ${live(a, actor, now)})`;

/** A live assistance of the actor covers this customer. */
export const coversCustomer = (customerId: Sql, actor: SignedInActor, now: Date): Sql =>
  sql`EXISTS (SELECT 1 FROM ${a} WHERE ${a.customerId} = ${customerId} AND ${live(a, actor, now)})`;

/** A live assistance of the actor covers a customer of whom this condition is true. */
export const coversSome = (isTheirs: (customerId: Sql) => Sql, actor: SignedInActor, now: Date): Sql =>
  sql`EXISTS (SELECT 1 FROM ${a} WHERE ${isTheirs(a.customerId)} AND ${live(a, actor, now)})`;

const assistingActors = select(assistances.pick('actorId', 'ticketId', 'customerId'), sql`FROM ${assistances}`);

/** Who assists whom, on which of these customers' tickets. */
export const whoAssists = (
  from: Pick<Reads, 'read'>,
  customerIds: readonly string[],
  now: Date,
): Promise<readonly Selected<typeof assistingActors>[]> =>
  from.read(assistingActors, sql`WHERE ${assistances.customerId} IN (${padded(customerIds)}) AND ${isLive(assistances, now)}`);

export const assistanceIds = select(assistances.pick('id'), sql`FROM ${assistances}`);

/**
 * Writes down that an assistance was used, on the condition that it is live. False where it isn't: whoever ends it meanwhile
 * makes this find nothing, so what the change does under it holds when it commits.
 */
export const useAssistance = async (change: Change, id: string): Promise<boolean> =>
  (await change.bookkeep(
    assistances,
    { lastUsedAt: change.at },
    sql`${assistances.id} = ${id} AND ${isLive(assistances, change.at)}`,
  )) > 0;
