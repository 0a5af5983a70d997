import type { LinkAssurance } from '../../../authz/actor';
import {
  type BuiltInRisk,
  builtInRisks,
  type CredentialUpdateKind,
  type RiskCondition,
  type UpdatePolicy,
} from '../../../authz/policy/update-policy';
import { type VerificationMethodName, verificationMethods } from '../../../authz/policy/verification';
import { ageIsUnknown, type ContactAge, changedLately, isWithin } from '../../payments/contact-age';
import type { CustomerSign } from '../customer-signs';

export type { ContactAge };

/** What is known of an update when its risk is judged. Read in the transaction that relies on it. */
export interface UpdateFacts {
  readonly kind: CredentialUpdateKind;
  readonly link: LinkAssurance;
  /** Of the contact that the payment side holds; `phone` is null where it holds none. */
  readonly contact: { readonly mail: ContactAge; readonly phone: ContactAge | null };
  /** The contact's mail or phone is also that of a member of staff. */
  readonly contactIsStaff: boolean;
  readonly method: { readonly isDefault: boolean; readonly createdAt: Date };
  /** Of the customer's transactions, whichever method they were paid with. */
  readonly lastDisputeAt: Date | null;
  /** What payments and support together show of the customer. */
  readonly signs: readonly CustomerSign[];
}

/** What an update needs before it is applied, beside the customer's confirmation by the link. */
export interface UpdateNeeds {
  /** Names of the rules that make it high-risk, as `riskOf` gives them. */
  readonly rules: readonly string[];
  readonly needsCode: boolean;
  readonly needsThreeDSecure: boolean;
  /** Of a supervisor other than who asked. */
  readonly needsApproval: boolean;
}

const holds = (when: RiskCondition, { kind, link, method, lastDisputeAt }: UpdateFacts, at: Date): boolean =>
  (when.kinds === undefined || when.kinds.includes(kind)) &&
  (when.link === undefined || when.link === link) &&
  (when.methodIsDefault === undefined || when.methodIsDefault === method.isDefault) &&
  (when.methodYoungerThanDays === undefined || isWithin(method.createdAt, when.methodYoungerThanDays, at)) &&
  (when.disputedWithinDays === undefined || (lastDisputeAt !== null && isWithin(lastDisputeAt, when.disputedWithinDays, at)));

const riskGiven = (contacts: readonly ContactAge[], facts: UpdateFacts, { highRisk }: UpdatePolicy, at: Date): string[] => {
  const builtIn: Readonly<Record<BuiltInRisk, boolean>> = {
    'matched-link': facts.link === 'MATCHED',
    'contact-changed': contacts.some((age) => changedLately(age, highRisk.contactWindowDays, at)),
    'contact-age-unknown': contacts.some((age) => ageIsUnknown(age, highRisk.contactWindowDays, at)),
    'contact-is-staff': facts.contactIsStaff,
    'change-against-history': facts.signs.includes('change-against-history'),
    'active-hold': facts.signs.includes('active-hold'),
  };
  const named = highRisk.rules.filter(({ when }) => holds(when, facts, at)).map(({ name }) => name);
  return [...builtInRisks.filter((name) => builtIn[name]), ...named.sort()];
};

/** The kind's own strength and, where rules hold, what they add. */
const strengthsOf = (
  rules: readonly string[],
  { kind }: Pick<UpdateFacts, 'kind'>,
  policy: UpdatePolicy,
): VerificationMethodName[] => {
  const own = policy.kinds[kind]?.strength;
  return [
    ...(own === undefined ? [] : [own]),
    ...(rules.length > 0 ? [policy.highRisk.strength] : []),
    // Whoever was found by an address alone may be somebody else, who reads that address's mail.
    ...(rules.includes('matched-link') ? (['code'] as const) : []),
  ];
};

const needsCode = (strengths: readonly VerificationMethodName[]): boolean =>
  strengths.some((name) => verificationMethods[name].channel === 'sms');

/** Whatever else is known of the customer, a change of this kind takes a code. Pure. */
export const alwaysNeedsCode = (kind: CredentialUpdateKind, link: LinkAssurance, policy: UpdatePolicy): boolean =>
  needsCode(strengthsOf(link === 'MATCHED' ? ['matched-link'] : [], { kind }, policy));

/**
 * Names of the rules that make an update high-risk: first the built-in ones, which no file switches off, then the file's,
 * by name. The telephone's age counts where a code will be sent to it. Pure; `at` is the instant of judgement.
 */
export const riskOf = (facts: UpdateFacts, policy: UpdatePolicy, at: Date): readonly string[] => {
  const { mail, phone } = facts.contact;
  const byMail = riskGiven([mail], facts, policy, at);
  const isCodeSent = needsCode(strengthsOf(byMail, facts, policy));
  return phone !== null && isCodeSent ? riskGiven([mail, phone], facts, policy, at) : byMail;
};

/**
 * What an update needs. Strengths add up, the strongest doesn't stand for the others: 3-D Secure shows who holds the new
 * card, a code who the customer is. A `MATCHED` link needs a code and an approval, whatever the file says.
 */
export const needsOf = (facts: UpdateFacts, policy: UpdatePolicy, at: Date): UpdateNeeds => {
  const rules = riskOf(facts, policy, at);
  const strengths = strengthsOf(rules, facts, policy);
  return {
    rules,
    needsCode: needsCode(strengths),
    needsThreeDSecure: strengths.some((name) => verificationMethods[name].channel === 'provider'),
    needsApproval: rules.length > 0,
  };
};
