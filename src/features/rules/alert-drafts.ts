import type { Verdict } from '../../risk/rule';
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
  'recovery-then-payment': ['RECOVERY'],
  'card-expiring': ['CARD_EXPIRES'],
};

const byType: Readonly<Record<string, ReasonCode>> = {
  'payment.review': 'REVIEW',
  'payment.warning': 'WARNING',
  'payment.dispute': 'DISPUTE',
  'payment.authorization': 'AUTHORIZATION_ENDS',
};
const byClaim: Readonly<Record<string, ReasonCode>> = { unmatched: 'CLAIM_UNMATCHED', contradicted: 'CLAIM_CONTRADICTED' };

const told = ({ rule, evidence }: Verdict): readonly ReasonCode[] => {
  if (rule === 'provider-deadline') return evidence.flatMap(({ type }) => byType[type] ?? []);
  if (rule === 'claim-against-record') return evidence.flatMap(({ facts }) => byClaim[facts.outcome ?? ''] ?? []);
  return always[rule] ?? [];
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
      return [{ code, count, windowSeconds, ...(code === 'COUNTRIES' ? { countries } : {}) }];
    }),
    ...[...new Set(told(verdict))].map((code): DraftReason => ({ code, windowSeconds, transactionId })),
  ];
};

const quiet: readonly string[] = ['provider-deadline', 'card-expiring'];

const severityOf = ({ rule, effects }: Verdict): AlertSeverity => {
  if (quiet.includes(rule)) return 'LOW';
  return effects.every((effect) => effect === 'alert') ? 'MEDIUM' : 'HIGH';
};

/** A verdict as the alert that whoever holds the ticket of this customer is told. */
export const alertDraft = (verdict: Verdict, customerId: string): AlertDraft => {
  const { ticket } = verdict.subjects;
  return {
    rule: verdict.rule,
    version: verdict.version,
    severity: severityOf(verdict),
    customerId,
    ticketId: ticket?.startsWith('tkt_') ? ticket : null,
    staffId: null,
    subject: `${verdict.subject.name} ${verdict.subject.value}`,
    window: String(verdict.window),
    reasons: reasonsOf(verdict),
    signals: verdict.evidence.map(loggedName),
  };
};
