import type { LinkAssurance } from '../../authz/actor';
import { sql } from '../../db/sql';
import { Column, optional, type Selected, select, wholeNumber } from '../../db/table';
import { customer } from '../customers/customers.rows';
import { keyed, withKeyOf } from '../keys/keys.service';
import { method, payer, transaction } from '../payments/payments.rows';
import { staff, ticket } from '../tickets/tickets.rows';
import { recognitionLinks, recognitions } from './recognition.entity';

export const recognition = recognitions.as('rc');
export const link = recognitionLinks.as('rl');

/** A question as it is shown, with its customer's key and link as they are now. */
export const recognitionRows = select(
  {
    ...recognition.pick('id', 'state', 'ticketId', 'customerId', 'transactionId', 'askedAt', 'expiresAt', 'answeredAt'),
    ...recognition.pick('shownDigest', 'holdId'),
    currentLink: new Column<LinkAssurance>(
      sql`CASE WHEN ${customer.paymentCustomerId} = ${recognition.paymentCustomerId} THEN ${customer.link} ELSE 'NONE' END`,
      null,
    ),
    ...keyed,
  },
  sql`FROM ${recognition} ${withKeyOf(recognition)} JOIN ${ticket} ON ${ticket.id} = ${recognition.ticketId}
      LEFT JOIN ${customer} ON ${customer.id} = ${recognition.customerId}`,
);
export type RecognitionRow = Selected<typeof recognitionRows>;

export const recognitionIds = select(recognition.pick('id', 'ticketId'), sql`FROM ${recognition}`);
export const recognitionCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${recognition}`);

/** Links, each with the question that it leads to. */
export const linkedRecognitions = select({ subjectId: link.recognitionId }, sql`FROM ${link}`);

/** A question as a link leads to it, with its customer's key. */
export const askedRows = select(
  {
    ...recognition.pick('id', 'state', 'expiresAt', 'paymentSealed'),
    linkExpiresAt: link.expiresAt,
    ticketReference: ticket.reference,
    askedBy: optional(staff.displayName),
    ...keyed,
  },
  sql`FROM ${link} JOIN ${recognition} ON ${recognition.id} = ${link.recognitionId} ${withKeyOf(recognition)}
      JOIN ${ticket} ON ${ticket.id} = ${recognition.ticketId} LEFT JOIN ${staff} ON ${staff.id} = ${recognition.askedByStaffId}`,
);
export type AskedRow = Selected<typeof askedRows>;

/** A payment with what it was paid with, and the key of the payment customer, under whom the shop's text is sealed. */
export const askableRows = select(
  {
    ...transaction.pick('id', 'amount', 'currency', 'status', 'createdAt', 'orderDescriptionSealed'),
    brand: optional(method.brand),
    last4: optional(method.last4),
    ...keyed,
  },
  sql`FROM ${transaction} JOIN ${payer} ON ${payer.id} = ${transaction.paymentCustomerId} ${withKeyOf(payer)}
      LEFT JOIN ${method} ON ${method.id} = ${transaction.paymentMethodId} AND ${method.paymentCustomerId} = ${transaction.paymentCustomerId}`,
);
export type AskableRow = Selected<typeof askableRows>;
