import { count, digest, type EventKind, fact, ids, ofStaff, oneOf, optional, telling, time, word, words } from './event-facts';

/** A move of a hold: from where to where, which of its moves it is, and why where the states don't say it. */
const move = {
  from: fact<string | null>('state before, or null'),
  to: word,
  moves: count,
  reason: optional(telling('Alert.rule', word)),
};
/** A move by one of the staff. */
const decided = {
  ...move,
  staff: fact<string | null>('id among the staff of the ticket’s helpdesk, or null'),
  staffRows: ofStaff,
};

/** The same where it may be by none of them. */
const decidedOrNot = { ...move, staff: optional(decided.staff), staffRows: optional(ofStaff) };

/** How a hold begins: what it covers and is to bring about, until when, who asked for it and what that rests on. */
const begun = {
  ...move,
  cause: telling('Alert.rule', oneOf('AGENT', 'SUPERVISOR', 'RULE', 'CUSTOMER')),
  kind: oneOf('CUSTOMER', 'TRANSACTION', 'GROUP'),
  transaction: telling('Alert.rule', fact<string | null>('id, or null')),
  domain: fact<string | null>('keyed digest of an e-mail domain, or null'),
  payer: telling('Customer.link', fact<string | null>('id, or null')),
  payers: optional(
    telling(
      'Customer.link',
      fact<readonly string[]>('who each customer was at the payment side, in the order of the customers’ ids; `NONE` for nobody'),
    ),
  ),
  effects: telling('Alert.rule', words),
  until: time,
  rule: telling('Alert.rule', fact<string | null>('word, or null')),
  version: telling('Alert.rule', fact<number | null>('count, or null')),
  by: fact<string | null>('id of who of the staff asked for it, or null'),
  staff: fact<string | null>('id among the staff of the ticket’s helpdesk, or null'),
  staffRows: fact<readonly string[] | null>('ids among the staff of every helpdesk, or null'),
  key: digest,
  request: fact<string | null>('digest, or null'),
  restsOn: telling('Alert.rule', ids),
};

/** What the log says of holds. */
export const holdEvents = {
  'hold.approve': {
    reads: 'A supervisor consented to the hold that had been proposed; it is placed from now on.',
    subject: 'Hold',
    detail: { ...decided, of: fact<string | null>('id of who of the staff proposed it, or null') },
  },
  'hold.effect': {
    reads:
      'Something that the hold is to bring about is now so, and who keeps to it; or which calls that takes at the provider, and what came of one of them; or all of it is settled; or the gateway’s own job for it was gone, and is there again.',
    subject: 'Hold',
    detail: [
      {
        effect: telling('Alert.rule', word),
        state: telling('Alert.rule', word),
        by: oneOf('PROVIDER', 'PIPELINE'),
        deadline: telling('Alert.rule', fact<string | null>('UTC time or null')),
        revision: count,
      },
      {
        effect: telling('Alert.rule', word),
        step: count,
        phase: oneOf('APPLY', 'UNDO'),
        action: telling('Alert.rule', word),
        state: word,
        key: count,
        refusal: optional(telling('Alert.rule', word)),
      },
      { calls: telling('Alert.rule', words) },
      { job: oneOf('RENEWED') },
      move,
    ],
  },
  'hold.expire': {
    reads: 'The hold’s time is over: what it had stopped goes on.',
    subject: 'Hold',
    detail: move,
  },
  'hold.extend': {
    reads: 'The hold’s end was moved: later by a supervisor, or sooner because the authorization ends.',
    subject: 'Hold',
    detail: { ...decidedOrNot, until: time },
    notes: ['reason'],
  },
  'hold.fail': {
    reads: 'The hold could bring nothing about, or what it had stopped couldn’t be let go.',
    subject: 'Hold',
    detail: move,
  },
  'hold.lapse': {
    reads: 'The provider moved first: there is nothing left to hold.',
    subject: 'Hold',
    detail: move,
  },
  'hold.place': {
    reads: 'A hold was placed; it ends by itself at `until`.',
    subject: 'Hold',
    detail: begun,
    notes: ['reason'],
  },
  'hold.propose': {
    reads: 'A hold was proposed; it stops nothing before a supervisor consents.',
    subject: 'Hold',
    detail: begun,
    notes: ['reason'],
  },
  'hold.reject': {
    reads: 'A supervisor refused the hold that had been proposed.',
    subject: 'Hold',
    detail: { ...decided, of: fact<string | null>('id of who of the staff proposed it, or null') },
    notes: ['reason'],
  },
  'hold.release': {
    reads: 'The hold was released by hand: what it had stopped goes on; or all of it does by now.',
    subject: 'Hold',
    detail: decidedOrNot,
    notes: ['reason'],
  },
} as const satisfies Record<string, EventKind>;
