import { sql } from '../../db/sql';
import { instant, type Selected, select } from '../../db/table';
import { keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers } from '../payments/payment.entity';
import { sourceStates } from '../sources/source.entity';
import { customers } from './customer.entity';

export const customer = customers.as('c');
const payer = paymentCustomers.as('p');
const polled = sourceStates.as('ps');

/** A customer with their key, and when what is stored of their payment side was confirmed. */
export const customerRows = select(
  {
    ...customer.pick('id', 'source', 'nameSealed', 'emailSealed', 'phoneSealed', 'region', 'link', 'paymentCustomerId'),
    paymentsConfirmedAt: instant(
      sql`CASE WHEN ${customer.linkedAt} IS NOT NULL AND COALESCE(${polled.polledAt}, 0) > ${payer.observedAt} THEN ${polled.polledAt} ELSE ${payer.observedAt} END`,
    ),
    ...keyed,
  },
  sql`FROM ${customer} ${withKeyOf(customer)} LEFT JOIN ${payer} ON ${payer.id} = ${customer.paymentCustomerId} LEFT JOIN ${polled} ON ${polled.name} = ${payer.source}`,
);
export type CustomerRow = Selected<typeof customerRows>;

/** Who a customer is on the payment side. */
export const linkRows = select(customer.pick('link', 'paymentCustomerId'), sql`FROM ${customer}`);
