import { digest, type EventKind, fact, id, ids, oneOf, optional, staffRows, telling, time, word, words } from './event-facts';

/** What the log says of questions to customers whether a payment is theirs. */
export const recognitionEvents = {
  'recognition.answer': {
    reads: 'The customer said of what they were shown, whose digest is `shown`, whether it is theirs; a no placed `hold`.',
    subject: 'Recognition',
    detail: {
      answer: telling('Recognition.transaction', oneOf('RECOGNIZED', 'DISOWNED')),
      channel: word,
      proofs: words,
      shown: digest,
      hold: telling('Recognition.transaction', fact<string | null>('id, or null')),
    },
  },
  'recognition.ask': {
    reads: 'An actor asked the customer whether this payment, which is pending, is theirs.',
    subject: 'Recognition',
    detail: {
      transaction: telling('Transaction.status', id),
      payer: telling('Customer.link', id),
      staff: fact<string | null>('id among the staff of the ticket’s helpdesk, or null'),
      staffRows,
      until: time,
      restsOn: optional(ids),
    },
  },
  'recognition.expire': {
    reads: 'The customer didn’t answer in time.',
    subject: 'Recognition',
  },
  'recognition.fail': {
    reads: 'The customer could not be asked.',
    subject: 'Recognition',
    detail: { reason: word },
  },
  'recognition.link': {
    reads: 'A link for the customer was made, valid until then.',
    subject: 'Recognition',
    detail: { link: id, until: time, token: digest },
  },
  'recognition.link-sent': {
    reads: 'The link was sent to the customer.',
    subject: 'Recognition',
    detail: { channel: word },
  },
  'recognition.note-dropped': {
    reads: 'The note isn’t on the ticket: the helpdesk didn’t take it, or the ticket is about somebody else by now.',
    outcome: 'DENIED',
    subject: 'Recognition',
    detail: { given_up: word },
  },
} as const satisfies Record<string, EventKind>;
