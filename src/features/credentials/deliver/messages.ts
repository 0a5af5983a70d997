import { escapeUTF8 } from 'entities/escape';
import type { CredentialUpdateKind } from '../../../authz/policy/update-policy';
import type { Mail } from '../../../upstream/delivery/delivery.port';
import type { CredentialUpdate } from '../credential-update.entity';
import type { FailureReason } from '../credential-update.states';

/** In a subject or a line of text: one line in its own direction, whatever a file or a helpdesk made of it. */
const oneLine = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();

const asked: Readonly<Record<CredentialUpdateKind, string>> = {
  REPLACE_CARD: 'to replace a stored card',
  BILLING_ADDRESS: 'to change the billing address of a stored payment method',
  SET_DEFAULT: 'to change which payment method is used by default',
  REMOVE: 'to remove a stored payment method',
};

export interface LinkMail {
  readonly merchant: string;
  /** The helpdesk's number. */
  readonly ticket: string;
  readonly kind: CredentialUpdateKind;
  readonly url: string;
  readonly expiresAt: Date;
}

/**
 * The mail that brings the link, and nothing of the payment details themselves: whoever reads the mailbox without being
 * the customer learns no more than that something was asked.
 */
export const linkMail = ({ merchant, ticket, kind, url, expiresAt }: LinkMail): Omit<Mail, 'to'> => {
  const [name, number] = [oneLine(merchant), oneLine(ticket)];
  const until = `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const sentences = [
    `In your request ${number}, ${name} was asked ${asked[kind]}.`,
    'Nothing changes until you confirm it. See exactly what would change, and say yes or no:',
  ];
  const ending = [
    `The link works once, until ${until}.`,
    `If you did not ask for this, open it and say no, or ignore this mail: then nothing happens.`,
    `${name} never asks for a card number, a security code or a password by mail or telephone. Don’t forward this mail: whoever has the link can answer for you.`,
  ];
  return {
    subject: `${name}: please confirm a change (request ${number})`,
    text: [...sentences, '', url, '', ...ending].join('\n'),
    html: [
      '<!doctype html><html lang="en"><body style="font:16px/1.5 sans-serif;color:#1c1c1c">',
      ...sentences.map((sentence) => `<p>${escapeUTF8(sentence)}</p>`),
      `<p><a href="${escapeUTF8(url)}">${escapeUTF8(url)}</a></p>`,
      ...ending.map((sentence) => `<p>${escapeUTF8(sentence)}</p>`),
      '</body></html>',
    ].join('\n'),
  };
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
