import { sql } from '../../db/sql';
import { neededBy, optional, type Selected, select } from '../../db/table';
import { keyed, withKeyOf } from '../keys/keys.service';
import { rowAmong } from '../tickets/staff.rows';
import { ticket, ticketRows } from '../tickets/tickets.rows';
import { assistances } from './assistance.entity';

export const assistance = assistances.as('a');
export const grant = assistances.as('g');
/** Of the same person and ticket, asked for later. */
export const later = assistances.as('b');

/** Fields that are shown to who may decide about it. */
const ofDeciding = ['Assistance.link', 'Assistance.earlier'];

/** What is shown of an assistance, with its ticket as far as it tells who decides. */
export const assistanceRows = select(
  {
    ...assistance.pick('id', 'actorId', 'ticketId', 'customerId', 'purpose', 'origin', 'requestedAt', 'beginsAt', 'expiresAt'),
    ...assistance.pick('needsApproval', 'approvedById', 'approvedAt', 'endedAt', 'endReason'),
    ...neededBy(['Assistance.requestedBy', ...ofDeciding], {
      requestedByStaffId: rowAmong(ticket.source, assistance.requestedByStaffIds),
    }),
    ...neededBy(ofDeciding, {
      ...assistance.pick('requestedByStaffIds'),
      ...ticket.pick('source', 'status', 'team', 'teamSetById', 'assigneeId', 'assignedById', 'createdById', 'customerSetByIds'),
      ticketCustomerId: ticket.customerId,
      confirmedAt: ticket.observedAt,
    }),
  },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);
export type AssistanceRow = Selected<typeof assistanceRows>;

/** An assistance with its ticket, as the helpdesk last confirmed it. */
export const onTicketRows = select(
  {
    ...assistance.pick('id', 'ticketId', 'customerId', 'expiresAt'),
    ...ticket.pick('source', 'reference'),
    confirmedAt: ticket.observedAt,
  },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);

/** One that hasn't ended, as far as its end needs it. */
export const openRows = select(
  assistance.pick('id', 'actorId', 'ticketId', 'customerId', 'beginsAt', 'expiresAt', 'leaseUntil'),
  sql`FROM ${assistance}`,
);
export type OpenAssistance = Pick<Selected<typeof openRows>, 'id' | 'actorId' | 'ticketId' | 'leaseUntil'>;

/** Which customers were assisted, and by whom; grouped, each once. */
export const reachedRows = select(assistance.pick('actorId', 'customerId'), sql`FROM ${assistance}`);

/** Who assisted; grouped, each once. */
export const actorIds = select(assistance.pick('actorId'), sql`FROM ${assistance}`);

/** Under which rows among the staff it was asked, and of which team the ticket is. */
export const doneByRows = select(
  { staffIds: assistance.requestedByStaffIds, team: ticket.team },
  sql`FROM ${assistance} JOIN ${ticket} ON ${ticket.id} = ${assistance.ticketId}`,
);

export const ticketIds = select(assistance.pick('ticketId'), sql`FROM ${assistance}`);

/** Why an assistance was asked for, and why it was refused, with the key that it is sealed with. */
export const reasonRows = select(
  { ...assistance.pick('id', 'customerId', 'reasonSealed', 'rejectionSealed'), ...keyed },
  sql`FROM ${assistance} ${withKeyOf(assistance)}`,
);

/** A ticket with its reader's live assistance on it, if there is one; the join says who reads. */
export const openedRows = select(
  {
    ...ticketRows.columns,
    grantId: optional(grant.id),
    grantCustomerId: optional(grant.customerId),
    grantExpiresAt: optional(grant.expiresAt),
  },
  ticketRows.from,
);
export type OpenedRow = Selected<typeof openedRows>;
