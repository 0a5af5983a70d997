import type { SignedInActor } from '../../authz/actor';
import { action, allOf, hasMfa, hasRole, type Rule, rule } from '../../authz/rule';
import { personOf } from '../../authz/same-person';
import { type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { isFresh, isOpen, type TicketSubject } from '../assistance/assistance.policy';
import { isInvitedTo } from '../invitations/invitations.policy';
import { isMadeByOthers } from '../tickets/provenance';
import { doneBy } from '../tickets/staff.rows';
import { type TicketGrounds, ticketScope } from '../tickets/tickets.policy';
import { recognition } from './recognition.rows';

/** A question as it is judged in the transaction that asks it. */
export interface AskSubject {
  readonly ticket: TicketSubject;
  /** A live assistance of the actor on this ticket covers its customer. */
  readonly isAssisted: boolean;
  /** The payment side itself says that the ticket's customer is theirs. */
  readonly isVerified: boolean;
  /** The payment side's address of the customer is known for long enough, and no member of staff's. */
  readonly isTheirContact: boolean;
  /** Payments that this customer was asked about within the last day. */
  readonly askedToday: number;
  readonly mostPerDay: number;
}

/**
 * May ask a customer whether a payment is theirs: whoever assists on this ticket, and made neither it nor its customer. Whoever was found
 * by an address alone isn't asked: the question itself tells of a payment.
 */
export const mayAskCustomer: Rule<AskSubject> = allOf<AskSubject>(
  hasRole('AGENT', 'SUPERVISOR'),
  hasMfa,
  rule('TICKET_CLOSED', (actor, { ticket }) => isOpen(actor, ticket)),
  rule('STALE', (actor, { ticket }) => isFresh(actor, ticket)),
  rule('NO_ASSISTANCE', (_, { isAssisted }) => isAssisted),
  rule('SELF_MADE', (actor, { ticket }) => isMadeByOthers(actor, ticket)),
  rule('LINK', (_, { isVerified }) => isVerified),
  rule('CONTACT', (_, { isTheirContact }) => isTheirContact),
  rule('QUOTA', (_, { askedToday, mostPerDay }) => askedToday < mostPerDay),
);

export const recognitionActions = {
  ask: action('recognition.ask', mayAskCustomer, ({ ticket }) => ticket.id),
  answer: action('recognition.answer', isInvitedTo('RECOGNITION')),
};

/** Which questions an actor reaches one by one, as SQL over `recognition` and its `ticket`: what they asked, and those of tickets within their scope. */
export const recognitionReach = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql => {
  const { askedById: actorId, askedByStaffIds: staffIds } = recognition;
  return sql`(${doneBy(personOf(actor), { actorId, staffIds })} OR ${ticketScope(actor, grounds, now)})`;
};

/** A question as far as this rule looks at it. */
interface ShownRecognition {
  readonly ticketId: string;
  readonly customerId: string;
}

/** What a question tells of its customer is shown under an assistance on its ticket. */
export const recognitionIsAssisted = (
  { access }: RelationView,
  { ticketId, customerId }: ShownRecognition,
): DenialReason | null => (access.onTicket(ticketId, customerId) ? null : 'NO_ASSISTANCE');
