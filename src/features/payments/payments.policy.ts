import type { DenialReason } from '../../failure';
import { connectionRelations } from '../../graphql/connection';
import type { RelationRules, RelationView } from '../../graphql/shield';
import type { TransactionType } from './payment.type';

/** A live assistance of the actor covers the customer who made this payment. */
export const coversPayer = ({ access }: RelationView, transaction: TransactionType): DenialReason | null =>
  access.covering(transaction.customer.id) ? null : 'NO_ASSISTANCE';

export const paymentRelations: RelationRules = {
  Query: {
    // Narrowed in SQL to what a live assistance covers.
    transaction: 'open',
  },
  Transaction: {
    paymentMethod: coversPayer,
    // Parts of the transaction itself: their fields have verdicts of their own.
    amount: 'open',
    order: 'open',
    device: 'open',
    location: 'open',
    risk: 'open',
    dispute: 'open',
  },
  PaymentMethod: { billingAddress: 'open' },
  ...connectionRelations('Transaction'),
};
