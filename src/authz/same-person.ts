import { type Actor, isSignedIn, type SignedInActor } from './actor';
import { rule } from './rule';

/** Who did something, as it is kept with what they did. */
export interface KeptPerson {
  readonly actorId: string;
  /** Their rows among the staff of every helpdesk; null where it was done before these were kept. */
  readonly staffIds: readonly string[] | null;
}

/** Whoever is signed in, as what they do is kept. */
export const personOf = ({ id, staffIds }: SignedInActor): KeptPerson => ({ actorId: id, staffIds });

/** One person: the same actor, or two that share a row among the staff, as one with two subjects at the identity provider has. */
export const isSamePerson = (actor: Actor, { actorId, staffIds }: KeptPerson): boolean =>
  actor.id === actorId || (isSignedIn(actor) && (staffIds ?? []).some((staffId) => actor.staffIds.includes(staffId)));

/**
 * Somebody else than these by each of their subjects (`asker`: all that the actor is known by; null where nothing but one subject tells who that is)
 * and of their rows among the staff. Of whom nothing else is known, nobody can say that.
 */
export const isNoneOf = (
  actor: Actor,
  asker: readonly string[] | null,
  { actorIds, staffIds }: { readonly actorIds: readonly string[]; readonly staffIds: readonly string[] },
): boolean =>
  isSignedIn(actor) &&
  asker !== null &&
  !actorIds.some((id) => id === actor.id || asker.includes(id)) &&
  !staffIds.some((id) => actor.staffIds.includes(id));

/** The same of one person, as who they are is kept. */
export const isNotPerson = (actor: Actor, asker: readonly string[] | null, { actorId, staffIds }: KeptPerson): boolean =>
  isNoneOf(actor, asker, { actorIds: [actorId], staffIds: staffIds ?? [] });

/** A request that takes two people, as one looks at it who may be the second. */
export interface FourEyes {
  readonly requester: KeptPerson;
  /** The ticket's helpdesk has a row of the requester's among its staff. */
  readonly knowsRequester: boolean;
  /** The ticket's helpdesk has the actor among its active staff. */
  readonly knowsActor: boolean;
}

/** Somebody other than who asked. Of two people of whom the helpdesk doesn't know one, nobody can say that. */
export const isSomebodyElse = rule<FourEyes>(
  'OWN_REQUEST',
  (actor, { requester, knowsRequester, knowsActor }) => knowsActor && knowsRequester && !isSamePerson(actor, requester),
);
