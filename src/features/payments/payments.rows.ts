import { sql } from '../../db/sql';
import { instant, neededBy, ofType, type Selected, select, wholeNumber } from '../../db/table';
import { type KeyedRow, keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers, paymentMethods, transactions } from './payment.entity';

export const method = paymentMethods.as('m');
export const transaction = transactions.as('t');
export const payer = paymentCustomers.as('p');

const ofMethod = sql`JOIN ${payer} ON ${payer.id} = ${method.paymentCustomerId}`;

/** What can be asked for of a method depends on how it is. */
const offered = ['PaymentMethod.updates'];

export const methodRows = select(
  {
    ...method.pick('id', 'paymentCustomerId', 'sameAsId'),
    ...ofType('PaymentMethod', method.pick('kind', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'status'), {
      kind: offered,
      status: offered,
    }),
    ...ofType('PaymentMethod', method.pick('isDefault', 'country', 'timesSaved'), { isDefault: offered }),
    ...neededBy(['PaymentMethod.token'], method.pick('surrogate')),
    ...neededBy(['PaymentMethod.billingAddress'], method.pick('billingAddressSealed')),
    ...neededBy(['PaymentMethod.source'], { source: payer.source }, ofMethod),
  },
  sql`FROM ${method}`,
);
/** A method, with the key of the payment customer, under whom its address is sealed, where that is read. */
export type PaymentMethodRow = Selected<typeof methodRows> & KeyedRow;

/** A method as a change of it needs it: with the provider's own reference, which is never shown. */
export const storedMethodRows = select(
  {
    ...method.pick('id', 'kind', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'status', 'isDefault', 'createdAt'),
    ...method.pick('country', 'sameAsId', 'timesSaved', 'billingAddressSealed', 'referenceSealed'),
    ...keyed,
  },
  sql`FROM ${method} ${ofMethod} ${withKeyOf(payer)}`,
);
export type StoredMethodRow = Selected<typeof storedMethodRows>;

export const methodIds = select(method.pick('id'), sql`FROM ${method}`);

/** A payment customer as they are written to, and known to the provider, with the key that both are sealed with. */
export const payerRows = select(
  {
    ...payer.pick('id', 'source', 'gone', 'referenceSealed', 'emailSealed', 'emailDigest', 'phoneDigest'),
    ...payer.pick('emailSeenSince', 'emailChangedAt', 'phoneSeenSince', 'phoneChangedAt'),
    ...keyed,
  },
  sql`FROM ${payer} ${withKeyOf(payer)}`,
);
export type PayerRow = Selected<typeof payerRows>;

/** Not 0 where what was bought is described. */
const isDescribed = wholeNumber(sql`CASE WHEN ${transaction.orderDescriptionSealed} IS NULL THEN 0 ELSE 1 END`);
const explained = ['Transaction.declineExplanation'];
/** What helps with an alert depends on how its payments are. */
const guiding = ['Alert.guidance'];
const sums = ['authorized', 'captured', 'refunded', 'open', 'refunds', 'amount'].map((field) => `Transaction.${field}`);

export const transactionRows = select(
  {
    ...transaction.pick('id', 'amount', 'createdAt'),
    ...neededBy(sums, transaction.pick('currency')),
    ...ofType('Transaction', transaction.pick('reference', 'status', 'declineCode', 'declineAdvice', 'device'), {
      status: guiding,
      declineCode: explained,
      declineAdvice: [...explained, ...guiding],
    }),
    ...ofType('Transaction', transaction.pick('authorized', 'captured', 'refunded', 'open', 'refunds')),
    ...neededBy(['Transaction.presentment'], transaction.pick('presentmentAmount', 'presentmentCurrency')),
    ...neededBy(['Transaction.paymentMethod'], transaction.pick('paymentMethodId')),
    ...neededBy(['Transaction.order'], { ...transaction.pick('orderReference'), isDescribed }),
    ...neededBy(['Order.description'], transaction.pick('orderDescriptionSealed')),
    ...neededBy(['Transaction.location'], transaction.pick('country')),
    ...neededBy(['Transaction.freshness'], transaction.pick('confirmedAt')),
    ...neededBy(['Risk.band'], transaction.pick('riskBand')),
    ...neededBy(['Risk.score'], transaction.pick('riskScore')),
    ...neededBy(['Risk.signals'], transaction.pick('riskSignals')),
    ...neededBy(['Transaction.dispute'], transaction.pick('disputeStatus')),
    ...neededBy(['Dispute.reason'], transaction.pick('disputeReason')),
    ...neededBy(['Dispute.openedAt'], transaction.pick('disputeOpenedAt')),
  },
  sql`FROM ${transaction}`,
);
/** A transaction, with the key of the payment customer, under whom its free text is sealed, where that is read. */
export type TransactionRow = Selected<typeof transactionRows> & KeyedRow;

/** Transactions with whose payment side they are of. */
export const ownedTransactionRows = select(
  { ...transactionRows.columns, ...transaction.pick('paymentCustomerId') },
  transactionRows.from,
);

export const transactionCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${transaction}`);

export const transactionCountsOfEach = select(
  { ...transaction.pick('paymentCustomerId'), n: wholeNumber(sql`COUNT(*)`) },
  sql`FROM ${transaction}`,
);

export const lastDisputes = select({ openedAt: instant(sql`MAX(${transaction.disputeOpenedAt})`) }, sql`FROM ${transaction}`);
