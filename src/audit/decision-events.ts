import { count, digest, type EventKind, fact, flag, id, ids, optional, telling, time, word } from './event-facts';

/** What it rests on: signals as `source/id`, verdicts of rules (`evt_…`), and alerts, holds, demands by their ids. */
const restsOn = ids;

/** What the log says of answers to the payment pipeline, and of step-ups that customers are asked for. */
export const decisionEvents = {
  'decision.count': {
    reads: 'So many questions about payments were answered with CLEAR, by stage, within about a minute.',
    detail: { CHECKOUT: optional(count), CAPTURE: optional(count), FULFIL: optional(count), RENEWAL: optional(count) },
  },
  'decision.make': {
    reads: 'A service asked whether a payment may go on, and was told that it is to wait for a step-up, a review or a hold.',
    subject: 'PaymentDecision',
    detail: {
      verdict: word,
      stage: word,
      demand: fact<string | null>('id or null'),
      route: fact<string | null>('word or null'),
      until: time,
      key: digest,
      restsOn,
    },
  },
  'decision.remove': {
    reads: 'So many answers, or counts of questions, were removed: their time is over.',
    detail: { answers: count, counts: count },
  },
  'demand.expire': { reads: 'Nobody met the demand in time.', subject: 'StepUpDemand' },
  'demand.fail': {
    reads: 'The customer failed their issuer’s challenge too often; the demand is over.',
    subject: 'StepUpDemand',
    detail: { tries: count, reference: digest },
  },
  'demand.open': {
    reads: 'A customer is to be authenticated anew, by a rule or since a service asked about their payment.',
    subject: 'StepUpDemand',
    detail: {
      strength: word,
      rule: fact<string | null>('word or null'),
      version: fact<number | null>('count or null'),
      until: time,
      restsOn,
    },
  },
  'demand.present': {
    reads: 'A service was told of the demand, which is its to meet from now on, by an authentication at `countsFrom` or later.',
    subject: 'StepUpDemand',
    detail: { payer: telling('Customer.link', id), source: word, stage: word, countsFrom: time, restsOn },
  },
  'demand.rest': {
    reads: 'The rule that opened the demand found more, and it rests on that too; nobody was told of it so far.',
    subject: 'StepUpDemand',
    detail: { countsFrom: time, restsOn },
  },
  'demand.satisfy': {
    reads:
      'The provider says that the customer’s issuer challenged and authenticated them at `at`; `device`: on one that they had paid with before.',
    subject: 'StepUpDemand',
    detail: { reference: digest, at: time, device: flag },
  },
  'demand.try': {
    reads: 'The provider says that the customer failed their issuer’s challenge.',
    outcome: 'DENIED',
    subject: 'StepUpDemand',
    detail: { tries: count, reference: digest },
  },
  'demand.withdraw': {
    reads: 'The demand isn’t needed any more: another one that rests on it was met, or what it rests on is over.',
    subject: 'StepUpDemand',
    detail: { restsOn },
  },
} as const satisfies Record<string, EventKind>;
