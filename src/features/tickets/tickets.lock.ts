import type { Change } from '../../db/change';
import { Ticket } from './ticket.entity';

/**
 * The ticket as it is now, held until the change ends. Whatever is done under a ticket locks it first: two changes that lock in
 * different orders would wait for each other. Throws `NOT_FOUND`.
 */
export const lockTicket = (change: Change, id: string): Promise<Ticket> => change.lock(Ticket, { id });
