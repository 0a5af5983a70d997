import { type Advice, adviceOf } from '../../authz/policy/declines';
import { ruleNames } from '../../risk/rule';

/** What raises alerts: a rule that reads signals, or a member of staff (`concern`). */
export const alertRules = [...ruleNames, 'concern'] as const;
export type AlertRule = (typeof alertRules)[number];

/** From the least on. */
export const alertSeverities = ['LOW', 'MEDIUM', 'HIGH'] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

export const alertStates = ['OPEN', 'RESOLVED', 'EXPIRED'] as const;
export type AlertState = (typeof alertStates)[number];

export const alertResolutions = ['TRUE', 'FALSE', 'UNSURE'] as const;
export type AlertResolution = (typeof alertResolutions)[number];

/** Facts, and countries of a fact, that an alert has at most. */
export const mostReasons = 20;
export const mostCountries = 20;

/** One kind of fact that an alert rests on. */
interface ReasonKind {
  /** The fields of the graph that it is derived from: where one of them isn't shown to a reader, the fact isn't either. */
  readonly from: readonly string[];
  /** The fact as a sentence; `n` is its count. */
  readonly says: (n: number) => string;
  /** It is told where those fields are shown in clear alone: it is what somebody would find out by guessing. */
  readonly inClear?: true;
  /** It counts other customers: fewer than five are never told of, and more only as "5 or more". */
  readonly countsOthers?: true;
}

