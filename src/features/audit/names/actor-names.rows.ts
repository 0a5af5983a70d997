import { auditEvents } from '../../../db/audit.entity';
import { sql } from '../../../db/sql';
import { instant, optional, type Selected, select } from '../../../db/table';
import { actors } from '../../actors/actor.entity';
import { actorNames } from '../../actors/actor-name.entity';
import { keyedIfAny, withKeyOfOwner } from '../../keys/keys.service';

const n = actorNames.as('n');
const a = actors.as('a');
const e = auditEvents.as('e');

/** Actors with their names, and the keys that these are sealed with. */
export const namedActors = select(
  {
    actorId: a.id,
    createdAt: a.createdAt,
    id: optional(n.id),
    seenAt: optional(n.seenAt),
    ...n.pick('nameSealed', 'proposedById', 'proposedAt', 'erasedById', 'erasedAt'),
    ...keyedIfAny,
  },
  sql`FROM ${a} LEFT JOIN ${n} ON ${n.actorId} = ${a.id} ${withKeyOfOwner(n.id)}`,
);
export type NamedRow = Selected<typeof namedActors>;
export const isAmong = (ids: readonly string[]) => sql`WHERE ${a.id} IN (${ids})`;

/** When each of these did something last, as the log has it. */
export const lastDoings = select({ actorId: e.actorId, lastAt: instant(sql`MAX(${e.at})`) }, sql`FROM ${e}`);
export const doneBy = (ids: readonly string[]) => sql`WHERE ${e.actorId} IN (${ids}) GROUP BY ${e.actorId}`;
