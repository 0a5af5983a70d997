import type { DenialReason } from '../../failure';
import type { RelationView } from '../../graphql/guarded';
import type { CustomerType } from './customer.type';

/** A live assistance of the actor covers this customer. */
export const coversCustomer = ({ access }: RelationView, customer: CustomerType): DenialReason | null =>
  access.covering(customer.id) ? null : 'NO_ASSISTANCE';
