import { count, digest, type EventKind, id, ofStaff, words } from './event-facts';

/** Of which kinds it is, and which of its ticket: never what was stated, nor whether that fits. */
const stated = { traits: words, ordinal: count };

/** What the log says of what customers state of payments. */
export const claimEvents = {
  'claim.read': {
    reads: 'What a customer states of one payment in a message of theirs was held against their payments.',
    subject: 'Claim',
    detail: { ...stated, message: id },
  },
  'claim.record': {
    reads: 'An actor recorded that the customer of a ticket states this much of one payment; it was held against theirs.',
    subject: 'Claim',
    detail: { ...stated, key: digest, request: digest, staffRows: ofStaff },
  },
} as const satisfies Record<string, EventKind>;
