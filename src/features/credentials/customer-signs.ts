import type { BuiltInRisk } from '../../authz/policy/update-policy';
import type { Change } from '../../db/change';
import type { CustomerSeal } from '../keys/customer-seal';
import type { CredentialUpdate } from './credential-update.entity';
import { factsOf } from './credential-update.moves';

/** The rules that hold by what payments and support together show of a customer, in the order in which an event names them. */
export type CustomerSign = Extract<BuiltInRisk, 'change-against-history' | 'active-hold'>;

/** Whom an update is about: the helpdesk's customer, and who that is at the payment side. */
interface About {
  readonly customerId: string;
  readonly paymentCustomerId: string;
}

/** A change of payment details that is asked for. */
type AskedChange = Pick<CredentialUpdate, 'paymentCustomerId' | 'paymentMethodId' | 'kind'>;

/** What is known of a customer beside their payment data. */
export interface CustomerSigns {
  /** Whether this change, were it made now, would be against their history. Asked outside of any change: signals come later than what they tell of anyway. */
  readonly wouldBeAgainstHistory: (asked: AskedChange) => Promise<boolean>;
  /** Whether a change of theirs lately was, as this change sees it. */
  readonly wasAgainstHistory: (change: Change, customerId: string) => Promise<boolean>;
  /** Since when the youngest hold that stands on them stands, as this change sees it; null where there is none. */
  readonly heldSince: (change: Change, about: About) => Promise<Date | null>;
}

/** Which of these rules hold now. `wouldBe`: that this change would be against their history was found before. */
export const signsOf = async (
  change: Change,
  signs: CustomerSigns,
  { wouldBe, about }: { readonly wouldBe: boolean; readonly about: About },
): Promise<readonly CustomerSign[]> => [
  ...(wouldBe || (await signs.wasAgainstHistory(change, about.customerId)) ? (['change-against-history'] as const) : []),
  ...((await signs.heldSince(change, about)) === null ? [] : (['active-hold'] as const)),
];

/**
 * What came to be known of the customer since the update was asked for makes it high-risk as well: before it is applied a supervisor
 * approves it. The caller saves it.
 */
export const addSigns = async (
  change: Change,
  signs: CustomerSigns,
  { update, seal, wouldBe }: { readonly update: CredentialUpdate; readonly seal: CustomerSeal; readonly wouldBe: boolean },
): Promise<void> => {
  const found = (await signsOf(change, signs, { wouldBe, about: update })).filter((rule) => !update.riskRules.includes(rule));
  if (found.length === 0) return;
  update.riskRules = [...update.riskRules, ...found];
  update.needsApproval = true;
  change.record('credential.risk', { ...factsOf(update, seal), detail: { rules: found } });
};
