import {
  count,
  digest,
  type EventKind,
  flag,
  id,
  ids,
  later,
  oneOf,
  optional,
  staffRows,
  step,
  telling,
  time,
  word,
  words,
} from './event-facts';

/** What the log says of updates of payment methods. */
export const credentialEvents = {
  'card-invitation.end': {
    reads: 'The customer was asked for a new card by this update; or why they weren’t.',
    subject: 'CardInvitation',
    detail: {
      state: oneOf('ASKED', 'DROPPED'),
      update: optional(id),
      reason: optional(telling('CredentialUpdate.riskRules', word)),
    },
  },
  'card-invitation.plan': {
    reads: 'A rule wants the customer to be asked for a new card before this one ends; not before their turn, which is `due`.',
    subject: 'CardInvitation',
    detail: {
      rule: telling('Alert.rule', word),
      version: count,
      method: id,
      payer: later(telling('Customer.link', id)),
      source: later(word),
      ends: telling('PaymentMethod.expiryMonth', time),
      due: time,
      restsOn: telling('Alert.rule', ids),
    },
  },
  'credential.apply': {
    reads: 'The update moved on at the provider, or ended there.',
    subject: 'CredentialUpdate',
    detail: { ...step, calls: optional(count) },
  },
  'credential.approve': {
    reads: 'A supervisor approved what the customer had confirmed and `of` had asked for.',
    subject: 'CredentialUpdate',
    detail: { ...step, of: id },
  },
  'credential.cancel': {
    reads: 'The update was called off by hand.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.card-entered': {
    reads: 'The customer entered a card on the provider’s page.',
    subject: 'CredentialUpdate',
    detail: { ...step, authenticated: telling('Confirmation.proofs', flag) },
    notes: ['after', 'country'],
  },
  'credential.card-refused': {
    reads: 'The card that was entered can’t be used for this update.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.card-unwanted': {
    reads: 'A card was entered for an update that nobody waits for any more; it is taken away again.',
    subject: 'CredentialUpdate',
    detail: { state: word },
  },
  'credential.code': {
    reads: 'A code was made for the customer and is sent to them.',
    subject: 'CredentialUpdate',
    detail: { sends: count },
  },
  'credential.code-failed': {
    reads: 'A wrong code was entered.',
    outcome: 'DENIED',
    subject: 'CredentialUpdate',
    detail: { tries: count },
  },
  'credential.code-tries-spent': {
    reads: 'A wrong code was entered too often; the update is called off.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.code-unsent': {
    reads: 'The code could not be sent and is forgotten.',
    outcome: 'DENIED',
    subject: 'CredentialUpdate',
    detail: { sends: count },
  },
  'credential.confirm': {
    reads: 'The customer confirmed what they were shown, whose digest is `shown`.',
    subject: 'CredentialUpdate',
    detail: {
      ...step,
      channel: word,
      proofs: telling('Confirmation.proofs', words),
      shown: digest,
      restsOn: optional(telling('Confirmation.demandId', ids)),
    },
    notes: ['before', 'after'],
  },
  'credential.contact-changed': {
    reads: 'The contact that was judged isn’t the provider’s any more; the update ended.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.expire': {
    reads: 'Nobody answered in time.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.link': {
    reads: 'A link for the customer was made, valid until then; or the update ended before one could be.',
    subject: 'CredentialUpdate',
    detail: [{ link: id, until: time, token: later(digest) }, step],
  },
  'credential.link-lost': {
    reads:
      'Whether the link of a rule’s invitation left isn’t known: another isn’t sent, so that the customer isn’t asked twice; it works if it did.',
    subject: 'CredentialUpdate',
    detail: { ...step, channel: word },
  },
  'credential.link-sent': {
    reads: 'The link was sent to the customer.',
    subject: 'CredentialUpdate',
    detail: { ...step, channel: word },
  },
  'credential.note-dropped': {
    reads: 'The note isn’t on the ticket: the helpdesk didn’t take it, or the ticket is about somebody else by now.',
    outcome: 'DENIED',
    subject: 'CredentialUpdate',
    detail: { given_up: word },
  },
  'credential.plan': {
    reads: 'These calls to the provider are to be made, in this order.',
    subject: 'CredentialUpdate',
    detail: { steps: words },
  },
  'credential.refuse': {
    reads: 'The customer said no; `as_shown`: to what was on their page.',
    subject: 'CredentialUpdate',
    detail: { ...step, channel: word, as_shown: flag },
  },
  'credential.reject': {
    reads: 'A supervisor refused what the customer had confirmed and `of` had asked for.',
    subject: 'CredentialUpdate',
    detail: { ...step, of: id },
    notes: ['reason'],
  },
  'credential.request': {
    reads:
      'An actor, or, on no ticket, a rule asked for a change of this payment method; what it needs, and the policy’s rules that say so.',
    subject: 'CredentialUpdate',
    detail: {
      ...step,
      method: id,
      link: telling('Customer.link', word),
      rules: telling('CredentialUpdate.riskRules', words),
      needs: telling('CredentialUpdate.riskRules', words),
      staffRows,
      contactStaff: later(telling('CredentialUpdate.riskRules', count)),
      restsOn: optional(ids),
    },
    notes: ['reason', 'before'],
  },
  'credential.risk': {
    reads: 'Since the update was asked for these rules came to hold too: a supervisor has to approve it.',
    subject: 'CredentialUpdate',
    detail: { rules: telling('CredentialUpdate.riskRules', words) },
  },
  'credential.setup-asked': {
    reads: 'The provider is asked for a page on which the customer enters a card.',
    subject: 'CredentialUpdate',
    detail: { until: time },
  },
  'credential.setup-ended': {
    reads: 'The provider’s page ended without a card.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.setup-refused': {
    reads: 'The provider gives no page for this update, which ended.',
    subject: 'CredentialUpdate',
    detail: step,
  },
  'credential.step': {
    reads: 'A call to the provider: intended, done, refused or lost.',
    subject: 'CredentialUpdate',
    detail: {
      step: count,
      phase: word,
      action: word,
      state: word,
      key: count,
      refusal: optional(telling('CredentialUpdate.failure', word)),
    },
  },
  'credential.undeliverable': {
    reads: 'The link can’t be sent to the customer; the update ended.',
    subject: 'CredentialUpdate',
    detail: step,
  },
} as const satisfies Record<string, EventKind>;
