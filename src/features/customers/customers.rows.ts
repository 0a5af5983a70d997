import { sql } from '../../db/sql';
import { instant, neededBy, optional, type Selected, select } from '../../db/table';
import { type KeyedRow, keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers } from '../payments/payment.entity';
import { sourceStates } from '../sources/source.entity';
import { customers } from './customer.entity';

export const customer = customers.as('c');
const payer = paymentCustomers.as('p');
const polled = sourceStates.as('ps');

/** When what is stored of their payment side was confirmed. */
const paymentsConfirmedAt = instant(
  sql`CASE WHEN ${customer.linkedAt} IS NOT NULL AND COALESCE(${polled.polledAt}, 0) > ${payer.observedAt} THEN ${polled.polledAt} ELSE ${payer.observedAt} END`,
);

/** A customer whose key is at hand. A number in any text that is shown of them is held against theirs. */
export const customerRows = select(
  {
    ...customer.pick('id', 'phoneSealed', 'region', 'link', 'paymentCustomerId'),
    ...neededBy(['Customer.displayName', 'CustomerAuthor.displayName'], customer.pick('nameSealed')),
    ...neededBy(['Customer.email'], customer.pick('emailSealed')),
    // Of a ticket that is opened by itself, the payment side is asked for where it is too old.
    ...neededBy(
      ['Customer.paymentsFreshness', 'Transaction.freshness', 'Query.ticket', 'Query.ticketByReference'],
      { paymentsConfirmedAt },
      sql`LEFT JOIN ${payer} ON ${payer.id} = ${customer.paymentCustomerId} LEFT JOIN ${polled} ON ${polled.name} = ${payer.source}`,
    ),
  },
  sql`FROM ${customer}`,
);

/** A customer with their key. */
export const keyedCustomerRows = select({ ...customerRows.columns, ...keyed }, sql`${customerRows.from} ${withKeyOf(customer)}`);
export type CustomerRow = Selected<typeof customerRows> & KeyedRow;

/** Who a customer is on the payment side, and how recent what is stored of that is: when it was read whole, and when it was confirmed. */
export const paymentSides = select(
  {
    ...customer.pick('link', 'paymentCustomerId', 'linkedAt'),
    readAt: optional(payer.observedAt),
    confirmedAt: optional(paymentsConfirmedAt),
  },
  sql`FROM ${customer} LEFT JOIN ${payer} ON ${payer.id} = ${customer.paymentCustomerId}
    LEFT JOIN ${polled} ON ${polled.name} = ${payer.source}`,
);

/** Who a customer is on the payment side. */
export const linkRows = select(customer.pick('link', 'paymentCustomerId'), sql`FROM ${customer}`);
