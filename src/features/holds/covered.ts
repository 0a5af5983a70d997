import type { Reads } from '../../db/reads';
import { padded, sql } from '../../db/sql';
import { customer } from '../customers/customers.rows';
import type { PaymentHold } from './hold.entity';
import { linkedPayers } from './holds.rows';

/** Of a customer who was nobody at the payment side when the hold was placed. */
const nobody = 'NONE';

export type Covered = Pick<PaymentHold, 'customerIds' | 'payerIds'>;

/** Who each of these customers of the helpdesk is at the payment side now, by their ids; without those who are nobody there. */
const payersNow = async (reader: Pick<Reads, 'read'>, customerIds: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  if (customerIds.length === 0) return new Map();
  const rows = await reader.read(linkedPayers, sql`WHERE ${customer.id} IN (${customerIds}) AND ${customer.link} <> 'NONE'`);
  return new Map(rows.flatMap(({ id, paymentCustomerId: payer }) => (payer === null ? [] : [[id, payer] as const])));
};

/** Customers of the helpdesk who are one at the payment side. */
const mostSame = 50;

/** Those of the helpdesk's customers who are linked to one of these at the payment side now. */
export const linkedTo = async (reader: Pick<Reads, 'read'>, payers: readonly string[]): Promise<readonly string[]> => {
  if (payers.length === 0) return [];
  const rows = await reader.read(
    linkedPayers,
    sql`WHERE ${customer.paymentCustomerId} IN (${padded(payers)}) ORDER BY ${customer.id} LIMIT ${mostSame}`,
  );
  return rows.map(({ id }) => id);
};

/** `payerIds` of a hold that is placed now. */
export const payersOf = async (reader: Pick<Reads, 'read'>, customerIds: readonly string[]): Promise<readonly string[]> => {
  const payers = await payersNow(reader, customerIds);
  return [...customerIds].sort().map((id) => payers.get(id) ?? nobody);
};

/** Who a customer of a hold was at the payment side when it was placed; null where they were nobody there. */
export const payerThen = ({ customerIds, payerIds }: Covered, customerId: string): string | null => {
  const payer = payerIds?.[[...customerIds].sort().indexOf(customerId)] ?? nobody;
  return payer === nobody ? null : payer;
};

/**
 * Whether a hold covers somebody by one of their names: their id at the payment side, or those of the helpdesk's customers who are linked to
 * them. Who was somebody at the payment side when the hold was placed is held as that one, whatever becomes of the link: it would else
 * end, or hold somebody else, by what anybody may bring about at the helpdesk or at the provider.
 */
export const covers = (held: Covered, names: readonly string[]): boolean =>
  (held.payerIds ?? []).some((id) => id !== nobody && names.includes(id)) ||
  held.customerIds.some((id) => names.includes(id) && payerThen(held, id) === null);

/** Whether a question of the pipeline can meet a hold: by a domain of mail, or by somebody at the payment side. */
export const canBeMet = async (reader: Pick<Reads, 'read'>, hold: Covered & Pick<PaymentHold, 'emailDomain'>): Promise<boolean> =>
  hold.emailDomain !== null ||
  hold.customerIds.some((id) => payerThen(hold, id) !== null) ||
  (await payersNow(reader, hold.customerIds)).size > 0;
