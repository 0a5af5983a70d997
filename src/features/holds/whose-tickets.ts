import type { SignedInActor } from '../../authz/actor';
import { personOf } from '../../authz/same-person';
import type { Change } from '../../db/change';
import { padded, type Sql, sql } from '../../db/sql';
import { optional, select } from '../../db/table';
import { subjectsOf } from '../actors/actor.persons';
import { assistance } from '../assistance/assistance.rows';
import { customer } from '../customers/customers.rows';
import { type Keys, keyed, withKeyOf } from '../keys/keys.service';
import { payer, payerRows } from '../payments/payments.rows';
import { subjectDigest } from '../signals/subjects';
import { doneBy } from '../tickets/staff.rows';
import { holder, ticket } from '../tickets/tickets.rows';
import type { PaymentHold } from './hold.entity';

/** How long before a hold was placed, in milliseconds, whoever had a ticket counts as having it: far longer than a ticket is put away for a moment. */
const shortlyBefore = 24 * 3_600_000;
/** Customers of one person's that are looked through for a mail domain. */
const mostLookedAt = 500;

const assisted = select(
  { customerId: optional(assistance.customerId) },
  sql`FROM ${assistance} JOIN ${customer} ON ${customer.id} = ${assistance.customerId}`,
);
const assigned = select(ticket.pick('customerId'), sql`FROM ${ticket} JOIN ${customer} ON ${customer.id} = ${ticket.customerId}`);
const departed = select(holder.pick('customerId'), sql`FROM ${holder} JOIN ${customer} ON ${customer.id} = ${holder.customerId}`);
const payersOf = select(customer.pick('paymentCustomerId'), sql`FROM ${customer}`);
const mailed = select(
  { ...customer.pick('id', 'emailSealed', 'paymentCustomerId'), ...keyed },
  sql`FROM ${customer} ${withKeyOf(customer)}`,
);

/**
 * Whether the actor, under whichever of their subjects, has a ticket of somebody whom a hold covers, or had one since shortly before it was placed:
 * by assignment, as far as that was ever seen, or by an assistance, open or closed, whoever took it away from them. Covered are its customers, whoever else of the helpdesk's is the
 * same payer, and everybody of its mail domain.
 */
export const hadTicketOf = async (change: Change, keys: Keys, actor: SignedInActor, hold: PaymentHold): Promise<boolean> => {
  const isCovered = hold.emailDomain === null ? await covers(change, hold) : sql`1 = 1`;
  if (isCovered === null) return false;
  const since = new Date(hold.placedAt.getTime() - shortlyBefore);
  const subjects = await subjectsOf(change, [actor.id]);
  const { actorId, requestedByStaffIds: staffIds, beginsAt, endedAt, expiresAt } = assistance;
  const isTheirs = sql`(${actorId} IN (${padded(subjects)}) OR ${doneBy(personOf(actor), { actorId, staffIds })})`;
  const isLate = sql`${beginsAt} IS NOT NULL AND COALESCE(${endedAt}, ${expiresAt}) >= ${since}`;
  const most = hold.emailDomain === null ? 1 : mostLookedAt;
  const found = await change.read(
    assisted,
    sql`WHERE ${isTheirs} AND ${isLate} AND ${isCovered} GROUP BY ${assistance.customerId} LIMIT ${most}`,
  );
  const held =
    actor.staffIds.length === 0
      ? []
      : await change.read(
          assigned,
          sql`WHERE ${isAssigned(actor, since)} AND ${isCovered} GROUP BY ${ticket.customerId} LIMIT ${most}`,
        );
  const had =
    actor.staffIds.length === 0
      ? []
      : await change.read(
          departed,
          sql`WHERE ${holder.staffId} IN (${actor.staffIds}) AND ${holder.lastAt} >= ${since} AND ${isCovered}
            GROUP BY ${holder.customerId} LIMIT ${most}`,
        );
  const customerIds = [...new Set([...found, ...held, ...had].flatMap(({ customerId }) => customerId ?? []))];
  if (hold.emailDomain === null || customerIds.length === 0) return customerIds.length > 0;
  // Of whom there are too many to look through, nobody can say that none is covered.
  if ([found, held, had].some(({ length }) => length === most)) return true;
  const isListed = await covers(change, hold);
  const listed =
    isListed === null ? [] : await change.read(mailed, sql`WHERE ${customer.id} IN (${padded(customerIds)}) AND ${isListed}`);
  return listed.length > 0 || (await isAnyOf(change, keys, customerIds, hold.emailDomain));
};

/** The ticket is assigned to the actor, and isn't long done with. */
const isAssigned = ({ staffIds }: SignedInActor, since: Date): Sql =>
  sql`${ticket.assigneeId} IN (${staffIds}) AND (${ticket.status} IN ('NEW', 'OPEN', 'PENDING') OR ${ticket.updatedAt} >= ${since})`;

/** The customer is one of the hold's, or the same payer as one of them, as SQL over `customer`; null where it names none. */
const covers = async (change: Change, { customerIds, paymentCustomerId, payerIds }: PaymentHold): Promise<Sql | null> => {
  if (customerIds.length === 0) return null;
  const now = await change.read(payersOf, sql`WHERE ${customer.id} IN (${padded(customerIds)})`);
  const payers = [paymentCustomerId, ...(payerIds ?? []), ...now.map((row) => row.paymentCustomerId)].filter((id) => id !== null);
  const isSamePayer = payers.length === 0 ? sql`1 = 0` : sql`${customer.paymentCustomerId} IN (${padded([...new Set(payers)])})`;
  return sql`(${customer.id} IN (${padded(customerIds)}) OR ${isSamePayer})`;
};

/** Whether one of these has an address of that domain, at the helpdesk or at the payment side. */
const isAnyOf = async (change: Change, keys: Keys, customerIds: readonly string[], domain: string): Promise<boolean> => {
  const isOf = (email: string | null): boolean => {
    const its = email?.split('@').at(-1)?.trim();
    return its !== undefined && its !== '' && subjectDigest(keys.digests, 'emailDomain', its) === domain;
  };
  const rows = await change.read(mailed, sql`WHERE ${customer.id} IN (${padded(customerIds)})`);
  if (rows.some((row) => isOf(keys.open(customer, row, 'email')))) return true;
  const payers = [...new Set(rows.flatMap(({ paymentCustomerId }) => paymentCustomerId ?? []))];
  const payerMails = payers.length === 0 ? [] : await change.read(payerRows, sql`WHERE ${payer.id} IN (${padded(payers)})`);
  return payerMails.some((row) => isOf(keys.open(payer, row, 'email')));
};
