import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { actors } from './actor.entity';

/**
 * Two changes that count something of one actor must not both pass on the same count: writing the actor's row makes the later
 * one wait, and then count again.
 */
export const countAlone = async (change: Change, actorId: string): Promise<void> => {
  await change.update(actors, { fence: sql`${actors.fence} + 1` }, sql`${actors.id} = ${actorId}`);
};
