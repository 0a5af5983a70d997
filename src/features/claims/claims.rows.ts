import { sql } from '../../db/sql';
import { optional, select, wholeNumber } from '../../db/table';
import { customer } from '../customers/customers.rows';
import { method, transaction } from '../payments/payments.rows';
import { ticket } from '../tickets/tickets.rows';
import { ticketClaims } from './claim.entity';

export const claim = ticketClaims.as('q');

export const claimRows = select(claim.pick('id', 'traits', 'recordedAt', 'ticketId'), sql`FROM ${claim}`);

/** The last of a ticket and an origin; null where there is none. */
export const lastOrdinals = select({ last: optional(wholeNumber(sql`MAX(${claim.ordinal})`)) }, sql`FROM ${claim}`);

/** Who recorded claims. */
export const recorders = select(claim.pick('recordedById', 'recordedByStaffIds'), sql`FROM ${claim}`);

/** A payment with what a customer may state of it. */
export const claimedPayments = select(
  {
    ...transaction.pick('id', 'createdAt', 'amount', 'currency', 'authorized', 'captured', 'refunded', 'open', 'refunds'),
    ...transaction.pick('presentmentAmount', 'presentmentCurrency', 'orderReference'),
    kind: optional(method.kind),
    last4: optional(method.last4),
  },
  sql`FROM ${transaction} LEFT JOIN ${method} ON ${method.id} = ${transaction.paymentMethodId}`,
);

/** How a ticket came to be about whom it is about. */
export const statingTickets = select(
  {
    ...ticket.pick('keyId', 'customerId', 'customerSetByIds', 'createdById'),
    emailEdited: optional(customer.emailEdited),
  },
  sql`FROM ${ticket} LEFT JOIN ${customer} ON ${customer.id} = ${ticket.customerId}`,
);
