import type { LinkAssurance } from '../actor';
import type { VerificationMethodName } from './verification';

/** What can be changed about a stored payment method. */
export const credentialUpdateKinds = ['REPLACE_CARD', 'BILLING_ADDRESS', 'SET_DEFAULT', 'REMOVE'] as const;
export type CredentialUpdateKind = (typeof credentialUpdateKinds)[number];

/** What makes an update high-risk whatever the file says, in the order in which an event names them. */
export const builtInRisks = [
  'matched-link',
  'contact-changed',
  'contact-age-unknown',
  'contact-is-staff',
  'change-against-history',
  'active-hold',
] as const;
export type BuiltInRisk = (typeof builtInRisks)[number];

/** All conditions that are given must hold. */
export interface RiskCondition {
  readonly kinds?: readonly CredentialUpdateKind[] | undefined;
  readonly link?: LinkAssurance | undefined;
  readonly methodIsDefault?: boolean | undefined;
  readonly methodYoungerThanDays?: number | undefined;
  /** A transaction of this customer was disputed within so many days. */
  readonly disputedWithinDays?: number | undefined;
}

export interface RiskRule {
  /** Stands in the event of every update that it made high-risk. */
  readonly name: string;
  readonly when: RiskCondition;
}

/** The section `updates` of the policy file: which changes are offered, what confirms them, and what makes one high-risk. */
export interface UpdatePolicy {
  /** A kind that isn't named isn't offered. */
  readonly kinds: Readonly<Partial<Record<CredentialUpdateKind, { readonly strength: VerificationMethodName }>>>;
  /** How long the customer's link works, and how long an approval is waited for. */
  readonly linkHours: number;
  readonly approvalHours: number;
  readonly quota: { readonly perCustomerPerDay: number };
  readonly highRisk: {
    /** What a confirmation must be worth where an update is high-risk; a supervisor's approval is always needed then. */
    readonly strength: VerificationMethodName;
    /** Contact data that changed within so many days, or whose age isn't known, makes an update high-risk. */
    readonly contactWindowDays: number;
    readonly rules: readonly RiskRule[];
  };
}
