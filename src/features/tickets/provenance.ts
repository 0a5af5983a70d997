import { type Actor, isSignedIn } from '../../authz/actor';
import { allOf, anyOf, type Rule, rule } from '../../authz/rule';

/** Where a ticket is, and by whose doing. */
interface TeamWork {
  readonly team: string | null;
  /** Who moved it to its team. */
  readonly teamSetById: string | null;
}

/** Whose it is, and by whose doing. */
interface Assignment extends TeamWork {
  readonly assigneeId: string | null;
  readonly assignedById: string | null;
}

/** By whose doing a ticket is where it is and about whom it is. */
export interface Provenance extends TeamWork {
  readonly createdById: string | null;
  /** Everybody who ever set, changed or took away whom it is about. */
  readonly customerSetByIds: readonly string[];
  /** The ticket's helpdesk has the actor among its active staff. */
  readonly knowsActor: boolean;
}

/** Both. */
export interface AssignedWork extends Provenance, Assignment {}

const asSelf = (actor: Actor, staffId: string | null): boolean =>
  isSignedIn(actor) && staffId !== null && actor.staffIds.includes(staffId);

export const inTeam = (actor: Actor, team: string | null): boolean =>
  isSignedIn(actor) && team !== null && actor.teams.includes(team);

/** The work of a team of the actor's, which they did not move there themselves. */
const ofTheirTeam = (actor: Actor, ticket: TeamWork): boolean => inTeam(actor, ticket.team) && !asSelf(actor, ticket.teamSetById);

/** Assigned to the actor; where the actor took it without being asked, only from a team of their own. */
export const isOwn = rule<Assignment>(
  'NO_ASSISTANCE',
  (actor, ticket) => asSelf(actor, ticket.assigneeId) && (!asSelf(actor, ticket.assignedById) || ofTheirTeam(actor, ticket)),
);

export const isTeams = rule<TeamWork>('NO_ASSISTANCE', ofTheirTeam);

/**
 * The actor neither created the ticket nor ever set or changed whom it is about. Of whom the helpdesk doesn't know, which
 * an address of one's own editing is enough for, nobody can say that.
 */
export const isMadeByOthers = rule<Provenance>(
  'SELF_MADE',
  (actor, ticket) =>
    ticket.knowsActor && !asSelf(actor, ticket.createdById) && !ticket.customerSetByIds.some((staffId) => asSelf(actor, staffId)),
);

/** The actor's own, with nothing in it that they did themselves. */
export const isGivenToThem: Rule<AssignedWork> = allOf<AssignedWork>(isOwn, isMadeByOthers);

/** Theirs or their team's, and not by their own doing. */
export const comesFromOthers: Rule<AssignedWork> = allOf<AssignedWork>(anyOf<AssignedWork>(isOwn, isTeams), isMadeByOthers);
