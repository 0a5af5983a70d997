import type { SignedInActor } from '../../authz/actor';
import { type Sql, sql } from '../../db/sql';
import type { Table } from '../../db/table';
import type { Assistance } from './assistance.entity';

/** The assistance of this row is the actor's and live. */
export const live = (of: Table<Assistance>, actor: SignedInActor, now: Date): Sql =>
  sql`${of.actorId} = ${actor.id} AND ${of.endedAt} IS NULL AND ${of.beginsAt} IS NOT NULL AND ${of.expiresAt} > ${now}`;
