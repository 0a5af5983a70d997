import { Failure } from '../../failure';
import type { ProviderRefusal } from '../../upstream/payments/payments.port';

export const credentialUpdateStates = [
  'REQUESTED',
  'AWAITING_CUSTOMER',
  'AWAITING_PROVIDER',
  'AWAITING_APPROVAL',
  'APPLYING',
  'UNKNOWN',
  'APPLIED',
  'FAILED',
  'REFUSED',
  'REJECTED',
  'CANCELLED',
  'EXPIRED',
] as const;
export type CredentialUpdateState = (typeof credentialUpdateStates)[number];

/** Every transition there is. What isn't here is refused with `CONFLICT`. */
export const transitions: Readonly<Record<CredentialUpdateState, readonly CredentialUpdateState[]>> = {
  // The link is on its way.
  REQUESTED: ['AWAITING_CUSTOMER', 'FAILED', 'CANCELLED', 'EXPIRED'],
  AWAITING_CUSTOMER: ['AWAITING_PROVIDER', 'AWAITING_APPROVAL', 'APPLYING', 'REFUSED', 'FAILED', 'CANCELLED', 'EXPIRED'],
  // Confirmed; the new card is entered on the provider's page.
  AWAITING_PROVIDER: ['AWAITING_APPROVAL', 'APPLYING', 'FAILED', 'CANCELLED', 'EXPIRED'],
  AWAITING_APPROVAL: ['APPLYING', 'REJECTED', 'CANCELLED', 'EXPIRED'],
  APPLYING: ['APPLIED', 'FAILED', 'UNKNOWN'],
  // An answer was lost: the provider is asked what holds before anything is tried again.
  UNKNOWN: ['APPLYING', 'APPLIED', 'FAILED'],
  APPLIED: [],
  FAILED: [],
  REFUSED: [],
  REJECTED: [],
  CANCELLED: [],
  EXPIRED: [],
};

export const isTerminal = (state: CredentialUpdateState): boolean => transitions[state].length === 0;

/** States that end by themselves where nobody answers in time. */
export const isWaiting = (state: CredentialUpdateState): boolean => transitions[state].includes('EXPIRED');

/** States in which nothing was sent to the provider yet, so that it can still be called off. */
export const isOpenToCancel = (state: CredentialUpdateState): boolean => transitions[state].includes('CANCELLED');

/** Throws `CONFLICT` for a transition that the table doesn't have. */
export const expectTransition = (from: CredentialUpdateState, to: CredentialUpdateState): void => {
  if (transitions[from].includes(to)) return;
  throw new Failure('CONFLICT', `The update is ${from}; it can't become ${to}.`, {
    remedy: isTerminal(from) ? 'It has ended; request a new one if it is still needed.' : 'Look at its state and history first.',
  });
};

/** Why an update failed, by the provider's refusal or before it was asked for anything. */
export type FailureReason =
  | ProviderRefusal
  | 'UNDELIVERABLE'
  | 'CONTACT_CHANGED'
  | 'LINK_CHANGED'
  | 'CHANGED_MEANWHILE'
  /** A hold was put on the customer after the last who had a say had theirs. */
  | 'ON_HOLD'
  | 'NOT_OFFERED'
  | 'NOT_AUTHENTICATED'
  | 'SETUP_ENDED'
  | 'PROVIDER_UNREACHABLE'
  /** The provider refused a step, and those before it could not be taken back. */
  | 'PARTLY_APPLIED'
  /** Whatever was asked for or sent, nobody knows it any more. */
  | 'CUSTOMER_ERASED';

/** Why an update moved, where the states don't say it: for the history and the log. */
export type MoveReason =
  | FailureReason
  | 'BY_HAND'
  | 'CODE_TRIES'
  | 'LINK_EXPIRED'
  | 'SETUP_EXPIRED'
  | 'APPROVAL_EXPIRED'
  // To and from UNKNOWN.
  | 'ANSWER_LOST'
  | 'EFFECT_PROVEN'
  | 'ABSENCE_PROVEN';
