import type { LinkAssurance } from '../../../authz/actor';
import type { CredentialUpdateKind, UpdatePolicy } from '../../../authz/policy/update-policy';
import type { PayerRow } from '../../payments/payments.rows';
import type { MethodSummary } from '../method-summary';
import { contactFor } from './new-update';
import { alwaysNeedsCode } from './risk';

/** Why an update of a kind can't be asked for: all there are, in the order in which a request finds them. */
export const updateBlocks = [
  'NOT_OFFERED',
  'LINK',
  'OWN_CONTACT',
  'QUOTA',
  'REMOVED',
  'READ_ONLY',
  'ALREADY_DEFAULT',
  'NOT_A_CARD',
  'IN_WALLET',
  'UNDER_WAY',
  'NO_MAIL',
  'NO_PHONE',
] as const;
export type UpdateBlock = (typeof updateBlocks)[number];

/** Why this kind of change makes no sense for a method; null where it does. */
export const misfit = (
  kind: CredentialUpdateKind,
  method: Pick<MethodSummary, 'isDefault' | 'kind'>,
): Extract<UpdateBlock, 'ALREADY_DEFAULT' | 'NOT_A_CARD' | 'IN_WALLET'> | null => {
  if (kind === 'SET_DEFAULT' && method.isDefault) return 'ALREADY_DEFAULT';
  if (kind === 'REPLACE_CARD' && method.kind !== 'CARD') return 'NOT_A_CARD';
  if (kind === 'BILLING_ADDRESS' && method.kind === 'WALLET') return 'IN_WALLET';
  return null;
};

/** A customer whose answer shows that it is they: the payment side names them, or they can be sent a code. */
export const isConfirmable = (link: LinkAssurance, channels: { readonly sms: boolean }): boolean =>
  link !== 'NONE' && (link === 'VERIFIED' || channels.sms);

/** What is stored of a method, its customer and whoever asks. */
export interface OfferFacts {
  readonly method: Pick<MethodSummary, 'isDefault' | 'kind'> & { readonly isRemoved: boolean };
  readonly link: LinkAssurance;
  /** The customer on the payment side; null where there is none any more. */
  readonly payer: PayerRow | null;
  /** The mailbox of the payment side's contact is the asker's. */
  readonly isOwnContact: boolean;
  readonly requestedToday: number;
  /** The source of the method takes changes. */
  readonly takesUpdates: boolean;
  readonly isUnderWay: boolean;
}

/** Why whoever assists the customer can't ask for this kind of change; null where they can, as far as what is stored tells. Pure. */
export const blockOf = (
  kind: CredentialUpdateKind,
  { method, link, payer, isOwnContact, requestedToday, takesUpdates, isUnderWay }: OfferFacts,
  policy: UpdatePolicy,
  channels: { readonly sms: boolean },
): UpdateBlock | null => {
  if (policy.kinds[kind] === undefined) return 'NOT_OFFERED';
  if (payer === null || !isConfirmable(link, channels)) return 'LINK';
  if (isOwnContact) return 'OWN_CONTACT';
  if (requestedToday >= policy.quota.perCustomerPerDay) return 'QUOTA';
  if (method.isRemoved) return 'REMOVED';
  if (!takesUpdates) return 'READ_ONLY';
  const unfit = misfit(kind, method);
  if (unfit !== null) return unfit;
  if (isUnderWay) return 'UNDER_WAY';
  const contact = contactFor(payer, { needsCode: alwaysNeedsCode(kind, link, policy) }, channels);
  if (contact === 'no-mail') return 'NO_MAIL';
  return contact === 'no-phone' ? 'NO_PHONE' : null;
};
