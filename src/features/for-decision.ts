import type { SignedInActor } from '../authz/actor';
import { type Rule, reasonOf } from '../authz/rule';
import type { DenialReason } from '../failure';

/** Whether something waits for a decision that its reader may take. */
export interface ForDecision {
  readonly isNow: boolean;
  /** They may once they have signed in anew: nothing else is in the way. */
  readonly isOnceSignedIn: boolean;
}

export const noDecision: ForDecision = { isNow: false, isOnceSignedIn: false };

/** The same by the rule for whoever decides, which asks for a recent sign-in after all that is about them and what they decide on. */
export const forDecision = <Subject>(mayDecide: Rule<Subject>, actor: SignedInActor, subject: Subject): ForDecision => {
  const isNow = mayDecide(actor, subject);
  return { isNow, isOnceSignedIn: !isNow && reasonOf(mayDecide, actor, subject) === 'RECENT_LOGIN_REQUIRED' };
};

/** Why what somebody would decide on isn't shown: where signing in anew would lift that, so it says. */
export const orOnceSignedIn = (
  denial: DenialReason | null,
  { isForDecisionOnceSignedIn = false }: { readonly isForDecisionOnceSignedIn?: boolean },
): DenialReason | null => (denial === 'NO_ASSISTANCE' && isForDecisionOnceSignedIn ? 'RECENT_LOGIN_REQUIRED' : denial);
