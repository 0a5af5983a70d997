import type { SignedInActor } from '../../authz/actor';
import type { ScopePolicy } from '../../authz/policy/file';
import { reasonOf } from '../../authz/rule';
import { joined, type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { type AssignedWork, isGivenToThem, isOwn, isTeams } from './provenance';
import { ticket } from './tickets.rows';

/** A ticket as far as these rules look at it. */
interface ShownTicket {
  readonly id: string;
  readonly customerId: string | null;
  /** The helpdesk that it is of. */
  readonly source: string;
  readonly provenance: Omit<AssignedWork, 'knowsActor'>;
  /** Why opening it began no assistance; null where one began, or it wasn't opened. */
  readonly openingDenial: DenialReason | null;
  readonly freshness: { readonly stale: boolean };
}

/** Why an actor works with a ticket. */
export interface TicketGrounds {
  /** By role, as the policy file says. */
  readonly roles: ScopePolicy;
  /** The condition that the actor assists on a ticket, over the column that names it. */
  readonly assisted: (ticketId: Sql, actor: SignedInActor, now: Date) => Sql;
}

/** Which tickets an actor works with, where those of their teams meet this condition. */
const scopeWith = (actor: SignedInActor, { roles, assisted }: TicketGrounds, now: Date, ofTeams: Sql): Sql => {
  const grounds = new Set(actor.roles.flatMap((role) => roles[role] ?? []));
  const parts: Sql[] = [];
  if (grounds.has('own') && actor.staffIds.length > 0) parts.push(sql`${ticket.assigneeId} IN (${actor.staffIds})`);
  if (grounds.has('team') && actor.teams.length > 0) parts.push(sql`(${ticket.team} IN (${actor.teams})${ofTeams})`);
  if (grounds.has('assisted')) parts.push(assisted(ticket.id, actor, now));
  // Nobody's tickets: a role that the policy doesn't name works with none.
  return parts.length === 0 ? sql`1 = 0` : sql`(${joined(parts, ' OR ')})${ofFrame(actor)}`;
};

/** In a helpdesk's frame, of these, those of that helpdesk; and where it signed for one ticket, that one, whatever leads to another. */
export const ofFrame = ({ frame }: SignedInActor): Sql => {
  if (frame === undefined) return sql``;
  const reference = frame.signed?.reference ?? null;
  return sql` AND ${ticket.source} = ${frame.source}${reference === null ? sql`` : sql` AND ${ticket.reference} = ${reference}`}`;
};

/**
 * Which tickets an actor may open one by one, or ask for something on, as SQL over `ticket`: also one that they moved into a team of
 * theirs. Of that they see no more than that it is there, until somebody else consents.
 */
export const ticketScope = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql =>
  scopeWith(actor, grounds, now, sql``);

/** Which tickets an actor's lists, counts and cursors have: those, but for what is their team's by their own doing. */
export const listedScope = (actor: SignedInActor, grounds: TicketGrounds, now: Date): Sql => {
  const { teamSetById } = ticket;
  // Whom no helpdesk knows has moved nothing.
  if (actor.staffIds.length === 0) return ticketScope(actor, grounds, now);
  const byOthers = sql` AND (${teamSetById} IS NULL OR ${teamSetById} NOT IN (${actor.staffIds}))`;
  return scopeWith(actor, grounds, now, byOthers);
};

/**
 * The ticket is open and was given to the actor by others, as SQL over `ticket`: `isGivenToThem`.
 */
export const heldBy = (actor: SignedInActor): Sql => {
  if (actor.staffIds.length === 0 || actor.helpdesks.length === 0) return sql`1 = 0`;
  const { assigneeId, assignedById, team, teamSetById, createdById, customerSetByIds, source, status } = ticket;
  const theirs = actor.staffIds;
  const ofTheirTeam =
    actor.teams.length === 0
      ? sql`1 = 0`
      : sql`${team} IN (${actor.teams}) AND (${teamSetById} IS NULL OR ${teamSetById} NOT IN (${theirs}))`;
  const unmade = theirs.map((id) => sql`INSTR(${customerSetByIds}, ${JSON.stringify(id)}) = 0`);
  return sql`${assigneeId} IN (${theirs}) AND ${status} IN ('NEW', 'OPEN', 'PENDING') AND ${source} IN (${actor.helpdesks})
    AND (${assignedById} IS NULL OR ${assignedById} NOT IN (${theirs}) OR (${ofTheirTeam}))
    AND (${createdById} IS NULL OR ${createdById} NOT IN (${theirs})) AND ${joined(unmade, ' AND ')}`;
};

/** The ticket's customer is covered by a live assistance of the actor. */
export const customerIsCovered = ({ access }: RelationView, ticket: ShownTicket): DenialReason | null =>
  ticket.customerId === null || access.covering(ticket.customerId) ? null : (ticket.openingDenial ?? 'NO_ASSISTANCE');

/**
 * The actor assists on this very ticket. One without a customer leads to nobody's payments and is read by whom it was given to:
 * whoever took it from others, created it or took its customer away reads nothing by that.
 */
export const ticketIsAssisted = ({ actor, access }: RelationView, ticket: ShownTicket): DenialReason | null => {
  if (ticket.customerId === null) {
    if (ticket.freshness.stale) return 'STALE';
    const subject = { ...ticket.provenance, knowsActor: actor.helpdesks.includes(ticket.source) };
    return isGivenToThem(actor, subject) ? null : reasonOf(isGivenToThem, actor, subject);
  }
  return access.onTicket(ticket.id, ticket.customerId) ? null : (ticket.openingDenial ?? 'NO_ASSISTANCE');
};

/**
 * The ticket is the actor's or their team's, and not by their own doing; or they assist on it. Of any other that they reach, so that
 * an assistance can be asked for, no more is shown than that it is there.
 */
export const ticketIsTheirs = (
  { actor, access }: RelationView,
  { id, customerId, provenance }: ShownTicket,
): DenialReason | null =>
  isOwn(actor, provenance) || isTeams(actor, provenance) || access.onTicket(id, customerId) ? null : 'NO_ASSISTANCE';

/** And the helpdesk confirmed lately whose it is. Where that is too long ago, what the ticket is about isn't shown; that it exists is. */
export const subjectIsShown = (view: RelationView, ticket: ShownTicket): DenialReason | null =>
  ticket.freshness.stale ? 'STALE' : ticketIsTheirs(view, ticket);

export const messageIsAssisted = (view: RelationView, message: { readonly of: ShownTicket }): DenialReason | null =>
  ticketIsAssisted(view, message.of);
