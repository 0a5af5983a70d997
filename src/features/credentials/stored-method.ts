import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { type Keys, keyed, withKeyOf } from '../keys/keys.service';
import { paymentCustomers, paymentMethods } from '../payments/payment.entity';
import type { MethodSummary } from './method-summary';

export const storedMethod = paymentMethods.as('m');
const payer = paymentCustomers.as('p');

/** A payment method as the read model has it, with the key of its payment customer. */
export const storedMethodRows = select(
  {
    ...storedMethod.pick('id', 'kind', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'status', 'isDefault', 'createdAt'),
    ...storedMethod.pick('billingAddressSealed', 'referenceSealed'),
    ...keyed,
  },
  sql`FROM ${storedMethod} JOIN ${payer} ON ${payer.id} = ${storedMethod.paymentCustomerId} ${withKeyOf(payer)}`,
);
export type StoredMethodRow = Selected<typeof storedMethodRows>;

/** A method of the read model as updates keep it. */
export const summaryOfRow = (row: StoredMethodRow, keys: Keys): MethodSummary => {
  const { kind, brand, last4, expiryMonth, expiryYear, isDefault } = row;
  const address = keys.open(paymentMethods, row, 'billingAddress');
  const none = { line1: null, line2: null, city: null, postalCode: null, country: null };
  const billingAddress = address === null ? null : { ...none, ...(JSON.parse(address) as Partial<typeof none>) };
  return { kind, brand, last4, expiryMonth, expiryYear, country: null, isDefault, billingAddress };
};
