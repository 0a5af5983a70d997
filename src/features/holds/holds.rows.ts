import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { customer } from '../customers/customers.rows';
import { transaction } from '../payments/payments.rows';
import { paymentHoldEffects, paymentHolds } from './hold.entity';

export const hold = paymentHolds.as('h');
export const effect = paymentHoldEffects.as('he');

/** Holds with what each is to bring about: a row for each of these. */
export const standingRows = select(
  {
    ...hold.pick('id', 'customerIds', 'transactionId', 'expiresAt'),
    kind: effect.kind,
    effectState: effect.state,
  },
  sql`FROM ${hold} JOIN ${effect} ON ${effect.holdId} = ${hold.id}`,
);

export const holdMoves = select(hold.pick('moves'), sql`FROM ${hold}`);

/** The helpdesk's customers by whom they are at the payment side. */
export const sameCustomers = select(customer.pick('id'), sql`FROM ${customer}`);

export const holdIds = select(hold.pick('id'), sql`FROM ${hold}`);

/** Payments by our ids. */
export const paymentIds = select(transaction.pick('id'), sql`FROM ${transaction}`);
