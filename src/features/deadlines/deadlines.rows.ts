import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { keyed, withKeyOf } from '../keys/keys.service';
import { method, payer, transaction } from '../payments/payments.rows';
import { riskSignals } from '../signals/signal.entity';

/** How a payment customer is known to their provider, beside what is theirs. */
const holder = { ...keyed, payerId: payer.id, source: payer.source, payerReference: payer.referenceSealed };

/** Payments by the provider's references, with whose they are. */
export const authorizedRows = select(
  { ...transaction.pick('id', 'reference', 'paymentMethodId'), ...holder },
  sql`FROM ${transaction} JOIN ${payer} ON ${payer.id} = ${transaction.paymentCustomerId} ${withKeyOf(payer)}`,
);

/** Cards by the provider's references, with whose they are. */
export const cardRows = select(
  { ...method.pick('id', 'sameAsId', 'expiryMonth', 'expiryYear', 'referenceSealed'), ...holder },
  sql`FROM ${method} JOIN ${payer} ON ${payer.id} = ${method.paymentCustomerId} ${withKeyOf(payer)}`,
);

export const toldSignals = select(riskSignals.pick('source', 'eventId'), sql`FROM ${riskSignals}`);