const times = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n} ${many}`);

/** The fields by whose values alerts are raised. */
const attempts = ['Transaction.status', 'Transaction.createdAt'] as const;

/** What a customer can state of a payment. */
const claimed = [
  ...attempts,
  ...['Transaction.amount', 'Transaction.order', 'Order.reference', 'Transaction.paymentMethod', 'PaymentMethod.last4'],
] as const;

export const reasonKinds = {
  ATTEMPTS: { from: attempts, says: (n) => times(n, 'attempt to pay', 'attempts to pay') },
  DECLINES: { from: attempts, says: (n) => times(n, 'declined attempt to pay', 'declined attempts to pay') },
  COUNTRIES: {
    from: [...attempts, 'Transaction.location', 'Location.country'],
    says: (n) => times(n, 'country that was paid from', 'countries that were paid from'),
  },
  DEVICES: {
    from: [...attempts, 'Transaction.device', 'Device.fingerprint'],
    says: (n) => times(n, 'device that was paid with', 'devices that were paid with'),
  },
  CARDS: {
    from: [...attempts, 'Transaction.paymentMethod'],
    says: (n) => times(n, 'card that was tried', 'cards that were tried'),
  },
  CUSTOMERS: { from: attempts, says: () => '5 or more customers', countsOthers: true },
  RETRY_AGAINST_ADVICE: {
    from: [...attempts, 'Transaction.declineAdvice'],
    says: () => 'a card was tried again although its issuer asked not to',
  },
  AMOUNT: { from: [...attempts, 'Transaction.amount'], says: () => 'more was paid at once than before' },
  VOLUME: { from: attempts, says: (n) => times(n, 'attempt to pay within a day', 'attempts to pay within a day') },
  // Accounts and the payment side’s contacts are no fields of the graph.
  RECOVERY: { from: [], says: () => 'the account was recovered before' },
  CHANGE: { from: ['PaymentMethod.status'], says: (n) => times(n, 'change of payment details', 'changes of payment details') },
  NEW_COUNTRY: {
    from: [...attempts, 'Transaction.location', 'Location.country'],
    says: () => 'a country that was never paid from before',
  },
  NEW_DEVICE: {
    from: [...attempts, 'Transaction.device', 'Device.fingerprint'],
    says: () => 'a device that was never paid with before',
  },
  CONTACT_CHANGED: { from: [], says: () => 'the contact was changed lately' },
  CLAIM_UNMATCHED: {
    from: claimed,
    inClear: true,
    says: () => 'what the customer states fits no payment of theirs',
  },
  CLAIM_CONTRADICTED: {
    from: claimed,
    inClear: true,
    says: () => 'what the customer states contradicts a payment of theirs',
  },
  REVIEW: { from: ['Risk.band'], says: () => 'a payment waits for the provider’s review' },
  WARNING: { from: ['Transaction.dispute'], says: () => 'the card network fears fraud' },
  DISPUTE: { from: ['Transaction.dispute'], says: () => 'a payment is disputed' },
  AUTHORIZATION_ENDS: { from: ['Transaction.authorized'], says: () => 'an authorization that is not captured ends soon' },
  CARD_EXPIRES: {
    from: ['PaymentMethod.expiryMonth', 'PaymentMethod.expiryYear'],
    says: () => 'a card that is in use expires soon',
  },
  SESSION: { from: ['Transaction.device'], says: () => 'a session moved between devices' },
  REPORTED: { from: [], says: () => 'a member of staff reported a concern' },
} as const satisfies Record<string, ReasonKind>;
export type ReasonCode = keyof typeof reasonKinds;
export const reasonCodes = Object.keys(reasonKinds) as readonly ReasonCode[];

export const reasonKind = (code: ReasonCode): ReasonKind => reasonKinds[code];

/** Every field that an alert may be derived from: what it shows is worth as much as they are. */
export const derivedFrom: readonly string[] = [...new Set(reasonCodes.flatMap((code) => reasonKind(code).from))];

/** Fewest of others that are told of at all, and all that is told of more. */
export const fewestOthers = 5;

/** What helps with a ticket that has an alert. */
const guidanceKinds = {
  ASK_FOR_PAYMENTS: 'Ask the customer which of the payments they made, without naming amounts, places or cards first.',
  ASK_CUSTOMER:
    'A payment is pending: ask the customer with askCustomer whether they made it. They answer on a page of their own, nobody for them.',
  DO_NOT_CONFIRM: 'Confirm nothing about cards, addresses or payments that the customer didn’t say themselves.',
  DO_NOT_RETRY: 'Don’t advise another attempt with the same card; the issuer refuses it. Another method may work.',
  RETRY_LATER: 'Don’t advise another attempt at once.',
  CHECK_CARD_DATA:
    'Have the customer look at their card’s details before another attempt; they enter them themselves, you don’t.',
  WAIT_FOR_STEP_UP:
    'Before their next payment the customer’s bank asks them to confirm it: have them follow its steps, and suggest no way around.',
  NO_CHANGE_NOW: 'Ask for no change of payment details until the alert is resolved.',
  ANSWER_PROVIDER: 'The payment provider waits for an answer; tell the payments team before its deadline.',
  OFFER_REPLACEMENT: 'Offer to replace the card before it expires; the customer enters the new one themselves.',
  RESOLVE: 'Say what it was with resolveAlert; somebody else has to where you reported it.',
} as const;
export type GuidanceCode = keyof typeof guidanceKinds;
export const guidanceCodes = Object.keys(guidanceKinds) as readonly GuidanceCode[];

/** A step, and what is said of it. */
export interface Guidance {
  readonly code: GuidanceCode;
  readonly text: string;
}

const afterAttempts: readonly GuidanceCode[] = ['DO_NOT_CONFIRM', 'ASK_FOR_PAYMENTS', 'NO_CHANGE_NOW'];
const guidanceOf: Partial<Record<AlertRule, readonly GuidanceCode[]>> = {
  'retries-elsewhere': afterAttempts,
  'card-testing': afterAttempts,
  'domain-burst': afterAttempts,
  'volume-spike': ['ASK_FOR_PAYMENTS'],
  'decline-loop': ['DO_NOT_RETRY'],
  'change-against-history': ['DO_NOT_CONFIRM', 'NO_CHANGE_NOW'],
  'recovery-then-payment': afterAttempts,
  'claim-against-record': ['DO_NOT_CONFIRM'],
  'provider-deadline': ['ANSWER_PROVIDER'],
  'card-expiring': ['OFFER_REPLACEMENT'],
  concern: ['NO_CHANGE_NOW'],
};

/** A payment that an alert names, as it is now. */
export interface GuidingPayment {
  readonly status: string;
  readonly declineAdvice: string | null;
  readonly createdAt: Date;
}

/** The fields that steps about payments are derived from: where one isn't shown to a reader, these steps aren't either. */
export const guidedByPayments: Readonly<Record<'advice' | 'pending', readonly string[]>> = {
  advice: ['Transaction.status', 'Transaction.declineAdvice'],
  // Whom the payment side doesn't name is asked nothing.
  pending: ['Transaction.status', 'Customer.link'],
};

/** Every field that a step may be derived from. */
export const guidedBy: readonly string[] = [...new Set(['Alert.rule', ...Object.values(guidedByPayments).flat()])];

/** What is known of the payments that an alert names, as far as its reader may read it. */
export interface GuidedBy {
  /** Of the latest that was declined; null where none was, or it says nothing. */
  readonly advice: Advice | null;
  /** One of them may still be stopped, and its customer be asked. */
  readonly isAskable: boolean;
  /** The customer is to be authenticated anew before they pay. */
  readonly isDemanded: boolean;
  /** The customer is asked for a new card just now. */
  readonly isInvited: boolean;
}

const stepOf = (code: GuidanceCode): Guidance => ({ code, text: guidanceKinds[code] });

/** What the issuer advises of the latest of these payments that was declined. */
export const latestAdvice = (payments: readonly GuidingPayment[]): Advice | null => {
  const declined = payments.filter(({ status }) => status === 'DECLINED');
  const [latest] = declined.sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  return latest ? adviceOf(latest.declineAdvice) : null;
};

/** Steps for whoever has the ticket, in their order. What a rule says against another attempt holds whatever an issuer says for it. */
export const guidanceFor = (rule: AlertRule, { advice, isAskable, isDemanded, isInvited }: GuidedBy): readonly Guidance[] => {
  // Whoever has the link of an invitation isn't offered the same once more.
  const ofRule = (guidanceOf[rule] ?? []).filter((code) => !(isInvited && code === 'OFFER_REPLACEMENT'));
  const isAdvised = advice !== null && !ofRule.includes('DO_NOT_RETRY');
  return [
    ...ofRule.map(stepOf),
    ...(isAskable ? [stepOf('ASK_CUSTOMER')] : []),
    ...(isDemanded ? [stepOf('WAIT_FOR_STEP_UP')] : []),
    ...(isAdvised && advice.kind === 'RETRY_LATER'
      ? [{ code: advice.kind, text: `${guidanceKinds.RETRY_LATER} ${advice.says}` }]
      : isAdvised
        ? [stepOf(advice.kind)]
        : []),
    stepOf('RESOLVE'),
  ];
};

/** Steps of one alert: those of its rule, of its payments and what is done with the alert itself. */
export const mostSteps = guidanceCodes.length;
