import { type Action, action, allOf, hasMfa, hasRole, rule } from '../../../authz/rule';
import { isNoneOf, isNotPerson, type KeptPerson } from '../../../authz/same-person';
import { recentLogin } from '../../assistance/assistance.policy';

/** An actor's kept name as one looks at it who would have it erased, read in the transaction that does. */
export interface NameSubject {
  /** All subjects of the person whose name it is. */
  readonly actorIds: readonly string[];
  /** All subjects of who asks; null where nothing but one subject tells who that is. */
  readonly asker: readonly string[] | null;
  /** Who proposed it; null before that. */
  readonly proposer: KeptPerson | null;
  readonly at: Date;
}

/** One of the two privacy officers whom an erasure takes: never of one's own name, never the same person twice, and just signed in. */
const mayErase = allOf<NameSubject>(
  hasMfa,
  hasRole('PRIVACY'),
  rule('OWN_REQUEST', (actor, { asker, actorIds }) => isNoneOf(actor, asker, { actorIds, staffIds: [] })),
  rule('OWN_REQUEST', (actor, { asker, proposer }) => proposer === null || isNotPerson(actor, asker, proposer)),
  rule('RECENT_LOGIN_REQUIRED', (actor, subject) => recentLogin(actor, subject)),
);

export const eraseName: Action<NameSubject, 'actor.name-erase'> = action('actor.name-erase', mayErase);
