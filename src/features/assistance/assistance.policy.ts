import { isSignedIn } from '../../authz/actor';
import { action, allOf, anyOf, hasMfa, hasRole, type Rule, rule } from '../../authz/rule';
import { isSamePerson, isSomebodyElse, type KeptPerson } from '../../authz/same-person';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { type AssignedWork, inTeam, isMadeByOthers, isOwn, isTeams } from '../tickets/provenance';

/** A ticket as far as it matters for who may assist on it, read in the transaction that asks. */
export interface TicketSubject extends AssignedWork {
  readonly id: string;
  readonly status: string;
  readonly customerId: string | null;
  /** The assignment was confirmed by the helpdesk within the maximum age. */
  readonly isFresh: boolean;
}

export type AutomaticGround = 'own' | 'team';

/** Work goes on: the helpdesk has not closed the ticket. */
export const isOpen = rule<TicketSubject>('TICKET_CLOSED', (_, ticket) => ['NEW', 'OPEN', 'PENDING'].includes(ticket.status));

export const isFresh = rule<TicketSubject>('STALE', (_, ticket) => ticket.isFresh);

export const hasCustomer = rule<TicketSubject>('NO_ASSISTANCE', (_, ticket) => ticket.customerId !== null);

const assists = allOf<unknown>(hasRole('AGENT', 'SUPERVISOR'), hasMfa);

/** A ticket as the actor may open it. */
export interface OpeningSubject extends TicketSubject {
  /** A supervisor ended an assistance of theirs on it, under whichever of their subjects and however long ago. */
  readonly wasEndedBySupervisor: boolean;
}

/** What a supervisor ended stays ended, whoever the ticket was assigned to meanwhile. */
const isNotEnded = rule<OpeningSubject>('APPROVAL_REQUIRED', (_, { wasEndedBySupervisor }) => !wasEndedBySupervisor);

/** Opening this ticket is reason enough. `grounds` is what the policy file says. */
export const beginsByItself = (grounds: readonly AutomaticGround[]): Rule<OpeningSubject> =>
  allOf<OpeningSubject>(
    assists,
    hasCustomer,
    isOpen,
    isFresh,
    anyOf<TicketSubject>(...grounds.map((ground) => (ground === 'own' ? isOwn : isTeams))),
    isMadeByOthers,
    isNotEnded,
  );

/** May ask with a reason: any open ticket within the actor's scope. */
export const mayAsk: Rule<TicketSubject> = allOf<TicketSubject>(assists, hasCustomer, isOpen, isFresh);

export interface AssistanceSubject {
  readonly requester: KeptPerson;
  /** The ticket's helpdesk has a row of the requester's among its staff. */
  readonly knowsRequester: boolean;
  readonly ticket: TicketSubject;
  readonly at: Date;
}

/** An approval is worth a fresh sign-in: a quarter of an hour. */
export const recentLogin = rule<{ readonly at: Date }>(
  'RECENT_LOGIN_REQUIRED',
  (actor, { at }) =>
    isSignedIn(actor) && actor.authenticatedAt !== null && at.getTime() - actor.authenticatedAt.getTime() <= 15 * 60_000,
);

/**
 * May refuse a request: a supervisor of the ticket's team and of its helpdesk's staff, other than who asked, who has just signed in with a
 * second factor.
 */
export const mayReject: Rule<AssistanceSubject> = allOf<AssistanceSubject>(
  hasRole('SUPERVISOR'),
  hasMfa,
  rule(isSomebodyElse.reason, (actor, subject) => isSomebodyElse(actor, { ...subject, knowsActor: subject.ticket.knowsActor })),
  rule('SCOPE', (actor, { ticket }) => isTeams(actor, ticket)),
  rule('SELF_MADE', (actor, { ticket }) => isMadeByOthers(actor, ticket)),
  recentLogin,
);

/** And may consent to it, where work goes on and the helpdesk says whose it is. */
export const mayApprove: Rule<AssistanceSubject> = allOf<AssistanceSubject>(
  mayReject,
  rule('TICKET_CLOSED', (actor, { ticket }) => isOpen(actor, ticket)),
  rule('STALE', (actor, { ticket }) => isFresh(actor, ticket)),
);

/** What a request is decided on is shown to who may decide about it, as long as nobody did. */
export const forWhoDecides = (_: RelationView, request: { readonly decisionDenial: DenialReason | null }): DenialReason | null =>
  request.decisionDenial;

export const mayEnd: Rule<AssistanceSubject> = anyOf<AssistanceSubject>(
  rule('SCOPE', (actor, { requester }) => isSamePerson(actor, requester)),
  rule('SCOPE', (actor, { ticket }) => hasRole('SUPERVISOR')(actor, null) && inTeam(actor, ticket.team)),
);

export const assistanceActions = {
  ask: action('assistance.request', mayAsk, ({ id }) => id),
  approve: action('assistance.approve', mayApprove, ({ ticket }) => ticket.id),
  reject: action('assistance.reject', mayReject, ({ ticket }) => ticket.id),
  end: action('assistance.end', mayEnd, ({ ticket }) => ticket.id),
};
