import type { SignedInActor } from '../../../authz/actor';
import type { Change } from '../../../db/change';
import { sql } from '../../../db/sql';
import { type AskedCustomer, nobodyAsked, readAskedCustomer } from '../../invitations/asked-customer';
import type { Keys } from '../../keys/keys.service';
import { lastDisputes, transaction } from '../../payments/payments.rows';
import type { Ticket } from '../../tickets/ticket.entity';
import { credentialUpdate, requestCounts } from '../credentials.rows';

/** Milliseconds for which updates of a customer are counted. */
export const day = 86_400_000;

/** What a request on a ticket is judged by, beside the ticket itself. */
export interface RequestFacts extends AskedCustomer {
  /** Updates of the customer that were requested within the last day. */
  readonly requestedToday: number;
  readonly lastDisputeAt: Date | null;
}

/** What is known of a customer's earlier updates and payments. */
type Past = Pick<RequestFacts, 'requestedToday' | 'lastDisputeAt'>;

/** `payerId`: who they are on the payment side; null where nobody knows. */
export const readPast = async (change: Change, customerId: string, payerId: string | null): Promise<Past> => {
  const [counted] = await change.read(
    requestCounts,
    sql`WHERE ${credentialUpdate.customerId} = ${customerId} AND ${credentialUpdate.createdAt} > ${change.at.getTime() - day}`,
  );
  const [dispute] =
    payerId === null ? [] : await change.read(lastDisputes, sql`WHERE ${transaction.paymentCustomerId} = ${payerId}`);
  return { requestedToday: counted?.n ?? 0, lastDisputeAt: dispute?.openedAt ?? null };
};

/** The facts as they are in the change that makes the request. */
export const readFacts = async (change: Change, keys: Keys, actor: SignedInActor, ticket: Ticket): Promise<RequestFacts> => {
  const { customerId } = ticket;
  if (customerId === null) return { ...nobodyAsked, requestedToday: 0, lastDisputeAt: null };
  const asked = await readAskedCustomer(change, keys, actor, ticket);
  return { ...asked, ...(await readPast(change, customerId, asked.payer?.id ?? null)) };
};
