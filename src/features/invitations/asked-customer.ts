import type { LinkAssurance, SignedInActor } from '../../authz/actor';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { assistances } from '../assistance/assistance.entity';
import { assistanceIds, live } from '../assistance/live';
import { customer, linkRows } from '../customers/customers.rows';
import { staffDigests } from '../keys/contact-digests';
import type { Keys } from '../keys/keys.service';
import { type PayerRow, payerRows, payer as payers } from '../payments/payments.rows';
import { staffIdOf } from '../tickets/staff-id';
import type { Ticket } from '../tickets/ticket.entity';
import { staff, staffRows } from '../tickets/tickets.rows';

/** Who would be asked something, whoever asks. */
export interface Askable {
  /** The customer on the payment side, and how surely that is who they are; null where nobody knows. */
  readonly payer: (PayerRow & { readonly link: LinkAssurance }) | null;
  /** Members of staff whose mailbox is the one that the payment side has of the customer. */
  readonly contactStaffIds: readonly string[];
}

/** Who would be asked something on a ticket, and by whom, whatever it is. */
export interface AskedCustomer extends Askable {
  /** The asker's live assistance for the customer on this ticket. */
  readonly assistanceId: string | null;
  /** The asker as the ticket's helpdesk names them. */
  readonly staffId: string | null;
}

export const nobodyAsked: AskedCustomer = { payer: null, assistanceId: null, staffId: null, contactStaffIds: [] };

/** These facts as they are in the change that asks. It holds the customer: of two that ask the same one, the second finds what the first asked. */
export const readAskable = async (change: Change, keys: Keys, customerId: string): Promise<Askable> => {
  const [linked] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`, { lock: true });
  const [payer] =
    linked && linked.link !== 'NONE' && linked.paymentCustomerId !== null
      ? await change.read(payerRows, sql`WHERE ${payers.id} = ${linked.paymentCustomerId} AND ${payers.gone} = ${false}`)
      : [];
  const digests = staffDigests(keys, payer ? keys.open(payers, payer, 'email') : null);
  const staffed =
    digests.length === 0
      ? []
      : await change.read(staffRows, sql`WHERE ${staff.emailDigest} IN (${digests}) OR ${staff.loginDigest} IN (${digests})`);
  return { payer: payer && linked ? { ...payer, link: linked.link } : null, contactStaffIds: staffed.map(({ id }) => id) };
};

/** The same with who asks on a ticket. */
export const readAskedCustomer = async (
  change: Change,
  keys: Keys,
  actor: SignedInActor,
  ticket: Ticket,
): Promise<AskedCustomer> => {
  const { customerId } = ticket;
  if (customerId === null) return nobodyAsked;
  const askable = await readAskable(change, keys, customerId);
  const [assistance] = await change.read(
    assistanceIds,
    sql`WHERE ${live(assistances, actor, change.at)} AND ${assistances.ticketId} = ${ticket.id} AND ${assistances.customerId} = ${customerId}`,
  );
  return { ...askable, assistanceId: assistance?.id ?? null, staffId: await staffIdOf(change, actor, ticket.source) };
};
