import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import type { HoldChanges, PaymentStanding } from '../../upstream/payments/payments.port';
import { customer, linkRows } from '../customers/customers.rows';
import type { Keys } from '../keys/keys.service';
import { payer, payerRows, transaction } from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';
import { paymentRows } from './holds.rows';

const hour = 3_600_000;
/** So long before an authorization ends, in milliseconds, a hold lets go of it at the latest. */
export const captureReserve = 12 * hour;
/**
 * How long an authorization lives at least, in milliseconds: of what card schemes and Stripe let merchants capture later, the shortest for a payment
 * online, Visa's of four days and 18 hours for one that the merchant initiates.
 */
const shortestAuthorization = (4 * 24 + 18) * hour;
/** For how long a hold of a payment stands that may have lived longer than that, while nobody can be asked. */
const unconfirmedFor = hour;

/** A customer as their payment provider knows them, and what can be made to wait there. */
export interface HoldSide {
  /** Null where nothing can be made to wait there. */
  readonly provider: HoldChanges | null;
  /** Name of the payments source. */
  readonly source: string;
  readonly paymentCustomerId: string;
  /** The provider's own reference: never shown, never logged. */
  readonly reference: string;
}

export interface SideParts {
  readonly database: Reads;
  readonly keys: Keys;
  readonly sources: Sources;
}

/** Null where the customer has no link, or is gone there, or was erased here. */
export const sideOf = async (parts: SideParts, customerId: string): Promise<HoldSide | null> => {
  const [linked] = await parts.database.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
  if (!linked || linked.link === 'NONE' || linked.paymentCustomerId === null) return null;
  return sideOfPayer(parts, linked.paymentCustomerId);
};

/** The same of somebody at the payment side, whoever of the helpdesk's customers is linked to them. */
export const sideOfPayer = async ({ database, keys, sources }: SideParts, payerId: string): Promise<HoldSide | null> => {
  const [holder] = await database.read(payerRows, sql`WHERE ${payer.id} = ${payerId} AND ${payer.gone} = ${false}`);
  const reference = holder && keys.open(payer, holder, 'reference');
  if (!holder || !reference) return null;
  const { connector } = sources.paymentsSource(holder.source);
  return { provider: connector.holds ?? null, source: holder.source, paymentCustomerId: holder.id, reference };
};

/** How a payment of a customer's stands at its provider now; null where it isn't theirs, undefined where nobody can be asked. Throws `SourceUnavailable`. */
export const paymentNow = async (
  parts: SideParts,
  side: HoldSide | null,
  transactionId: string,
): Promise<PaymentStanding | null | undefined> => {
  if (!side?.provider) return undefined;
  const isTheirs = sql`${transaction.id} = ${transactionId} AND ${transaction.paymentCustomerId} = ${side.paymentCustomerId}`;
  const [row] = await parts.database.read(paymentRows, sql`WHERE ${isTheirs}`);
  return row ? side.provider.readPayment(side.reference, row.reference) : null;
};

const uncaptured: readonly string[] = ['PENDING', 'REQUIRES_ACTION', 'AUTHORIZED'];

/** Its money hasn't moved, and nothing has ended it. */
export const isUncaptured = ({ status }: { readonly status: string }): boolean => uncaptured.includes(status);

/** Nothing will come of it any more, or all of it went back. */
export const isOver = ({ status }: { readonly status: string }): boolean =>
  ['DECLINED', 'CANCELLED', 'REFUNDED'].includes(status);

/** Until when its authorization leaves room for a hold; null where it sets no bound. */
export const latestFor = (payment: PaymentStanding | null | undefined): Date | null =>
  payment == null || payment.captureBefore === null || !isUncaptured(payment)
    ? null
    : new Date(payment.captureBefore.getTime() - captureReserve);

/** The same while its provider can't be asked: by how long any authorization lives, or for an hour where it may be over by that. */
export const latestUnasked = (
  { status, createdAt }: { readonly status: string; readonly createdAt: Date },
  now: Date,
): Date | null =>
  isUncaptured({ status })
    ? new Date(Math.max(createdAt.getTime() + shortestAuthorization - captureReserve, now.getTime() + unconfirmedFor))
    : null;

/** By when a payment was made, and a hold of it placed, that is to be let go while its provider can't be asked. */
export const unaskedBefore = {
  created: (now: Date): Date => new Date(now.getTime() - (shortestAuthorization - captureReserve)),
  placed: (now: Date): Date => new Date(now.getTime() - unconfirmedFor),
};
