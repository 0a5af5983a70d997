import type { CredentialUpdateKind } from '../../../authz/policy/update-policy';
import type { Mail } from '../../../upstream/delivery/delivery.port';
import { linkMail, oneLine } from '../../invitations/link-mails';
import type { CredentialUpdate } from '../credential-update.entity';
import type { FailureReason } from '../credential-update.states';

const asked: Readonly<Record<CredentialUpdateKind, string>> = {
  REPLACE_CARD: 'to replace a stored card',
  BILLING_ADDRESS: 'to change the billing address of a stored payment method',
  SET_DEFAULT: 'to change which payment method is used by default',
  REMOVE: 'to remove a stored payment method',
};

interface UpdateLinkMail {
  readonly merchant: string;
  /** The helpdesk's number; null where a rule asked, as a card ends soon. */
  readonly ticket: string | null;
  readonly kind: CredentialUpdateKind;
  readonly url: string;
  readonly expiresAt: Date;
}

/** The mail that brings an update's link, and nothing of the payment details themselves. */
export const updateLinkMail = ({ merchant, ticket, kind, url, expiresAt }: UpdateLinkMail): Omit<Mail, 'to'> => {
  const name = oneLine(merchant);
  if (ticket === null)
    return linkMail({
      merchant,
      subject: `${name}: a card that you pay with ends soon`,
      before: [
        `A card that you have stored with ${name} ends soon. If you pay with it further on, you can replace it.`,
        'Nothing changes until you say so. See which card it is, and say yes or no:',
      ],
      otherwise: 'If you do nothing, nothing changes, and you are not asked about this card again.',
      url,
      expiresAt,
    });
  const number = oneLine(ticket);
  return linkMail({
    merchant,
    subject: `${name}: please confirm a change (request ${number})`,
    before: [
      `In your request ${number}, ${name} was asked ${asked[kind]}.`,
      'Nothing changes until you confirm it. See exactly what would change, and say yes or no:',
    ],
    otherwise: 'If you did not ask for this, open it and say no, or ignore this mail: then nothing happens.',
    url,
    expiresAt,
  });
};

const changes: Readonly<Record<CredentialUpdateKind, string>> = {
  REPLACE_CARD: 'Replacing a card',
  BILLING_ADDRESS: 'Changing a billing address',
  SET_DEFAULT: 'Changing the default payment method',
  REMOVE: 'Removing a payment method',
};

/**
 * The ticket's notice that the customer was asked. Staff, copies and every archive read it, and no policy masks it for
 * any of them: it says neither link nor code, and nothing of the method.
 */
export const requestNote = ({ id, kind, needsApproval }: CredentialUpdate): string =>
  `${changes[kind]}: the customer was asked to confirm, by e-mail to the address that the payment side holds.${
    needsApproval ? ' A supervisor has to approve afterwards.' : ''
  } (${id})`;

/** Why an update failed, for those who have to tell the customer. */
const failures: Readonly<Record<FailureReason, string>> = {
  REFUSED: 'the provider refused',
  CARD_DECLINED: 'the provider declined the card',
  CARD_EXPIRED: 'the card has expired',
  METHOD_GONE: 'the provider no longer has this payment method',
  CUSTOMER_GONE: 'the provider no longer has this customer',
  METHOD_IN_USE: 'a subscription is paid with it; choose another default first',
  ADDRESS_REFUSED: 'the provider did not accept the address',
  NOT_PERMITTED: 'the gateway’s key may not do this at the provider',
  UNDELIVERABLE: 'the link could not be delivered',
  CONTACT_CHANGED: 'the customer’s contact data changed meanwhile',
  LINK_CHANGED: 'it is no longer sure who this customer is on the payment side',
  CHANGED_MEANWHILE: 'the payment method changed after the customer was asked',
  ON_HOLD: 'a hold was put on the customer’s payments meanwhile',
  NOT_OFFERED: 'the policy no longer offers this change',
  NOT_AUTHENTICATED: 'the card’s issuer did not authenticate the customer',
  SETUP_ENDED: 'what was entered at the provider is not the new card that was asked for',
  PROVIDER_UNREACHABLE: 'the provider could not be reached',
  CUSTOMER_ERASED: 'the customer was erased here before its outcome was known: look at it at the provider',
  PARTLY_APPLIED: 'the provider refused a part and what was done before could not be taken back: look at it there',
};

const endings: Readonly<Record<string, string>> = {
  APPLIED: 'done',
  REFUSED: 'the customer said no',
  REJECTED: 'a supervisor rejected it',
  CANCELLED: 'it was called off',
  EXPIRED: 'nobody answered in time',
};

/** The ticket's note about what became of it, of which the same is true. */
export const outcomeNote = ({ id, kind, state, failure }: CredentialUpdate): string => {
  const isUnsure = failure === 'PARTLY_APPLIED' || failure === 'CUSTOMER_ERASED';
  const how =
    state === 'FAILED'
      ? `failed: ${failures[(failure ?? 'REFUSED') as FailureReason]}${isUnsure ? '' : '. Nothing was changed'}`
      : (endings[state] ?? state);
  return `${changes[kind]}: ${how}. (${id})`;
};
