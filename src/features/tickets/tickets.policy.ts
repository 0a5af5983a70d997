import type { SignedInActor } from '../../authz/actor';
import type { ScopePolicy } from '../../authz/policy/file';
import { reasonOf } from '../../authz/rule';
import { joined, type Sql, sql } from '../../db/sql';
import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import { type AssignedWork, isGivenToThem } from './provenance';
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

/** Which tickets an actor works with, as SQL over `ticket`: a list, a count and a cursor are then right by themselves. */
export const ticketScope = (actor: SignedInActor, { roles, assisted }: TicketGrounds, now: Date): Sql => {
  const grounds = new Set(actor.roles.flatMap((role) => roles[role] ?? []));
  const parts: Sql[] = [];
  if (grounds.has('own') && actor.staffIds.length > 0) parts.push(sql`${ticket.assigneeId} IN (${actor.staffIds})`);
  if (grounds.has('team') && actor.teams.length > 0) parts.push(sql`${ticket.team} IN (${actor.teams})`);
  if (grounds.has('assisted')) parts.push(assisted(ticket.id, actor, now));
  // Nobody's tickets: a role that the policy doesn't name works with none.
  return parts.length === 0 ? sql`1 = 0` : sql`(${joined(parts, ' OR ')})`;
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

/** The helpdesk confirmed lately whose ticket this is. Where that is too long ago, what the ticket is about isn't shown; that it exists is. */
export const assignmentIsConfirmed = (_: RelationView, ticket: ShownTicket): DenialReason | null =>
  ticket.freshness.stale ? 'STALE' : null;

export const messageIsAssisted = (view: RelationView, message: { readonly of: ShownTicket }): DenialReason | null =>
  ticketIsAssisted(view, message.of);
