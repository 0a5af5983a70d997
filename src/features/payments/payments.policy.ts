import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import type { TransactionType } from './payment.type';

/** A live assistance of the actor covers the customer who made this payment. */
export const coversPayer = ({ access }: RelationView, transaction: TransactionType): DenialReason | null =>
  access.covering(transaction.customer.id) ? null : 'NO_ASSISTANCE';
