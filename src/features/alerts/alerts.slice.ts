import { describeError } from '../../log';
import type { Core } from '../core';
import type { Tickets } from '../tickets/tickets.service';
import { AlertFeed } from './alert-feed';
import { AlertStreams, type StreamParts } from './alert-stream';
import { AlertsLoader } from './alerts.loader';
import { type AlertParts, Alerts } from './alerts.service';

interface AlertsParts extends Pick<AlertParts, 'assistances'>, Pick<StreamParts, 'sources'> {
  readonly tickets: { readonly service: Tickets };
  readonly actors: { restoreRevocations(): Promise<unknown> };
  readonly maximumAge: { readonly assignment: number };
}

/** What the holder of a ticket should know: raised, told, resolved. */
export const createAlerts = (
  { database, keys, cursors, clock, log }: Core,
  { assistances, tickets, sources, maximumAge: { assignment: maximumAge }, actors }: AlertsParts,
) => {
  const service = new Alerts({ database, keys, cursors, clock, assistances });
  const onFault = (error: unknown) => log.error({ error: describeError(error) }, 'what happened to alerts could not be read');
  const feed = new AlertFeed({ database, clock, onFault, restoreRevocations: () => actors.restoreRevocations() });
  const streams = new AlertStreams({ database, cursors, clock, feed, sources, maximumAge }, async (actor, ticketId) => {
    const reached = await tickets.service.reachable(actor, [ticketId], null);
    return reached.length > 0;
  });
  return {
    services: { alerts: service, alertStreams: streams },
    loader: () => new AlertsLoader(keys),
    recurring: [() => service.expire()],
  };
};
