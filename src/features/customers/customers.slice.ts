import type { Core } from '../core';
import type { Loading } from '../loading';
import { CustomersLoader } from './customers.loader';
import { type CustomerParts, Customers } from './customers.service';

/** The people whom tickets are about. */
export const createCustomers = (
  { database, keys, clock }: Core,
  {
    reach,
    confirmedOf,
    sources,
    maximumPaymentsAge,
  }: Pick<CustomerParts, 'reach' | 'confirmedOf' | 'sources' | 'maximumPaymentsAge'>,
) => ({
  service: new Customers({ database, keys, clock, reach, confirmedOf, sources, maximumPaymentsAge }),
  loader: (loading: Loading) => new CustomersLoader({ database, keys, clock, maximumPaymentsAge }, loading),
});
