import type { Core } from '../core';
import type { Loading } from '../loading';
import { TicketsLoader } from './tickets.loader';
import { type TicketParts, Tickets } from './tickets.service';

/** The helpdesk's cases, with their messages and the staff who work on them. */
export const createTickets = (
  { database, keys, cursors, clock }: Core,
  { sources, scope, maximumAge }: Pick<TicketParts, 'sources' | 'scope' | 'maximumAge'>,
) => ({
  service: new Tickets({ database, keys, cursors, clock, scope, sources, maximumAge }),
  loader: (loading: Loading) => new TicketsLoader(database, loading),
});
