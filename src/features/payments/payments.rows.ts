import { sql } from '../../db/sql';
import { type Selected, select, wholeNumber } from '../../db/table';
import { keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers, paymentMethods, transactions } from './payment.entity';

export const method = paymentMethods.as('m');
export const transaction = transactions.as('t');
const payer = paymentCustomers.as('p');

/** A method with its source, and the key of the payment customer, under whom its address is sealed. */
export const methodRows = select(
  {
    ...method.pick('id', 'paymentCustomerId', 'surrogate', 'kind', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'status'),
    ...method.pick('isDefault', 'billingAddressSealed'),
    source: payer.source,
    ...keyed,
  },
  sql`FROM ${method} JOIN ${payer} ON ${payer.id} = ${method.paymentCustomerId} ${withKeyOf(payer)}`,
);
export type PaymentMethodRow = Selected<typeof methodRows>;

/** A transaction with the key of the payment customer, under whom its free text is sealed. */
export const transactionRows = select(
  {
    ...transaction.pick('id', 'paymentCustomerId', 'reference', 'paymentMethodId', 'orderReference', 'orderDescriptionSealed'),
    ...transaction.pick('amount', 'currency', 'status', 'declineCode', 'declineAdvice', 'device', 'country', 'createdAt'),
    ...transaction.pick('riskBand', 'riskScore', 'riskSignals', 'disputeStatus', 'disputeReason', 'disputeOpenedAt'),
    ...keyed,
  },
  sql`FROM ${transaction} JOIN ${payer} ON ${payer.id} = ${transaction.paymentCustomerId} ${withKeyOf(payer)}`,
);
export type TransactionRow = Selected<typeof transactionRows>;

export const transactionCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${transaction}`);
