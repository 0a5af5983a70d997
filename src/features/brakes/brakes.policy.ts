import { isSignedIn } from '../../authz/actor';
import type { BrakePolicy } from '../../authz/policy/file';
import { type Action, action, allOf, anyOf, hasMfa, hasRole, rule } from '../../authz/rule';
import { isNoneOf, isNotPerson, type KeptPerson } from '../../authz/same-person';
import { recentLogin } from '../assistance/assistance.policy';

/** A brake as one looks at it who would release it, read in the transaction that does. */
export interface BrakeSubject {
  readonly stops: { readonly actorIds: readonly string[]; readonly staffIds: readonly string[] };
  /** All subjects of who would release it; null where nothing but one subject tells who that is. */
  readonly asker: readonly string[] | null;
  /** That the stopped person works in; none where none is known. */
  readonly teams: readonly string[];
  /** Who proposed to release it; null before that. */
  readonly proposer: KeptPerson | null;
  readonly at: Date;
}

const isOfAnotherTeam = rule<BrakeSubject>(
  'SCOPE',
  (actor, { teams }) => isSignedIn(actor) && teams.length > 0 && !actor.teams.some((team) => teams.includes(team)),
);

const isNotStopped = rule<BrakeSubject>('OWN_REQUEST', (actor, { asker, stops }) => isNoneOf(actor, asker, stops));

const isNotProposer = rule<BrakeSubject>(
  'OWN_REQUEST',
  (actor, { asker, proposer }) => proposer === null || isNotPerson(actor, asker, proposer),
);

/**
 * One of the two people that a release takes: of a role that the policy names and of no team of the braked person's, or an administrator or
 * auditor, whose work is outside the teams; never the person themselves, never the same twice, and just signed in.
 */
export const brakeActions = ({ releasedBy }: BrakePolicy) => {
  const mayRelease = allOf<BrakeSubject>(
    hasMfa,
    anyOf<BrakeSubject>(allOf<BrakeSubject>(isOfAnotherTeam, hasRole(...releasedBy)), hasRole('ADMIN', 'AUDITOR')),
    isNotStopped,
    isNotProposer,
    rule('RECENT_LOGIN_REQUIRED', (actor, subject) => recentLogin(actor, subject)),
  );
  const release: Action<BrakeSubject, 'brake.release'> = action('brake.release', mayRelease);
  return { release };
};
