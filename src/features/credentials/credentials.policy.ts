import { type Actor, isSignedIn, type SignedInActor } from '../../authz/actor';
import { action, allOf, anyOf, hasMfa, hasRole, type Rule, rule } from '../../authz/rule';
import { isSamePerson, isSomebodyElse, type KeptPerson, personOf } from '../../authz/same-person';
import { joined, type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { alertIsAssisted } from '../alerts/alert.policy';
import { isFresh, isOpen, recentLogin, type TicketSubject } from '../assistance/assistance.policy';
import { coversCustomer } from '../assistance/live';
import { customer } from '../customers/customers.rows';
import { orOnceSignedIn } from '../for-decision';
import { isInvitedTo } from '../invitations/invitations.policy';
import { inTeam, isMadeByOthers, isTeams, type Provenance } from '../tickets/provenance';
import { doneBy, isActiveIn } from '../tickets/staff.rows';
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
export interface UpdateSubject {
  /** Null where a rule asked for it. */
  readonly ticketId: string | null;
  readonly ticket: Provenance | null;
  /** Who of the staff asked for it; null where nobody of them did. */
  readonly requester: KeptPerson | null;
  readonly knowsRequester: boolean;
  /** The helpdesk of the ticket, or of the customer where there is none, has the actor among its active staff. */
  readonly knowsActor: boolean;
  /** A live assistance of the actor covers the customer. */
  readonly isAssisted: boolean;
  /** Whose mailbox the customer's link went to, where it is one of the staff. */
  readonly contactStaffIds: readonly string[];
  readonly at: Date;
}

/** Who asked for an update, and that the ticket's helpdesk knows them. What is on no ticket a rule asked for. */
export const requesterOf = (
  update: Pick<CredentialUpdate, 'ticketId' | 'requestedById' | 'requestedByStaffId' | 'requestedByStaffIds'>,
): Pick<UpdateSubject, 'requester' | 'knowsRequester'> => ({
  requester: update.ticketId === null ? null : { actorId: update.requestedById, staffIds: update.requestedByStaffIds },
  knowsRequester: update.requestedByStaffId !== null,
});

/** How an update's ticket came to be; null where it is on none. */
export const provenanceOf = (
  {
    ticketId,
    team,
    teamSetById,
    createdById,
    customerSetByIds,
  }: Omit<Provenance, 'knowsActor' | 'customerSetByIds'> & {
    readonly ticketId: string | null;
    readonly customerSetByIds: readonly string[] | null;
  },
  knowsActor: boolean,
): Provenance | null =>
  ticketId === null ? null : { team, teamSetById, createdById, customerSetByIds: customerSetByIds ?? [], knowsActor };

/** What the actor asked for, under whichever of their subjects, as SQL over `credentialUpdate`. */
export const requestedBy = (actor: SignedInActor): Sql => {
  const { requestedById: actorId, requestedByStaffIds: staffIds } = credentialUpdate;
  return doneBy(personOf(actor), { actorId, staffIds });
};

/**
 * What a rule asked for, on no ticket, as SQL over `credentialUpdate` and its `customer`: reached by whoever assists the customer, and by supervisors
 * of the customer's helpdesk, who are the ones to approve it.
 */
const withoutTicketReach = (actor: SignedInActor, now: Date): Sql => {
  const any = [
    coversCustomer(credentialUpdate.customerId, actor, now),
    ...(hasRole('SUPERVISOR')(actor, null) ? [sql`${customer.source} IS NOT NULL`] : []),
  ];
  return sql`(${credentialUpdate.ticketId} IS NULL AND (${joined(any, ' OR ')}) AND ${isActiveIn(customer.source, actor.staffIds)})`;
};

/**
 * Which updates an actor reaches one by one, as SQL over `credentialUpdate`, its `ticket` and its `customer`: what they asked for, those of tickets
 * within their scope, and what a rule asked for.
 */
export const updateReach = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql =>
  sql`(${requestedBy(actor)} OR ${ticketScope(actor, grounds, now)} OR ${withoutTicketReach(actor, now)})`;

/** Which of these their lists have. */
export const listedReach = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql =>
  sql`(${requestedBy(actor)} OR ${listedScope(actor, grounds, now)} OR ${withoutTicketReach(actor, now)})`;

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

const isSupervisor = hasRole('SUPERVISOR');

/** May call it off: who asked for it, or a supervisor of the ticket's team; on no ticket, whoever assists the customer, or a supervisor of their helpdesk. */
export const mayCancel: Rule<UpdateSubject> = allOf<UpdateSubject>(
  works,
  anyOf<UpdateSubject>(
    rule('SCOPE', (actor, { requester }) => requester !== null && isSamePerson(actor, requester)),
    rule('SCOPE', (actor, { ticket }) => ticket !== null && isSupervisor(actor, null) && inTeam(actor, ticket.team)),
    rule(
      'SCOPE',
      (actor, { ticket, knowsActor, isAssisted }) => ticket === null && knowsActor && (isAssisted || isSupervisor(actor, null)),
    ),
  ),
);

/** Somebody other than who asked; where a rule did, whoever the helpdesk knows. */
const isNotRequester = rule<UpdateSubject>(isSomebodyElse.reason, (actor, { requester, knowsRequester, knowsActor }) =>
  requester === null ? knowsActor : isSomebodyElse(actor, { requester, knowsRequester, knowsActor }),
);

/**
 * May approve or reject: a supervisor of the ticket's team and of its helpdesk's staff, other than who asked, who has just signed
 * in with a second factor. Of what a rule asked for, on no ticket, a supervisor of the customer's helpdesk.
 */
export const mayDecide: Rule<UpdateSubject> = allOf<UpdateSubject>(
  isSupervisor,
  hasMfa,
  isNotRequester,
  rule('OWN_CONTACT', (actor, { contactStaffIds }) => !isOwnContact(actor, contactStaffIds)),
  rule('SCOPE', (actor, { ticket }) => ticket === null || isTeams(actor, ticket)),
  rule(isMadeByOthers.reason, (actor, { ticket }) => ticket === null || isMadeByOthers(actor, ticket)),
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
  readonly ticketId: string | null;
  readonly customerId: string;
  /** It waits for a decision that the reader may take. */
  readonly isForDecision: boolean;
  /** The same, had they just signed in. */
  readonly isForDecisionOnceSignedIn?: boolean;
}

/**
 * Details are shown under an assistance on the update's ticket, or, where it has none, under any on its customer; whoever may decide about one that
 * waits for it sees what they decide on.
 */
export const mayReadDetails = (view: RelationView, update: ShownUpdate): DenialReason | null =>
  update.isForDecision ? null : orOnceSignedIn(mayFollowMethod(view, update), update);

/** What a part of an update tells of the customer is shown as the update's own details are. */
export const mayReadPart = (view: RelationView, { update }: { readonly update: ShownUpdate }): DenialReason | null =>
  mayReadDetails(view, update);

/** What was decided about it is also told to who asked for it, after their assistance has ended, too. */
export const mayReadDecision = (
  view: RelationView,
  { update }: { readonly update: ShownUpdate & { readonly isAskers: boolean } },
): DenialReason | null => (update.isAskers ? null : mayReadDetails(view, update));

/** The method itself is shown under an assistance only: it says more than what is decided on. */
export const mayFollowMethod = (view: RelationView, update: ShownUpdate): DenialReason | null => alertIsAssisted(view, update);

/** What can be asked for of a method is told under a live assistance for whose it is. */
export const coversOwner = (
  { access }: RelationView,
  { customer }: { readonly customer: { readonly id: string } },
): DenialReason | null => (access.covering(customer.id) ? null : 'NO_ASSISTANCE');
