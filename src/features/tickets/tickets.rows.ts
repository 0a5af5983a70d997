import { sql } from '../../db/sql';
import { type Selected, select, wholeNumber } from '../../db/table';
import { keyed, withKeyOf } from '../keys/keys.service';
import { messages, staffMembers, tickets } from './ticket.entity';

export const ticket = tickets.as('t');
export const message = messages.as('m');
export const staff = staffMembers.as('s');

/** A ticket with the key that its subject is sealed with. */
export const ticketRows = select(
  {
    ...ticket.pick('id', 'source', 'reference', 'subjectSealed', 'status', 'channel', 'team', 'assigneeId', 'customerId'),
    ...ticket.pick('assignedById', 'teamSetById', 'createdById', 'customerSetByIds', 'createdAt', 'updatedAt'),
    confirmedAt: ticket.observedAt,
    ...keyed,
  },
  sql`FROM ${ticket} ${withKeyOf(ticket)}`,
);
export type TicketRow = Selected<typeof ticketRows>;

/** Where a ticket is in its helpdesk, and whom it is about. */
export const ticketReferenceRows = select(ticket.pick('source', 'reference', 'customerId'), sql`FROM ${ticket}`);

export const ticketCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${ticket}`);

export const messageRows = select(
  {
    ...message.pick('id', 'ticketId', 'authorKind', 'authorStaffId', 'channel', 'bodySealed', 'attachmentsSealed', 'isCut'),
    ...message.pick('redactions', 'createdAt'),
    ...keyed,
  },
  sql`FROM ${message} ${withKeyOf(message)}`,
);
export type MessageRow = Selected<typeof messageRows>;

export const messageCounts = select({ ticketId: message.ticketId, n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${message}`);

export const staffRows = select(staff.pick('id', 'displayName'), sql`FROM ${staff}`);
export type StaffRow = Selected<typeof staffRows>;
