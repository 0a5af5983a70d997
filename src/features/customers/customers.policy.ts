import type { DenialReason } from '../../failure';
import type { RelationRules, RelationView } from '../../graphql/shield';
import type { CustomerType } from './customer.type';

/** A live assistance of the actor covers this customer. */
export const coversCustomer = ({ access }: RelationView, customer: CustomerType): DenialReason | null =>
  access.covering(customer.id) ? null : 'NO_ASSISTANCE';

export const customerRelations: RelationRules = {
  Query: {
    // Narrowed in SQL to what a live assistance covers.
    customer: 'open',
  },
  Customer: {
    paymentMethods: coversCustomer,
    transactions: coversCustomer,
    paymentsFreshness: 'open',
  },
};
