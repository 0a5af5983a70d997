import type { CredentialUpdateKind } from '../../../authz/policy/update-policy';

/** What the customer is shown, and nothing else. All texts are plain; whoever writes them into a page escapes them. */
export interface ConfirmationView {
  readonly kind: CredentialUpdateKind;
  /** `AT_PROVIDER`: confirmed, and the new card is still to be entered on the provider's page. */
  readonly stage: 'ASKED' | 'AT_PROVIDER';
  readonly merchant: string;
  /** The helpdesk's number of the ticket. */
  readonly ticket: string;
  /** Who asked, as the helpdesk names them; null where nobody knows. */
  readonly askedBy: string | null;
  readonly reason: string;
  /** The method as it is, masked: `Visa •••• 4242, valid until 08/2030`. */
  readonly before: string;
  /** What becomes of it, masked, in one sentence. */
  readonly after: string;
  /** Until when the link works. */
  readonly expiresAt: Date;
  /** Null where no code is asked for. `sentTo` is masked; null until one was sent. */
  readonly code: { readonly sentTo: string | null; readonly triesLeft: number; readonly sendsLeft: number } | null;
  /** Digest of all of the above that the customer decides on: whoever confirms sends it back, and it must still be true. */
  readonly shown: string;
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

export interface ConfirmationInput {
  readonly shown: string;
  readonly code: string;
  /** For `BILLING_ADDRESS`. */
  readonly address: NewAddress | null;
  /** The customer said by a choice of its own that they asked for it: see `needsAgreement`. */
  readonly agreed?: boolean;
}

/**
 * Whether a yes takes a choice of its own. Where nothing else is entered, a program that opens the links of a mail and presses
 * the first button that it finds would say yes in the customer's name.
 */
export const needsAgreement = ({ kind, stage, code }: Pick<ConfirmationView, 'kind' | 'stage' | 'code'>): boolean =>
  stage === 'ASKED' && kind !== 'BILLING_ADDRESS' && code === null;

export type ConfirmationField = 'code' | 'agreed' | keyof NewAddress;

/** What became of an answer. `again`: nothing happened, and here is why; `dead`: the link can't be used, for whatever reason. */
export type ConfirmationAnswer =
  | { readonly outcome: 'confirmed'; readonly view: ConfirmationView; readonly waitsForApproval: boolean }
  | { readonly outcome: 'refused'; readonly view: ConfirmationView }
  | { readonly outcome: 'continue'; readonly view: ConfirmationView }
  | {
      readonly outcome: 'again';
      readonly view: ConfirmationView;
      readonly problems: readonly { readonly field: ConfirmationField | null; readonly message: string }[];
    }
  | { readonly outcome: 'dead' };

/** The customer's side of an update, by the token of their link. Whoever has the token is the customer. */
export interface ConfirmationDesk {
  /** Changes nothing: mail scanners follow links. Null for a token that can't be used, for whatever reason. */
  view(token: string): Promise<ConfirmationView | null>;
  /** Sends a fresh code by the second channel. */
  sendCode(token: string): Promise<ConfirmationAnswer>;
  confirm(token: string, input: ConfirmationInput): Promise<ConfirmationAnswer>;
  refuse(token: string, shown: string): Promise<ConfirmationAnswer>;
}
