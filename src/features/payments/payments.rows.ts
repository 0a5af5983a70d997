import { sql } from '../../db/sql';
import { instant, type Selected, select, wholeNumber } from '../../db/table';
import { keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers, paymentMethods, transactions } from './payment.entity';

export const method = paymentMethods.as('m');
export const transaction = transactions.as('t');
export const payer = paymentCustomers.as('p');

/** A method with its source, and the key of the payment customer, under whom its address is sealed. */
export const methodRows = select(
  {
    ...method.pick('id', 'paymentCustomerId', 'surrogate', 'kind', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'status'),
    ...method.pick('isDefault', 'country', 'sameAsId', 'timesSaved', 'billingAddressSealed'),
    source: payer.source,
    ...keyed,
  },
  sql`FROM ${method} JOIN ${payer} ON ${payer.id} = ${method.paymentCustomerId} ${withKeyOf(payer)}`,
);
export type PaymentMethodRow = Selected<typeof methodRows>;

/** A method as a change of it needs it: with the provider's own reference, which is never shown. */
export const storedMethodRows = select(
  {
    ...method.pick('id', 'kind', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'status', 'isDefault', 'createdAt'),
    ...method.pick('country', 'sameAsId', 'timesSaved', 'billingAddressSealed', 'referenceSealed'),
    ...keyed,
  },
  methodRows.from,
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

/** A transaction with the key of the payment customer, under whom its free text is sealed. */
export const transactionRows = select(
  {
    ...transaction.pick('id', 'paymentCustomerId', 'reference', 'paymentMethodId', 'orderReference', 'orderDescriptionSealed'),
    ...transaction.pick('amount', 'currency', 'status', 'declineCode', 'declineAdvice', 'device', 'country', 'createdAt'),
    ...transaction.pick('authorized', 'captured', 'refunded', 'open', 'refunds', 'presentmentAmount', 'presentmentCurrency'),
    ...transaction.pick('confirmedAt'),
    ...transaction.pick('riskBand', 'riskScore', 'riskSignals', 'disputeStatus', 'disputeReason', 'disputeOpenedAt'),
    ...keyed,
  },
  sql`FROM ${transaction} JOIN ${payer} ON ${payer.id} = ${transaction.paymentCustomerId} ${withKeyOf(payer)}`,
);
export type TransactionRow = Selected<typeof transactionRows>;

export const transactionCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${transaction}`);

export const lastDisputes = select({ openedAt: instant(sql`MAX(${transaction.disputeOpenedAt})`) }, sql`FROM ${transaction}`);
