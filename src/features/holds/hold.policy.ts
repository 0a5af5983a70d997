import type { Actor, SignedInActor } from '../../authz/actor';
import { action, allOf, hasMfa, hasRole, type Rule, reasonOf, rule } from '../../authz/rule';
import { isSamePerson, isSomebodyElse, type KeptPerson } from '../../authz/same-person';
import { joined, type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { isFresh, isOpen, recentLogin, type TicketSubject } from '../assistance/assistance.policy';
import { coversSome } from '../assistance/live';
import { orOnceSignedIn } from '../for-decision';
import { isMadeByOthers, isOwn, isTeams, type Provenance } from '../tickets/provenance';
import { isActiveIn } from '../tickets/staff.rows';
import { ticket } from '../tickets/tickets.rows';
import type { HoldCause } from './hold.states';
import { hold } from './holds.rows';

/** A hold as it is judged in the transaction that places it. */
export interface PlaceSubject {
  readonly ticket: TicketSubject;
  /** A live assistance of the actor on this ticket covers its customer. */
  readonly isAssisted: boolean;
  /** It covers others beside the ticket's customer. */
  readonly isGroup: boolean;
}

/** A hold as those see it who decide about it. */
export interface HoldSubject {
  readonly ticketId: string | null;
  readonly cause: HoldCause;
  /** Its ticket as the actor stands to it now; null where it was found on none. */
  readonly ticket: (Provenance & Partial<TicketSubject>) | null;
  /** A live assistance of the actor on its ticket covers its customer. */
  readonly isAssisted: boolean;
  /** Who of the staff asked for it; null where nobody of them did. */
  readonly requester: KeptPerson | null;
  readonly knowsRequester: boolean;
  readonly knowsActor: boolean;
  /** A ticket of whoever it covers is the actor's, or was since shortly before it was placed: see `hadTicketOf`. */
  readonly hadTicket: boolean;
  readonly at: Date;
}

const isSupervisor = hasRole('SUPERVISOR');
const works = allOf<unknown>(hasRole('AGENT', 'SUPERVISOR'), hasMfa);

/** May make something wait: whoever has the ticket and assists on it; a supervisor who assists on it. */
export const mayPlace: Rule<PlaceSubject> = allOf<PlaceSubject>(
  works,
  rule('ROLE', (actor, { isGroup }) => !isGroup || isSupervisor(actor, null)),
  rule('TICKET_CLOSED', (actor, subject) => isOpen(actor, subject.ticket)),
  rule('STALE', (actor, subject) => isFresh(actor, subject.ticket)),
  rule('NO_ASSISTANCE', (actor, subject) => subject.isAssisted && (isSupervisor(actor, null) || isOwn(actor, subject.ticket))),
);

/** Of the ticket's team, not by their own doing; of none where it was found on none. */
const isTheirWork = rule<HoldSubject>('SCOPE', (actor, subject) => subject.ticket === null || isTeams(actor, subject.ticket));
const isNotOfTheirMaking = rule<HoldSubject>(
  'SELF_MADE',
  (actor, subject) => subject.ticket === null || isMadeByOthers(actor, subject.ticket),
);
/** Whoever has a ticket of a customer, or just had one, doesn't decide about what a rule, or the customer, made wait. */
const hadNoTicketOfTheirs = rule<HoldSubject>('OWN_REQUEST', (_, subject) => !subject.hadTicket);
/** Whose its ticket was a while ago says nothing of whose it is. */
const isKnownWhose = rule<HoldSubject>('STALE', (_, { ticket }) => ticket === null || ticket.isFresh === true);

/** Somebody other than who proposed it; where a rule or the customer did, whoever the helpdesk knows. */
const isNotProposer = rule<HoldSubject>(isSomebodyElse.reason, (actor, { requester, knowsRequester, knowsActor }) =>
  requester === null ? knowsActor : isSomebodyElse(actor, { requester, knowsRequester, knowsActor }),
);

/** May decide about a proposal: a supervisor of the ticket's team, other than who proposed it, who has just signed in with a second factor. */
export const mayDecide: Rule<HoldSubject> = allOf<HoldSubject>(
  isSupervisor,
  hasMfa,
  isNotProposer,
  isTheirWork,
  isNotOfTheirMaking,
  hadNoTicketOfTheirs,
  recentLogin,
  isKnownWhose,
);

const isOfStaff = (cause: HoldCause): boolean => cause === 'AGENT' || cause === 'SUPERVISOR';

/** Assigned to the actor, as far as it is known whose it is. */
const isAssignedTo = (actor: Actor, of: HoldSubject['ticket']): boolean =>
  of !== null && isOwn(actor, { assigneeId: null, assignedById: null, ...of });

/** Whoever has the ticket lets go what was placed on it by who had it. */
const asItsAgent = allOf<HoldSubject>(
  works,
  rule('NO_ASSISTANCE', (actor, subject) => subject.isAssisted && isAssignedTo(actor, subject.ticket)),
  rule('OWN_REQUEST', (_, { cause }) => cause === 'AGENT'),
  // Whose a ticket was a while ago permits nothing.
  rule('STALE', (_, subject) => subject.ticket?.isFresh === true),
);

const isByThem = (actor: Actor, { requester, isAssisted }: HoldSubject): boolean =>
  requester !== null && isAssisted && isSamePerson(actor, requester);

const asSupervisor = allOf<HoldSubject>(
  isSupervisor,
  hasMfa,
  rule('SCOPE', (actor, subject) => isTheirWork(actor, subject) || isByThem(actor, subject)),
  isNotOfTheirMaking,
  rule('OWN_REQUEST', (actor, subject) => isOfStaff(subject.cause) || hadNoTicketOfTheirs(actor, subject)),
  rule('RECENT_LOGIN_REQUIRED', (actor, subject) => isOfStaff(subject.cause) || recentLogin(actor, subject)),
  rule('STALE', (actor, subject) => isOfStaff(subject.cause) || isKnownWhose(actor, subject)),
);

/** May let it go: who has the ticket, where one of theirs placed it; a supervisor, but never what a rule placed on a ticket of their own. */
export const mayRelease: Rule<HoldSubject> = Object.assign(
  (actor: Actor, subject: HoldSubject) => asItsAgent(actor, subject) || asSupervisor(actor, subject),
  {
    reason: 'ROLE' as const,
    explain: (actor: Actor, subject: HoldSubject): DenialReason =>
      reasonOf(isSupervisor(actor, null) ? asSupervisor : asItsAgent, actor, subject),
  },
);

const ticketOf = ({ ticketId }: HoldSubject): string | null => ticketId;

export const holdActions = {
  place: action('hold.place', mayPlace, ({ ticket: { id } }: PlaceSubject) => id),
  approve: action('hold.approve', mayDecide, ticketOf),
  reject: action('hold.reject', mayDecide, ticketOf),
  release: action('hold.release', mayRelease, ticketOf),
  extend: action('hold.extend', asSupervisor, ticketOf),
};

/** Roles that see that there are holds, whoever works with them; what is policed of them only under an assistance. */
const overseers = ['PAYMENTS', 'AUDITOR', 'ADMIN'] as const;

/** The hold covers this customer, as SQL over `hold`. */
const isAbout = (customerId: Sql): Sql =>
  sql`(${hold.customerId} = ${customerId} OR (${hold.subjectKind} = 'GROUP' AND INSTR(${hold.customerIds}, ${customerId}) > 0))`;

/**
 * Which holds an actor reaches, as SQL over `hold` and its `ticket`: of customers whom a live assistance of theirs covers; as a supervisor, those on their
 * teams' tickets, and those that were found on none; all of them, whoever oversees.
 */
export const holdReach = (actor: SignedInActor, now: Date): Sql => {
  if (hasRole(...overseers)(actor, null)) return sql`1 = 1`;
  if (actor.staffIds.length === 0) return sql`1 = 0`;
  const any = [coversSome(isAbout, actor, now)];
  if (isSupervisor(actor, null)) {
    any.push(sql`${hold.ticketId} IS NULL`);
    const { team, teamSetById } = ticket;
    if (actor.teams.length > 0)
      any.push(sql`(${team} IN (${actor.teams}) AND (${teamSetById} IS NULL OR ${teamSetById} NOT IN (${actor.staffIds})))`);
  }
  return sql`(${joined(any, ' OR ')}) AND ${isActiveIn(ticket.source, actor.staffIds)}`;
};

/** A hold as far as these rules look at it. */
export interface ShownHold {
  /** On whose ticket it was placed, or whom a rule found first. */
  readonly customerId: string | null;
  /** It waits for a decision that the reader may take. */
  readonly isForDecision: boolean;
  /** The same, had they just signed in. */
  readonly isForDecisionOnceSignedIn?: boolean;
}

/**
 * What it is about is shown under an assistance on its customer; whoever may decide about a proposal sees what they decide on. Of a group no
 * more is told to whoever assists another of its customers than that there is a hold.
 */
export const mayReadHold = ({ access }: RelationView, hold: ShownHold): DenialReason | null =>
  hold.isForDecision || access.covering(hold.customerId) ? null : orOnceSignedIn('NO_ASSISTANCE', hold);

/** The same of a part of a hold. */
export const mayReadPart = (view: RelationView, { hold: whole }: { readonly hold: ShownHold }): DenialReason | null =>
  mayReadHold(view, whole);

/** Payments and people themselves are shown under an assistance only: they say more than what is decided on. */
export const mayFollowPart = ({ access }: RelationView, { hold: whole }: { readonly hold: ShownHold }): DenialReason | null =>
  access.covering(whole.customerId) ? null : 'NO_ASSISTANCE';
