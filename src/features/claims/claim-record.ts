import type { LinkAssurance } from '../../authz/actor';
import type { Change } from '../../db/change';
import { raw, sql } from '../../db/sql';
import type { Selected } from '../../db/table';
import type { AmountOf, PaymentRecord, RecordedPayment } from '../../risk/claim';
import { customer, paymentSides } from '../customers/customers.rows';
import { transaction } from '../payments/payments.rows';
import { claimedPayments } from './claims.rows';

const day = 86_400_000;
/** Payments that a claim is held against. Of somebody with more a source may have kept some back. */
const mostPayments = 400;

/** A customer's payment side, as a claim is held against it. */
export interface StatedAgainst {
  readonly link: LinkAssurance;
  /** It was never asked who they are there, or is to be again. */
  readonly isUndecided: boolean;
  /** What is stored is how it was then; null where there is nothing. */
  readonly confirmedAt: Date | null;
  /** Null without a link, and where it isn't all of it. */
  readonly record: Omit<PaymentRecord, 'isAboutThatTime'> | null;
}

const amountsOf = (row: Selected<typeof claimedPayments>): readonly AmountOf[] => {
  const { amount, currency, authorized, captured, refunded, open, refunds, presentmentAmount, presentmentCurrency } = row;
  const parts = [amount, authorized, captured, refunded, open, ...(refunds ?? []).map((refund) => refund.amount)];
  const own = [...new Set(parts)].flatMap((minorUnits) => (minorUnits === null ? [] : [{ minorUnits, currency }]));
  if (presentmentAmount === null || presentmentCurrency === null) return own;
  return [...own, { minorUnits: presentmentAmount, currency: presentmentCurrency }];
};

const recorded = (row: Selected<typeof claimedPayments>): RecordedPayment => ({
  id: row.id,
  createdAt: row.createdAt,
  amounts: amountsOf(row),
  order: row.orderReference,
  // A wallet shows its owner another number than its card has, and of an account nobody says the same four.
  card: row.kind === 'CARD' && row.last4 !== null && /^\d{4}$/.test(row.last4) ? row.last4 : null,
});

/** `historyDays`: of how many days before it was read a source tells all payments. */
export const statedAgainst = async (change: Change, customerId: string, historyDays: number): Promise<StatedAgainst> => {
  const [side] = await change.read(paymentSides, sql`WHERE ${customer.id} = ${customerId}`);
  if (!side) return { link: 'NONE', isUndecided: false, confirmedAt: null, record: null };
  const { link, linkedAt, paymentCustomerId, readAt, confirmedAt } = side;
  const known = { link, isUndecided: linkedAt === null, confirmedAt };
  if (link === 'NONE' || paymentCustomerId === null || readAt === null || confirmedAt === null) return { ...known, record: null };
  const rows = await change.read(
    claimedPayments,
    sql`WHERE ${transaction.paymentCustomerId} = ${paymentCustomerId} ORDER BY ${transaction.createdAt} DESC, ${transaction.id} DESC
      LIMIT ${raw(`${mostPayments + 1}`)}`,
  );
  if (rows.length > mostPayments) return { ...known, record: null };
  return {
    ...known,
    record: {
      payments: rows.map(recorded),
      completeFrom: new Date(readAt.getTime() - historyDays * day),
      completeTo: confirmedAt,
    },
  };
};
