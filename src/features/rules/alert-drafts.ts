import type { Verdict } from '../../risk/rule';
import type { Signal, SubjectName } from '../../risk/signal';
import { attempts, different, isDecline } from '../../risk/windows';
import type { AlertSeverity, ReasonCode } from '../alerts/alert.words';
import type { AlertDraft, DraftReason } from '../alerts/raising';
import { loggedName } from '../signals/logged-name';

/** What a count of a verdict tells the holder of the ticket. Counts that aren't here are for those who look after the rules. */
const counted: Readonly<Record<string, ReasonCode>> = {
  attempts: 'ATTEMPTS',
  declines: 'DECLINES',
  cards: 'CARDS',
  devices: 'DEVICES',
  countries: 'COUNTRIES',
  customers: 'CUSTOMERS',
  changes: 'CHANGE',
  retries: 'RETRY_AGAINST_ADVICE',
};

/** What a rule tells by having fired, whatever it counted. */
const always: Readonly<Record<string, readonly ReasonCode[]>> = {
  'card-expiring': ['CARD_EXPIRES'],
};

const byType: Readonly<Record<string, ReasonCode>> = {
  'payment.review': 'REVIEW',
  'payment.warning': 'WARNING',
  'payment.dispute': 'DISPUTE',
  'payment.authorization': 'AUTHORIZATION_ENDS',
};
const byBeginning: Readonly<Record<string, ReasonCode>> = { 'account.recovery': 'RECOVERY', 'ticket.concern': 'REPORTED' };
const byClaim: Readonly<Record<string, ReasonCode>> = { unmatched: 'CLAIM_UNMATCHED', contradicted: 'CLAIM_CONTRADICTED' };

/** Subjects that one customer has alone. Whatever else signals share, others may have a part in it. */
const theirs: readonly SubjectName[] = ['customer', 'ticket', 'payment', 'order'];

/** The counts again, over what one customer did alone. Others are only counted, and by `CUSTOMERS`, which tells no number of few. */
const recounted = ({ counts, evidence }: Verdict, own: readonly Signal[]): Verdict['counts'] => {
  const mine: Readonly<Record<string, number>> = {
    attempts: own.filter(({ type }) => attempts.some((each) => each === type)).length,
    declines: own.filter(isDecline).length,
    cards: different(own, ({ subjects }) => subjects.card).size,
    devices: different(own, ({ subjects }) => subjects.device).size,
    countries: different(own, ({ facts }) => facts.country).size,
    // Against the advice on somebody else's attempt is nothing that they were told.
    retries: own.length === evidence.length ? (counts.retries ?? 0) : 0,
    customers: counts.customers ?? 0,
  };
  return Object.fromEntries(Object.keys(counts).flatMap((name) => (name in mine ? [[name, mine[name] as number]] : [])));
};

/** What a verdict says of one customer, whom these names call, and of nobody else. */
const aboutOne = (verdict: Verdict, names: readonly string[]): Verdict => {
  const { subject, evidence } = verdict;
  const isTheirs = theirs.includes(subject.name);
  const own = evidence.filter(({ subjects: { customer } }) => (customer === undefined ? isTheirs : names.includes(customer)));
  return { ...verdict, evidence: own, counts: isTheirs ? verdict.counts : recounted(verdict, own) };
};

const told = ({ rule, evidence }: Verdict): readonly ReasonCode[] => {
  if (rule === 'provider-deadline') return evidence.flatMap(({ type }) => byType[type] ?? []);
  if (rule === 'recovery-then-payment') return evidence.flatMap(({ type }) => byBeginning[type] ?? []);
  if (rule === 'claim-against-record') return evidence.flatMap(({ facts }) => byClaim[facts.outcome ?? ''] ?? []);
  return always[rule] ?? [];
};

/** The latest of the customer's payments among these, where it is one that is stored here. */
const latestOf = (signals: readonly Signal[]): string | undefined => {
  let latest: Signal | undefined;
  for (const each of signals)
    if (each.subjects.payment?.startsWith('txn_') && (!latest || each.occurredAt > latest.occurredAt)) latest = each;
  return latest?.subjects.payment;
};

/** Counts that are about attempts name the latest: it is what helps to know more of. */
const namedBy: Partial<Readonly<Record<ReasonCode, (own: readonly Signal[]) => readonly Signal[]>>> = {
  ATTEMPTS: (own) => own.filter(({ type }) => attempts.some((each) => each === type)),
  DECLINES: (own) => own.filter(isDecline),
  RETRY_AGAINST_ADVICE: (own) => own.filter(isDecline),
};

const reasonsOf = (verdict: Verdict): readonly DraftReason[] => {
  const windowSeconds = Math.round(verdict.window / 1_000);
  const { payment } = verdict.subjects;
  const transactionId = payment?.startsWith('txn_') ? payment : undefined;
  const countries = [...new Set(verdict.evidence.flatMap(({ facts }) => facts.country ?? []))];
  return [
    ...Object.entries(verdict.counts).flatMap(([name, count]): DraftReason[] => {
      const code = verdict.rule === 'volume-spike' && name === 'attempts' ? 'VOLUME' : counted[name];
      if (code === undefined || count === 0) return [];
      const latest = latestOf(namedBy[code]?.(verdict.evidence) ?? []);
      return [{ code, count, windowSeconds, transactionId: latest, ...(code === 'COUNTRIES' ? { countries } : {}) }];
    }),
    ...[...new Set(told(verdict))].map((code): DraftReason => ({ code, windowSeconds, transactionId })),
  ];
};

const quiet: readonly string[] = ['provider-deadline', 'card-expiring'];

const severityOf = ({ rule, effects }: Verdict): AlertSeverity => {
  if (quiet.includes(rule)) return 'LOW';
  return effects.every((effect) => effect === 'alert') ? 'MEDIUM' : 'HIGH';
};

/** Payments and cards that are stored here. Whatever else a sender names may be invented, a new one each time. */
const isOurs = /^(?:txn|pm)_/;

/** What the alert is about: of payments and cards that aren't known here a customer has one alert for all. */
const subjectOf = ({ rule, subject: { name, value } }: Verdict, customerId: string): string =>
  quiet.includes(rule) && !isOurs.test(value) ? `customer ${customerId}` : `${name} ${value}`;

/** A verdict as the alert that whoever holds the ticket of this customer is told; `names` are all that signals call them by. */
export const alertDraft = (of: Verdict, customerId: string, names: readonly string[]): AlertDraft => {
  const verdict = aboutOne(of, names);
  const { ticket } = verdict.subjects;
  return {
    rule: verdict.rule,
    version: verdict.version,
    severity: severityOf(verdict),
    customerId,
    ticketId: ticket?.startsWith('tkt_') ? ticket : null,
    staffId: null,
    subject: subjectOf(verdict, customerId),
    window: String(verdict.window),
    reasons: reasonsOf(verdict),
    signals: verdict.evidence.map(loggedName),
  };
};
