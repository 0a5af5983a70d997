import type { LinkAssurance } from '../../authz/actor';
import { sql } from '../../db/sql';
import { Column, optional, type Selected, select, wholeNumber } from '../../db/table';
import { customer } from '../customers/customers.rows';
import { keyed, keyedIfAny, withKeyOf, withKeyOfOwner } from '../keys/keys.service';
import { transaction } from '../payments/payments.rows';
import { ticket } from '../tickets/tickets.rows';
import { type PaymentHoldEffect, paymentHoldEffects, paymentHoldJobs, paymentHoldSteps, paymentHolds } from './hold.entity';

export const hold = paymentHolds.as('h');
export const effect = paymentHoldEffects.as('he');

const withTicket = sql`LEFT JOIN ${ticket} ON ${ticket.id} = ${hold.ticketId}`;

/** What a hold is to bring about, as it is shown. */
export type ShownEffect = Pick<PaymentHoldEffect, 'kind' | 'state' | 'enforcedBy' | 'deadline'>;

const shownEffect = sql`JSON_ARRAY(${effect.kind}, ${effect.state}, ${effect.enforcedBy}, ${effect.deadline})`;

/** Of one statement with the hold: read after it, they could be of another state than the hold that they are shown with. */
const effects = new Column<readonly ShownEffect[]>(
  sql`(SELECT GROUP_CONCAT(${shownEffect}) FROM ${effect} WHERE ${effect.holdId} = ${hold.id})`,
  (stored) =>
    (JSON.parse(`[${stored ?? ''}]`) as [ShownEffect['kind'], ShownEffect['state'], ShownEffect['enforcedBy'], number | null][])
      .map(([kind, state, enforcedBy, deadline]) => ({
        kind,
        state,
        enforcedBy,
        deadline: deadline === null ? null : new Date(deadline),
      }))
      .sort((a, b) => (a.kind < b.kind ? -1 : 1)),
);

/** A hold as it is shown, with the key that its reason is sealed with, its ticket, and its customer's link as it is now. */
export const holdRows = select(
  {
    ...hold.pick('id', 'state', 'cause', 'subjectKind', 'ticketId', 'customerId', 'customerIds', 'paymentCustomerId'),
    ...hold.pick(
      'transactionId',
      'placedById',
      'placedByStaffId',
      'placedByStaffIds',
      'reasonSealed',
      'moves',
      'placedAt',
      'expiresAt',
    ),
    effects,
    helpdesk: optional(ticket.source),
    team: optional(ticket.team),
    teamSetById: optional(ticket.teamSetById),
    createdById: optional(ticket.createdById),
    customerSetByIds: optional(ticket.customerSetByIds),
    currentLink: new Column<LinkAssurance>(
      sql`CASE WHEN ${customer.paymentCustomerId} = ${hold.paymentCustomerId} THEN ${customer.link} ELSE 'NONE' END`,
      null,
    ),
    ...keyedIfAny,
  },
  sql`FROM ${hold} ${withKeyOfOwner(hold.customerId as Column<string>)} ${withTicket} LEFT JOIN ${customer} ON ${customer.id} = ${hold.customerId}`,
);
export type HoldRow = Selected<typeof holdRows>;

export const holdCounts = select({ n: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${hold} ${withTicket}`);

/** Holds with their tickets, by which it is told who reaches them. */
export const reachedRows = select(
  hold.pick('id', 'state', 'ticketId', 'customerId', 'paymentCustomerId', 'transactionId'),
  sql`FROM ${hold} ${withTicket}`,
);

/** Holds with what each is to bring about: a row for each of these. */
export const standingRows = select(
  {
    ...hold.pick('id', 'customerIds', 'payerIds', 'transactionId', 'emailDomain', 'expiresAt'),
    kind: effect.kind,
    effectState: effect.state,
  },
  sql`FROM ${hold} JOIN ${effect} ON ${effect.holdId} = ${hold.id}`,
);

export const holdMoves = select(hold.pick('customerIds', 'payerIds', 'moves'), sql`FROM ${hold}`);

/** When holds stood, and who their customer was at the payment side. */
export const agentsHolds = select(hold.pick('id', 'paymentCustomerId', 'placedAt', 'expiresAt', 'moves'), sql`FROM ${hold}`);

/** The helpdesk's customers, and who each is at the payment side. */
export const linkedPayers = select(customer.pick('id', 'paymentCustomerId'), sql`FROM ${customer}`);

export const effectRows = select(
  effect.pick('id', 'holdId', 'kind', 'state', 'enforcedBy', 'deadline', 'revision'),
  sql`FROM ${effect}`,
);

export const holdIds = select(hold.pick('id'), sql`FROM ${hold}`);

/** Who placed which. */
export const placerRows = select(hold.pick('id', 'placedById'), sql`FROM ${hold}`);

/** By which it is reckoned until when a payment can be captured while nobody can be asked. */
export const authorizedRows = select(transaction.pick('status', 'createdAt'), sql`FROM ${transaction}`);

/** Payments by our ids. */
export const paymentIds = select(transaction.pick('id'), sql`FROM ${transaction}`);

/** What is authorized and neither captured nor released, of single payments and of everybody's by currency. */
export const openAmounts = select(transaction.pick('id', 'open', 'currency'), sql`FROM ${transaction}`);
export const openSums = select(
  // A sum of integers is a decimal on MariaDB, which drivers hand out as a text.
  { ...transaction.pick('paymentCustomerId', 'currency'), open: wholeNumber(sql`CAST(SUM(${transaction.open}) AS SIGNED)`) },
  sql`FROM ${transaction}`,
);

/** A payment as its provider is asked about it. */
export const paymentRows = select(transaction.pick('id', 'reference', 'status', 'paymentCustomerId'), sql`FROM ${transaction}`);

export const step = paymentHoldSteps.as('hs');

/** Whether a hold's job waits. */
export const jobRows = select(paymentHoldJobs.pick('id', 'holdId', 'state'), sql`FROM ${paymentHoldJobs}`);

/** What kinds of effects a hold has calls for. */
export const stepKinds = select(paymentHoldSteps.pick('kind'), sql`FROM ${paymentHoldSteps}`);

/** Calls with their customer's key. */
export const stepRows = select(
  {
    ...step.pick('id', 'holdId', 'ordinal', 'kind', 'phase', 'action', 'state', 'customerId', 'target', 'source'),
    ...step.pick('stepSealed', 'keyGeneration', 'keyUsedAt', 'refusal'),
    ...keyed,
  },
  sql`FROM ${step} ${withKeyOf(step)}`,
);
export type StepRow = Selected<typeof stepRows>;

/** Calls of holds that stand, by what they change. */
export const standingSteps = select(step.pick('holdId', 'target'), sql`FROM ${step} JOIN ${hold} ON ${hold.id} = ${step.holdId}`);

/** Placed holds whose payment is no longer as they want it, by what was last read of it. */
export const movedPayments = select(
  { ...hold.pick('id', 'paymentCustomerId'), transactionId: transaction.id, status: transaction.status },
  sql`FROM ${hold} JOIN ${transaction} ON ${transaction.id} = ${hold.transactionId}`,
);
