import type { Channel, TicketStatus } from '../../upstream/helpdesk/helpdesk.port';
import type { DemoTeam } from './staff';

/** What a ticket is about. */
export type Topic = 'declined' | 'twice' | 'expired' | 'refund' | 'authentication' | 'unrecognized' | 'change' | 'receipt';

export interface CastTicket {
  /** Number of the customer; null for a ticket without one. */
  readonly customer: number | null;
  readonly status: TicketStatus;
  readonly channel: Channel;
  readonly team: DemoTeam;
  readonly assignee: string | null;
  readonly assignedBy: string | null;
  readonly createdByStaff: string | null;
  readonly customerSetBy: readonly string[];
  readonly topic: Topic;
  readonly messages: number;
  /** Hours between the ticket's creation and the anchor. */
  readonly age: number;
  readonly pastesCard?: boolean;
}

const anas = {
  status: 'OPEN',
  channel: 'EMAIL',
  team: 'cards',
  assignee: 'ana',
  assignedBy: null,
  createdByStaff: null,
  customerSetBy: [],
  topic: 'declined',
  messages: 4,
} as const;

/** The tickets written by hand, from reference 1001 on. Customers 1 to 12 occur in these and in no other ticket. */
export const castTickets: readonly CastTicket[] = [
  { ...anas, customer: 1, messages: 10, age: 50 },
  { ...anas, customer: 2, topic: 'expired', age: 26 },
  { ...anas, customer: 3, topic: 'twice', channel: 'WEB', age: 31 },
  { ...anas, customer: 5, channel: 'PHONE', createdByStaff: 'ana', customerSetBy: ['ana'], messages: 2, age: 20 },
  { ...anas, customer: 6, customerSetBy: ['ana'], messages: 3, age: 43 },
  { ...anas, customer: 7, status: 'RESOLVED', topic: 'refund', messages: 5, age: 9 * 24 },
  { ...anas, customer: 8, status: 'NEW', assignee: null, topic: 'expired', channel: 'CHAT', messages: 1, age: 5 },
  {
    ...anas,
    customer: 9,
    team: 'wallets',
    assignee: 'ben',
    assignedBy: 'sam',
    topic: 'authentication',
    channel: 'CHAT',
    age: 15,
  },
  { ...anas, customer: 10, channel: 'WEB', pastesCard: true, messages: 5, age: 28 },
  { ...anas, customer: 11, assignedBy: 'ana', topic: 'twice', channel: 'SOCIAL', messages: 3, age: 37 },
  { ...anas, customer: 12, status: 'PENDING', assignedBy: 'sam', topic: 'unrecognized', messages: 6, age: 60 },
  { ...anas, customer: 4, team: 'disputes', assignee: 'rosa', topic: 'unrecognized', channel: 'PHONE', messages: 3, age: 70 },
  { ...anas, customer: null, topic: 'receipt', channel: 'OTHER', messages: 1, age: 12 },
];

export const firstTicketReference = 1_001;

export interface WellKnownTicket {
  readonly reference: string;
  /** Number of the customer, as `helpdeskReferenceOf` and `paymentReferenceOf` take it. */
  readonly customer: number | null;
  /** What is particular about it. */
  readonly about: string;
}

const known = (position: number, about: string): WellKnownTicket => {
  const ticket = castTickets[position];
  if (!ticket) throw new RangeError('no such ticket of the cast');
  return { reference: String(firstTicketReference + position), customer: ticket.customer, about };
};

/** Tickets that stand for the same in every demo merchant, whatever its seed and size (only people and texts differ): for a first look and for tests. */
export const demoTickets = {
  own: known(
    0,
    'Ana’s own open ticket with a VERIFIED customer: ten messages, three payment methods (one expired and replaced), a subscription that charges the default one, twenty transactions with declines. E-mail and telephone have been the same for months.',
  ),
  matched: known(1, 'Ana’s own; the payment customer is only MATCHED, by e-mail; it can be called as well.'),
  twoCandidates: known(2, 'Ana’s own; two payment customers share the e-mail, so the link is NONE.'),
  selfMade: known(3, 'Open and Ana’s own, but she created it herself in the name of a customer who never wrote.'),
  readdressed: known(4, 'Ana’s own, but she changed whom it is about.'),
  closed: known(5, 'Ana’s own, resolved: no assistance begins.'),
  unassigned: known(6, 'New and unassigned, in Ana’s team (cards).'),
  otherTeam: known(7, 'Ben’s, in the wallets team; amounts in KWD with three decimals, name in Arabic script.'),
  pastedCard: known(8, 'Ana’s own; the customer pasted a card number into a message; amounts in JPY without decimals.'),
  taken: known(
    9,
    'Ana’s own because she took it: she assigned it to herself. The customer’s contact data was changed only days ago.',
  ),
  suspicious: known(
    10,
    'Ana’s own; attempts from several countries within the hour, on a device that other customers use too. Nobody knows when the customer’s contact data was last changed.',
  ),
  household: known(11, 'Rosa’s, in the disputes team; about the other customer of the shared e-mail.'),
  noCustomer: known(12, 'Ana’s own, about nobody: the helpdesk knows no customer.'),
} as const satisfies Record<string, WellKnownTicket>;
