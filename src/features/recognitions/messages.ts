import type { Mail } from '../../upstream/delivery/delivery.port';
import type { Undelivered } from '../invitations/link.entity';
import { linkMail, oneLine } from '../invitations/link-mails';
import type { Recognition, RecognitionState } from './recognition.entity';

interface QuestionMail {
  readonly merchant: string;
  /** The helpdesk's number. */
  readonly ticket: string;
  readonly url: string;
  readonly expiresAt: Date;
}

/** The mail that brings the question, and nothing of the payment itself. */
export const questionMail = ({ merchant, ticket, url, expiresAt }: QuestionMail): Omit<Mail, 'to'> => {
  const [name, number] = [oneLine(merchant), oneLine(ticket)];
  return linkMail({
    merchant,
    subject: `${name}: was this payment you? (request ${number})`,
    before: [
      `In your request ${number}, ${name} has a question about a payment.`,
      'See which one it is, and say whether you made it:',
    ],
    otherwise: 'If you don’t answer, nothing is done because of it.',
    url,
    expiresAt,
  });
};

const subject = 'Question about a payment';

/**
 * The ticket's notice that the customer was asked. Staff, copies and every archive read it: it says neither link nor code, and
 * nothing of the payment.
 */
export const requestNote = ({ id }: Pick<Recognition, 'id'>): string =>
  `${subject}: the customer was asked whether they made it, by e-mail to the address that the payment side holds. (${id})`;

const failures: Readonly<Record<Undelivered, string>> = {
  UNDELIVERABLE: 'the link could not be delivered',
  CONTACT_CHANGED: 'the customer’s contact data changed meanwhile',
  LINK_CHANGED: 'it is no longer sure who this customer is on the payment side',
  CUSTOMER_ERASED: 'the customer was erased here',
};

const endings: Readonly<Record<Exclude<RecognitionState, 'ASKED' | 'FAILED'>, string>> = {
  RECOGNIZED: 'the customer says that they made it',
  DISOWNED: 'the customer says that they did not make it',
  EXPIRED: 'nobody answered in time',
};

/** The ticket's note about what came of it, of which the same is true. */
export const outcomeNote = ({ id, state, failure, holdId }: Pick<Recognition, 'id' | 'state' | 'failure' | 'holdId'>): string => {
  const how =
    state === 'FAILED'
      ? `it could not be asked: ${failures[failure ?? 'UNDELIVERABLE']}`
      : state === 'ASKED'
        ? 'not answered yet'
        : endings[state];
  return `${subject}: ${how}${holdId === null ? '' : '; it is held for a while'}. (${id})`;
};
