import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { actors } from './actor.entity';

/**
 * Two changes that count something of the same actors must not both pass on the same count: writing the actors' rows makes the
 * later one wait, and then count again.
 */
export const countAlone = async (change: Change, actorIds: readonly string[]): Promise<void> => {
  await change.update(actors, { fence: sql`${actors.fence} + 1` }, sql`${actors.id} IN (${actorIds})`);
};
