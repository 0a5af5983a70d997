import type { Core } from '../core';
import { PaymentsLoader } from './payments.loader';
import { Payments } from './payments.service';

/** What customers paid and pay with. */
export const createPayments = ({ database, keys, cursors, clock }: Core) => ({
  service: new Payments(database, keys, cursors, clock),
  loader: () => new PaymentsLoader(database, keys),
});
