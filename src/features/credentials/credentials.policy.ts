import { type Actor, isSignedIn, type SignedInActor } from '../../authz/actor';
import { action, allOf, anyOf, hasMfa, hasRole, type Rule, rule } from '../../authz/rule';
import { type FourEyes, isSamePerson, isSomebodyElse, personOf } from '../../authz/same-person';
import { type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { isFresh, isOpen, recentLogin, type TicketSubject } from '../assistance/assistance.policy';
import { isInvitedTo } from '../invitations/invitations.policy';
import { inTeam, isMadeByOthers, isTeams, type Provenance } from '../tickets/provenance';
import { doneBy } from '../tickets/staff.rows';
import { listedScope, type TicketGrounds, ticketScope } from '../tickets/tickets.policy';
import type { CredentialUpdate } from './credential-update.entity';
import { credentialUpdate } from './credentials.rows';

/** What a request is judged by, as it is in the transaction that makes it. */
export interface RequestSubject {
  readonly ticket: TicketSubject;
  /** A live assistance of the actor on this ticket covers its customer. */
  readonly isAssisted: boolean;
  /** The ticket's customer is known to the payment side, by a link whose updates can be confirmed here. */
  readonly isLinked: boolean;
  /** Whose mailbox the payment side's contact is, where it is one of the staff. */
  readonly contactStaffIds: readonly string[];
  /** Updates of this customer that were requested within the last day. */
  readonly requestedToday: number;
  readonly mostPerDay: number;
}

/** An update as those see it who decide about it. */
export interface UpdateSubject extends FourEyes, Provenance {
  readonly ticketId: string;
  /** Whose mailbox the customer's link went to, where it is one of the staff. */
  readonly contactStaffIds: readonly string[];
  readonly at: Date;
}

/** Who asked for an update, and that the ticket's helpdesk knows them. */
export const requesterOf = (
  update: Pick<CredentialUpdate, 'requestedById' | 'requestedByStaffId' | 'requestedByStaffIds'>,
): Pick<FourEyes, 'requester' | 'knowsRequester'> => ({
  requester: { actorId: update.requestedById, staffIds: update.requestedByStaffIds },
  knowsRequester: update.requestedByStaffId !== null,
});

/** What the actor asked for, under whichever of their subjects, as SQL over `credentialUpdate`. */
export const requestedBy = (actor: SignedInActor): Sql => {
  const { requestedById: actorId, requestedByStaffIds: staffIds } = credentialUpdate;
  return doneBy(personOf(actor), { actorId, staffIds });
};

/** Which updates an actor reaches one by one, as SQL over `credentialUpdate` and its `ticket`: what they asked for, and those of tickets within their scope. */
export const updateReach = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql =>
  sql`(${requestedBy(actor)} OR ${ticketScope(actor, grounds, now)})`;

/** Which of these their lists have. */
export const listedReach = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql =>
  sql`(${requestedBy(actor)} OR ${listedScope(actor, grounds, now)})`;

/** Whoever answers for the customer in that mailbox would be the actor. */
const isOwnContact = (actor: Actor, contactStaffIds: readonly string[]): boolean =>
  isSignedIn(actor) && contactStaffIds.some((staffId) => actor.staffIds.includes(staffId));

const works = allOf<unknown>(hasRole('AGENT', 'SUPERVISOR'), hasMfa);

/** May ask for a change: whoever assists on this ticket, for a customer whom the payment side knows. */
export const mayRequest: Rule<RequestSubject> = allOf<RequestSubject>(
  works,
  rule('TICKET_CLOSED', (actor, { ticket }) => isOpen(actor, ticket)),
  rule('STALE', (actor, { ticket }) => isFresh(actor, ticket)),
  rule('NO_ASSISTANCE', (_, { isAssisted }) => isAssisted),
  rule('LINK', (_, { isLinked }) => isLinked),
  rule('OWN_CONTACT', (actor, { contactStaffIds }) => !isOwnContact(actor, contactStaffIds)),
  rule('QUOTA', (_, { requestedToday, mostPerDay }) => requestedToday < mostPerDay),
);

/** May call it off: who asked for it, or a supervisor of the ticket's team. */
export const mayCancel: Rule<UpdateSubject> = allOf<UpdateSubject>(
  works,
  anyOf<UpdateSubject>(
    rule('SCOPE', (actor, { requester }) => isSamePerson(actor, requester)),
    rule('SCOPE', (actor, { team }) => hasRole('SUPERVISOR')(actor, null) && inTeam(actor, team)),
  ),
);

/**
 * May approve or reject: a supervisor of the ticket's team and of its helpdesk's staff, other than who asked, who has just signed
 * in with a second factor.
 */
export const mayDecide: Rule<UpdateSubject> = allOf<UpdateSubject>(
  hasRole('SUPERVISOR'),
  hasMfa,
  isSomebodyElse,
  rule('OWN_CONTACT', (actor, { contactStaffIds }) => !isOwnContact(actor, contactStaffIds)),
  rule('SCOPE', (actor, update) => isTeams(actor, update)),
  isMadeByOthers,
  recentLogin,
);

const isItsCustomer = isInvitedTo('CREDENTIAL_UPDATE');

export const credentialActions = {
  request: action('credential.request', mayRequest, ({ ticket }) => ticket.id),
  cancel: action('credential.cancel', mayCancel, ({ ticketId }) => ticketId),
  approve: action('credential.approve', mayDecide, ({ ticketId }) => ticketId),
  reject: action('credential.reject', mayDecide, ({ ticketId }) => ticketId),
  confirm: action('credential.confirm', isItsCustomer),
  refuse: action('credential.refuse', isItsCustomer),
  sendCode: action('credential.code', isItsCustomer),
};

/** An update as far as these rules look at it. */
export interface ShownUpdate {
  readonly ticketId: string;
  readonly customerId: string;
  /** It waits for a decision that the reader may take. */
  readonly isForDecision: boolean;
}

/** Details are shown under an assistance on the update's ticket; whoever may decide about one that waits for it sees what they decide on. */
export const mayReadDetails = ({ access }: RelationView, update: ShownUpdate): DenialReason | null =>
  update.isForDecision || access.onTicket(update.ticketId, update.customerId) ? null : 'NO_ASSISTANCE';

/** What a part of an update tells of the customer is shown as the update's own details are. */
export const mayReadPart = (view: RelationView, { update }: { readonly update: ShownUpdate }): DenialReason | null =>
  mayReadDetails(view, update);

/** What was decided about it is also told to who asked for it, after their assistance has ended, too. */
export const mayReadDecision = (
  view: RelationView,
  { update }: { readonly update: ShownUpdate & { readonly isAskers: boolean } },
): DenialReason | null => (update.isAskers ? null : mayReadDetails(view, update));

/** The method itself is shown under an assistance only: it says more than what is decided on. */
export const mayFollowMethod = ({ access }: RelationView, update: ShownUpdate): DenialReason | null =>
  access.onTicket(update.ticketId, update.customerId) ? null : 'NO_ASSISTANCE';
