import { sql } from '../../db/sql';
import { neededBy, ofType, optional, type Selected, select, wholeNumber } from '../../db/table';
import { type KeyedRow, keyed, withKeyOf } from '../keys/keys.service';
import { messages, staffMembers, ticketHolders, tickets } from './ticket.entity';

export const ticket = tickets.as('t');
export const message = messages.as('m');
export const staff = staffMembers.as('s');
export const holder = ticketHolders.as('th');

/** Fields whose rules ask whose a ticket is, or by whose doing it is about whom it is. */
const ofDoing = ['Ticket.createdBy', 'Ticket.customerSetBy'];
const ofWhose = [
  ...['Ticket.subject', 'Ticket.credentialUpdates', 'Ticket.recognitions', 'Ticket.messages', 'Message.author'],
  ...ofDoing,
];
const ofProvenance = ['Ticket.messages', 'Message.author', ...ofDoing];

/** A ticket with the key that it, and what is said in it, is sealed with. */
export const ticketRows = select(
  {
    ...ticket.pick('id', 'source', 'reference', 'customerId', 'createdAt', 'updatedAt'),
    confirmedAt: ticket.observedAt,
    ...ofType('Ticket', ticket.pick('status', 'channel')),
    ...neededBy(['Ticket.subject'], ticket.pick('subjectSealed')),
    ...neededBy(['Ticket.team', ...ofWhose], ticket.pick('team')),
    ...neededBy(['Ticket.assignee', ...ofWhose], ticket.pick('assigneeId')),
    ...neededBy(ofWhose, ticket.pick('assignedById', 'teamSetById')),
    ...neededBy(ofProvenance, ticket.pick('createdById', 'customerSetByIds')),
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
    ...message.pick('id', 'createdAt'),
    ...ofType('Message', message.pick('channel', 'redactions')),
    ...neededBy(['Message.author'], message.pick('authorKind', 'authorStaffId')),
    ...neededBy(['Message.truncated'], message.pick('isCut')),
    ...neededBy(['Message.body'], message.pick('bodySealed')),
    ...neededBy(['Message.attachments'], message.pick('attachmentsSealed')),
    ...neededBy(['Message.body', 'Message.attachments'], message.pick('keyId')),
  },
  sql`FROM ${message}`,
);
/** A message as it is stored, with the key of its ticket. */
export type MessageRow = Selected<typeof messageRows> & KeyedRow;

/** Messages that state something of a payment, with what opens them. */
export const statedRows = select(
  { ...message.pick('id', 'ticketId', 'bodySealed', 'createdAt'), dueAt: optional(message.claimDueAt), ...keyed },
  sql`FROM ${message} ${withKeyOf(message)}`,
);
export type StatedMessage = Selected<typeof statedRows>;

export const messageCount = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${message}`);

export const messageCounts = select({ ticketId: message.ticketId, n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${message}`);

export const staffRows = select(staff.pick('id', 'displayName'), sql`FROM ${staff}`);
/** By what members of staff are found. */
export const staffContactRows = select(staff.pick('loginDigest', 'emailDigest'), sql`FROM ${staff}`);
export type StaffRow = Selected<typeof staffRows>;
