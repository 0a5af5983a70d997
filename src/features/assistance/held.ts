import type { SignedInActor } from '../../authz/actor';
import type { Sources } from '../sources/sources.service';
import type { Assistances, LiveAssistance } from './assistance.service';

/** The actor's live assistances. Those on tickets whose assignment is not confirmed recently enough are confirmed first, a few of them; the rest don't count. */
export const heldBy = async (
  actor: SignedInActor,
  assistances: Assistances,
  sources: Sources,
): Promise<readonly LiveAssistance[]> => {
  if (actor.kind !== 'staff') return [];
  const live = await assistances.live(actor);
  const stale = live.filter(({ isFresh }) => !isFresh);
  if (stale.length === 0) return live;
  const confirmed = await Promise.allSettled(
    stale.slice(0, 5).map(({ source, reference }) => sources.refreshTicket(source, reference)),
  );
  if (!confirmed.some(({ status }) => status === 'fulfilled')) return live.filter(({ isFresh }) => isFresh);
  return (await assistances.live(actor)).filter(({ isFresh }) => isFresh);
};
