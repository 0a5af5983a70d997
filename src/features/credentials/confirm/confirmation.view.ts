import type { CredentialUpdateKind } from '../../../authz/policy/update-policy';
import type { InvitationAnswer, InvitationDesk, InvitationInput, InvitationView } from '../../invitations/invitation.view';

/** What the customer is shown, and nothing else. All texts are plain; whoever writes them into a page escapes them. */
export interface ConfirmationView extends InvitationView {
  readonly kind: CredentialUpdateKind;
  /** `AT_PROVIDER`: confirmed, and the new card is still to be entered on the provider's page. */
  readonly stage: 'ASKED' | 'AT_PROVIDER';
  /** The helpdesk's number of the ticket; null where nobody of the staff asked, but a rule did, as the card ends soon. */
  readonly ticket: string | null;
  /** Who asked, as the helpdesk names them; null where nobody knows, or nobody did. */
  readonly askedBy: string | null;
  readonly reason: string;
  /** The method as it is, masked: `Visa •••• 4242, valid until 08/2030`. */
  readonly before: string;
  /** What becomes of it, masked, in one sentence. */
  readonly after: string;
  /** The provider's page, where `stage` is `AT_PROVIDER`; null where it takes a code to be led there. */
  readonly continueAt: string | null;
}

export interface NewAddress {
  readonly line1: string;
  readonly line2: string;
  readonly city: string;
  /** Empty where there is none. */
  readonly state: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** `agreed`: see `needsAgreement`. */
export interface ConfirmationInput extends InvitationInput {
  /** For `BILLING_ADDRESS`. */
  readonly address: NewAddress | null;
}

/**
 * Whether a yes takes a choice of its own. Where nothing else is entered, a program that opens the links of a mail and presses
 * the first button that it finds would say yes in the customer's name.
 */
export const needsAgreement = ({ kind, stage, code }: Pick<ConfirmationView, 'kind' | 'stage' | 'code'>): boolean =>
  stage === 'ASKED' && kind !== 'BILLING_ADDRESS' && code === null;

export type ConfirmationField = 'code' | 'agreed' | keyof NewAddress;

/** What became of an answer. */
export type ConfirmationAnswer = InvitationAnswer<ConfirmationView, ConfirmationField>;

/** The customer's side of an update. */
export type ConfirmationDesk = InvitationDesk<ConfirmationView, ConfirmationField, ConfirmationInput>;
