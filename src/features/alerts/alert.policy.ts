import { accessClassOf, isSignedIn, linkAssurances, type SignedInActor } from '../../authz/actor';
import type { ExposurePolicy } from '../../authz/policy/exposure';
import { action, allOf, hasMfa, hasRole, type Rule, rule } from '../../authz/rule';
import { isSomebodyElse, type KeptPerson } from '../../authz/same-person';
import { type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { isFresh, isOpen, type TicketSubject } from '../assistance/assistance.policy';
import { assistsOnFor, coversCustomer } from '../assistance/live';
import { customer } from '../customers/customers.rows';
import { isOwn } from '../tickets/provenance';
import { isActiveIn } from '../tickets/staff.rows';
import { heldBy } from '../tickets/tickets.policy';
import { ticket } from '../tickets/tickets.rows';
import { alert } from './alert.rows';
import { reasonKind } from './alert.words';

/** A concern as it is judged in the transaction that reports it. */
export interface ConcernSubject {
  readonly ticket: TicketSubject;
  /** A live assistance of the actor on this ticket covers its customer. */
  readonly isAssisted: boolean;
}

/** An alert as whoever decides what it was stands to it. */
export interface ResolveSubject {
  readonly ticketId: string | null;
  /** A live assistance of the actor covers what it is told on. */
  readonly isAssisted: boolean;
  /** Who reported it, or recorded what it rests on, and whom it is about. */
  readonly people: readonly KeptPerson[];
  /** The ticket's helpdesk has them, and the actor, among its staff. */
  readonly knowsPeople: boolean;
  readonly knowsActor: boolean;
}

const works = allOf<unknown>(hasRole('AGENT', 'SUPERVISOR'), hasMfa);

/** May report a concern: whoever has the ticket, and assists on it. */
export const mayReport: Rule<ConcernSubject> = allOf<ConcernSubject>(
  works,
  rule('TICKET_CLOSED', (actor, { ticket }) => isOpen(actor, ticket)),
  rule('STALE', (actor, { ticket }) => isFresh(actor, ticket)),
  rule('NO_ASSISTANCE', (actor, { ticket, isAssisted }) => isAssisted && isOwn(actor, ticket)),
);

/** May say what an alert was: whoever assists where it is told, other than who reported it or what it rests on, or whom it is about. */
export const mayResolve: Rule<ResolveSubject> = allOf<ResolveSubject>(
  works,
  rule('NO_ASSISTANCE', (_, { isAssisted }) => isAssisted),
  rule(isSomebodyElse.reason, (actor, { people, knowsPeople: knowsRequester, knowsActor }) =>
    people.every((requester) => isSomebodyElse(actor, { requester, knowsRequester, knowsActor })),
  ),
);

export const alertActions = {
  concern: action('alert.concern', mayReport, ({ ticket }) => ticket.id),
  resolve: action('alert.resolve', mayResolve, ({ ticketId }) => ticketId),
};

/** The actor assists where an alert is told: on its ticket, or, where it has none, with its customer. */
const assistsWhereTold = (actor: SignedInActor, now: Date): Sql =>
  sql`(${assistsOnFor(alert.ticketId, alert.customerId, actor, now)}
    OR (${alert.ticketId} IS NULL AND ${coversCustomer(alert.customerId, actor, now)}))`;

const ofClaims = ['claim-against-record'] as const;
const claimedFields = [...reasonKind('CLAIM_UNMATCHED').from, ...reasonKind('CLAIM_CONTRADICTED').from];

/**
 * An alert about what a customer states is for whom everything that it was held against is shown in clear under the customer's link: by mail
 * anybody can guess, and that there is an alert would answer.
 */
export const mayKnowAnswer = (actor: SignedInActor, policy: Pick<ExposurePolicy, 'verdicts'>): Sql => {
  const access = accessClassOf(actor);
  const shown = linkAssurances.filter((link) =>
    claimedFields.every((field) => policy.verdicts(field, access)[link].kind === 'reveal'),
  );
  if (shown.length === linkAssurances.length) return sql`1 = 1`;
  const isOther = sql`${alert.rule} NOT IN (${ofClaims})`;
  if (shown.length === 0) return isOther;
  return sql`(${isOther} OR EXISTS (SELECT 1 FROM ${customer} WHERE ${customer.id} = ${alert.customerId}
    AND ${customer.paymentCustomerId} = ${alert.paymentCustomerId} AND ${customer.link} IN (${shown})))`;
};

/**
 * Which alerts are told to an actor, as SQL over `alert` and its `ticket`: of tickets that they have, and that are still about the same
 * customer, and those where they assist; as long as they are among the active staff of its helpdesk. Nobody is told of one that is about themselves.
 */
export const alertReach = (actor: SignedInActor, now: Date, policy: Pick<ExposurePolicy, 'verdicts'>): Sql => {
  const isTold = sql`((${ticket.customerId} = ${alert.customerId} AND ${heldBy(actor)}) OR ${assistsWhereTold(actor, now)})`;
  const isThere = isActiveIn(ticket.source, actor.staffIds);
  if (actor.staffIds.length === 0) return isThere;
  return sql`${isTold} AND ${isThere} AND ${mayKnowAnswer(actor, policy)} AND (${alert.staffId} IS NULL OR ${alert.staffId} NOT IN (${actor.staffIds}))`;
};

/** An alert as far as these rules look at it. */
export interface ShownAlert {
  readonly ticketId: string | null;
  readonly customerId: string;
}

const isCovered = ({ access }: RelationView, { ticketId, customerId }: ShownAlert): boolean =>
  (ticketId === null ? access.covering(customerId) : access.onTicket(ticketId, customerId)) !== undefined;

/** What an alert says is shown under an assistance where it is told: it opens no right itself. */
export const alertIsAssisted = (view: RelationView, alert: ShownAlert): DenialReason | null =>
  isCovered(view, alert) ? null : 'NO_ASSISTANCE';

/** The same of a part of an alert. */
export const partIsAssisted = (view: RelationView, { alert }: { readonly alert: ShownAlert }): DenialReason | null =>
  alertIsAssisted(view, alert);

/** That there is an alert says something of payments: to nobody without a second factor. */
export const toWhoHasSecondFactor = ({ actor }: RelationView): DenialReason | null =>
  isSignedIn(actor) && actor.mfa ? null : 'MFA_REQUIRED';
