import type { LinkAssurance, SignedInActor } from '../../../authz/actor';
import type { Change } from '../../../db/change';
import { sql } from '../../../db/sql';
import { assistances } from '../../assistance/assistance.entity';
import { assistanceIds, live } from '../../assistance/live';
import { customer, linkRows } from '../../customers/customers.rows';
import { staffDigests } from '../../keys/contact-digests';
import type { Keys } from '../../keys/keys.service';
import { lastDisputes, type PayerRow, payerRows, payer as payers, transaction } from '../../payments/payments.rows';
import { staffIdOf } from '../../tickets/staff-id';
import type { Ticket } from '../../tickets/ticket.entity';
import { staff, staffRows } from '../../tickets/tickets.rows';
import { credentialUpdate, requestCounts } from '../credentials.rows';

const day = 86_400_000;

/** What a request on a ticket is judged by, beside the ticket itself. */
export interface RequestFacts {
  /** The ticket's customer on the payment side, and how surely that is who they are; null where nobody knows. */
  readonly payer: (PayerRow & { readonly link: LinkAssurance }) | null;
  /** The asker's live assistance for the customer on this ticket. */
  readonly assistanceId: string | null;
  /** The asker as the ticket's helpdesk names them. */
  readonly staffId: string | null;
  /** Members of staff whose mailbox is the one that the payment side has of the customer. */
  readonly contactStaffIds: readonly string[];
  /** Updates of the customer that were requested within the last day. */
  readonly requestedToday: number;
  readonly lastDisputeAt: Date | null;
}

const nothing: RequestFacts = {
  payer: null,
  assistanceId: null,
  staffId: null,
  contactStaffIds: [],
  requestedToday: 0,
  lastDisputeAt: null,
};

/** The facts as they are in the change that makes the request. */
export const readFacts = async (change: Change, keys: Keys, actor: SignedInActor, ticket: Ticket): Promise<RequestFacts> => {
  const { customerId } = ticket;
  if (customerId === null) return nothing;
  // Locked, so that two requests for one customer are counted one after the other.
  const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`, { lock: true });
  const [payer] =
    linked && linked.link !== 'NONE' && linked.paymentCustomerId !== null
      ? await change.read(payerRows, sql`WHERE ${payers.id} = ${linked.paymentCustomerId} AND ${payers.gone} = ${false}`)
      : [];
  const [assistance] = await change.read(
    assistanceIds,
    sql`WHERE ${live(assistances, actor, change.at)} AND ${assistances.ticketId} = ${ticket.id} AND ${assistances.customerId} = ${customerId}`,
  );
  const [counted] = await change.read(
    requestCounts,
    sql`WHERE ${credentialUpdate.customerId} = ${customerId} AND ${credentialUpdate.createdAt} > ${change.at.getTime() - day}`,
  );
  const [dispute] = payer ? await change.read(lastDisputes, sql`WHERE ${transaction.paymentCustomerId} = ${payer.id}`) : [];
  const address = payer ? keys.open(payers, payer, 'email') : null;
  const digests = staffDigests(keys, address);
  const staffed =
    digests.length === 0
      ? []
      : await change.read(staffRows, sql`WHERE ${staff.emailDigest} IN (${digests}) OR ${staff.loginDigest} IN (${digests})`);
  return {
    payer: payer && linked ? { ...payer, link: linked.link } : null,
    assistanceId: assistance?.id ?? null,
    staffId: await staffIdOf(change, actor, ticket.source),
    contactStaffIds: staffed.map(({ id }) => id),
    requestedToday: counted?.n ?? 0,
    lastDisputeAt: dispute?.openedAt ?? null,
  };
};
