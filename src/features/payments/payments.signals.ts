import type { Signal, Subjects } from '../../risk/signal';
import type { PaymentCustomerRecord, TransactionRecord, TransactionStatus } from '../../upstream/payments/payments.port';
import { contentDigest } from '../keys/content-digest';
import type { Keys } from '../keys/keys.service';
import { daysKept, signalsKept } from '../signals/retention';
import { subjectDigest } from '../signals/subjects';
import type { Transaction } from './payment.entity';

/** What happened longer ago than this, in milliseconds, belongs to no day that is kept. */
const oldest = daysKept * 86_400_000;

/** States by which somebody's attempt to pay got through, whatever became of the money afterwards. */
const succeeded: ReadonlySet<string> = new Set(['AUTHORIZED', 'CAPTURED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'DISPUTED']);

/** A payment as its source now tells of it. */
export interface ToldPayment {
  readonly source: string;
  /** Whom it is about: made once for all payments of a customer. */
  readonly payer: Subjects;
  readonly customerSince: Date;
  readonly record: TransactionRecord;
  readonly stored: Pick<Transaction, 'id' | 'paymentMethodId' | 'device' | 'orderReference'>;
  /** As it was stored; null where it wasn't. What is new of it since happened since, and the source doesn't say when. */
  readonly before: TransactionStatus | null;
  readonly asOf: Date;
}

/** Whom signals of a payment customer are about. */
export const payerSubjects = (keys: Keys, id: string, { email }: PaymentCustomerRecord): Subjects => {
  const domain = email?.split('@').at(-1)?.trim();
  return { customer: id, ...(domain ? { emailDomain: subjectDigest(keys.digests, 'emailDomain', domain) } : {}) };
};

/** What a payment source's new word of a payment tells: how an attempt ended, a review, a warning, a dispute. Each is told once, by its id. */
export const signalsOfPayment = (keys: Keys, told: ToldPayment): readonly Signal[] => {
  const { source, payer, customerSince, record, stored, before, asOf } = told;
  if (asOf.getTime() - record.createdAt.getTime() > oldest) return [];
  const { id, paymentMethodId, device, orderReference } = stored;
  const subjects: Subjects = {
    ...payer,
    payment: id,
    ...(paymentMethodId === null ? {} : { card: paymentMethodId }),
    ...(device === null ? {} : { device }),
    ...(orderReference === null ? {} : { order: subjectDigest(keys.digests, 'order', orderReference, source) }),
  };
  const at = before === null ? record.createdAt : asOf;
  // By now nothing may be kept of what was told of it then, and would be told once more, as of today.
  const isLongKnown = before !== null && asOf.getTime() - record.createdAt.getTime() > signalsKept * 86_400_000;
  const signal = (name: string, type: Signal['type'], occurredAt: Date, facts: Signal['facts'] = {}): Signal => ({
    source,
    id: `${id}:${name}`,
    type,
    occurredAt,
    subjects,
    facts: {
      ...(record.country === null ? {} : { country: record.country }),
      amount: { minorUnits: record.amount, currency: record.currency },
      customerSince,
      ...facts,
    },
  });
  const signals: Signal[] = [];
  if (record.status === 'DECLINED' && !(isLongKnown && before === 'DECLINED')) {
    // One payment may be tried again and again: another card, device or reason is another attempt.
    const { declineCode, declineAdvice, riskScore, country } = record;
    const attempt = contentDigest(keys, id, { declineCode, declineAdvice, riskScore, country, paymentMethodId, device });
    const why = {
      ...(declineCode === null ? {} : { declineCode: declineCode.slice(0, 128) }),
      ...(declineAdvice === null ? {} : { advice: declineAdvice.slice(0, 128) }),
    };
    signals.push(signal(`declined:${attempt.slice(0, 16)}`, 'payment.attempt.declined', at, why));
  }
  // What becomes of the money later is no other attempt.
  if (succeeded.has(record.status) && (before === null || !succeeded.has(before)))
    signals.push(signal('succeeded', 'payment.attempt.succeeded', at));
  const { reviewedSince, warnedAt, dispute, riskSignals } = record;
  if (reviewedSince || riskSignals.includes('under_review'))
    signals.push(signal('review', 'payment.review', reviewedSince ?? at));
  if (warnedAt || riskSignals.some((word) => word.startsWith('reported_by_')))
    signals.push(signal('warning', 'payment.warning', warnedAt ?? at));
  if (dispute) {
    const facts = dispute.respondBy ? { deadline: dispute.respondBy } : {};
    signals.push(signal('dispute', 'payment.dispute', dispute.openedAt, facts));
  }
  return signals;
};

/** A customer's contact became another one at the provider. */
export const contactChanged = (keys: Keys, source: string, id: string, customer: PaymentCustomerRecord, asOf: Date): Signal => ({
  source,
  id: `${id}:contact:${asOf.getTime()}`,
  type: 'credential.changed',
  occurredAt: asOf,
  subjects: payerSubjects(keys, id, customer),
  facts: { change: 'contact', customerSince: customer.createdAt },
});
