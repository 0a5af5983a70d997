import type { Core } from '../core';
import type { Loading } from '../loading';
import { PaymentsLoader } from './payments.loader';
import { type PaymentParts, Payments } from './payments.service';

/** What customers paid and pay with. */
export const createPayments = (
  { database, keys, cursors, clock }: Core,
  { reach, confirmedOf }: Pick<PaymentParts, 'reach' | 'confirmedOf'>,
) => ({
  service: new Payments({ database, keys, cursors, clock, reach, confirmedOf }),
  loader: (loading: Loading) => new PaymentsLoader(database, keys, loading),
});
