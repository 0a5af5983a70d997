import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { customers } from './customer.entity';

/** Ends the links to a payment customer whom its provider no longer has. */
export const endLinks = async (change: Change, paymentCustomerId: string, at: Date): Promise<void> => {
  const linked = sql`${customers.paymentCustomerId} = ${paymentCustomerId}`;
  await change.update(customers, { link: 'NONE', paymentCustomerId: null, linkedAt: at }, linked);
};
