import type { SignedInActor } from '../../authz/actor';
import { Sweep } from '../../background/sweep';
import { describeError } from '../../log';
import type { Core } from '../core';
import type { Tickets } from '../tickets/tickets.service';
import { AlertFeed } from './alert-feed';
import { removeHappenings } from './alert-retention';
import { AlertStreams, type StreamParts } from './alert-stream';
import { AlertsLoader, type Among } from './alerts.loader';
import { type AlertParts, Alerts } from './alerts.service';

export interface AlertsParts extends Pick<AlertParts, 'assistances' | 'recordersOf'>, Pick<StreamParts, 'sources'> {
  readonly tickets: Tickets;
  readonly actors: { restoreRevocations(): Promise<unknown> };
  readonly demanded: Among;
  readonly invited: Among;
  /** An assignment that was confirmed longer ago than this, in milliseconds, doesn't authorize. */
  readonly maximumAge: number;
}

/** What the holder of a ticket should know: raised, told, resolved. */
export const createAlerts = (
  { database, keys, cursors, clock, policy, log }: Core,
  { assistances, recordersOf, tickets, sources, maximumAge, actors, demanded, invited }: AlertsParts,
) => {
  const service = new Alerts({ database, keys, cursors, clock, policy, assistances, recordersOf });
  const onFault = (error: unknown) => log.error({ error: describeError(error) }, 'what happened to alerts could not be read');
  const sweep = new Sweep((now) => removeHappenings(database, now), clock);
  const feed = new AlertFeed({ database, clock, onFault, restoreRevocations: () => actors.restoreRevocations() });
  const streams = new AlertStreams({ database, cursors, clock, feed, policy, sources, maximumAge }, async (actor, ticketId) => {
    const reached = await tickets.reachable(actor, [ticketId], null);
    return reached.length > 0;
  });
  return {
    services: { alerts: service, alertStreams: streams },
    loader: (actor: SignedInActor) => new AlertsLoader(keys, { actor, alerts: service }, { demanded, invited }),
    recurring: [() => service.expire(), () => sweep.turn()],
  };
};
