import { type AttemptState, type MoneyParts, settle, succeeded } from '../../upstream/payments/money';
import type { RefundRecord, TransactionRecord, TransactionStatus } from '../../upstream/payments/payments.port';
import { demoCurrencies, priceIn } from './catalogue';
import type { Random } from './random';

const day = 86_400_000;

type Money = Pick<TransactionRecord, keyof MoneyParts | 'status' | 'refunds'>;

const statesBefore: Partial<Record<TransactionStatus, AttemptState>> = {
  PENDING: 'PENDING',
  REQUIRES_ACTION: 'REQUIRES_ACTION',
  DECLINED: 'DECLINED',
  CANCELLED: 'CANCELLED',
};

/** What was captured, when more was authorized, and what was given back of it. */
interface Course {
  readonly authorized?: number;
  readonly captured?: number;
  readonly isFinal?: boolean;
  readonly refunds?: readonly RefundRecord[];
}

/** The money of a payment of `amount` that took this course. */
const moneyAfter = (status: TransactionStatus, amount: number, course: Course): Money => {
  const { authorized = amount, captured = status === 'AUTHORIZED' ? 0 : amount, isFinal = true, refunds = [] } = course;
  const settled = settle({
    state: statesBefore[status] ?? 'AUTHORIZED',
    requested: amount,
    authorized: status === 'CANCELLED' ? 0 : authorized,
    captured,
    released: captured > 0 && isFinal ? authorized : 0,
    refunded: succeeded(refunds),
    disputed: status === 'DISPUTED',
  });
  return { ...settled, refunds: [...refunds].reverse() };
};

/** The money of a payment that came to this status by the shortest way. */
export const plainMoney = (status: TransactionStatus, amount: number, createdAt: Date): Money => {
  const back = status === 'REFUNDED' ? amount : status === 'PARTIALLY_REFUNDED' ? Math.max(1, Math.floor(amount / 2)) : 0;
  const refund = { amount: back, state: 'SUCCEEDED', reason: 'requested_by_customer', createdAt } as const;
  return moneyAfter(status, amount, back > 0 ? { refunds: [refund] } : {});
};

/** Money as it takes its ways at a shop: captured in part and in steps, refunds that wait or fail. `until`: nothing is later. */
export const drawnMoney = (
  random: Random,
  { status, amount, createdAt, until }: Pick<TransactionRecord, 'status' | 'amount' | 'createdAt'> & { readonly until: number },
): Money => {
  let at = createdAt.getTime();
  const refund = (given: number, state: RefundRecord['state'], reason = 'requested_by_customer'): RefundRecord => {
    at = Math.min(at + random.between(1, 6) * day, until);
    return { amount: given, state, reason, createdAt: new Date(at) };
  };
  // As round as the price is: some currencies have no coins below ten or a hundred of their minor units.
  const step = [100, 10].find((each) => amount % each === 0) ?? 1;
  const part = (least: number, most: number) =>
    Math.max(step, Math.floor((amount * random.between(least, most)) / 100 / step) * step);
  const course = random.fraction();
  switch (status) {
    case 'AUTHORIZED':
      // The first parcel of several has left.
      return moneyAfter(status, amount, course < 0.25 ? { captured: part(30, 60), isFinal: false } : {});
    case 'CAPTURED':
      // A hold that was larger than what the parcel cost in the end.
      if (course < 0.05) return moneyAfter(status, amount, { authorized: amount + part(3, 20) });
      if (course < 0.08) return moneyAfter(status, amount, { refunds: [refund(amount, 'PENDING')] });
      if (course < 0.09) return moneyAfter(status, amount, { refunds: [refund(part(20, 60), 'REQUIRES_ACTION')] });
      if (course < 0.1) return moneyAfter(status, amount, { refunds: [refund(amount, 'FAILED'), refund(amount, 'PENDING')] });
      if (course < 0.11) return moneyAfter(status, amount, { refunds: [refund(part(20, 60), 'CANCELLED', 'duplicate')] });
      return moneyAfter(status, amount, {});
    case 'REFUNDED':
      if (course < 0.3 && amount > step) {
        const first = Math.min(part(20, 80), amount - step);
        return moneyAfter(status, amount, { refunds: [refund(first, 'SUCCEEDED'), refund(amount - first, 'SUCCEEDED')] });
      }
      return moneyAfter(status, amount, { refunds: [refund(amount, 'SUCCEEDED', course < 0.6 ? 'duplicate' : undefined)] });
    case 'PARTIALLY_REFUNDED':
      return moneyAfter(status, amount, { refunds: [refund(Math.min(part(20, 60), Math.max(1, amount - step)), 'SUCCEEDED')] });
    default:
      return moneyAfter(status, amount, {});
  }
};

/** What the customer saw, of one payment in twenty-five: a price in another currency than the one that was charged. */
export const drawnPresentment = (random: Random, currency: string, euroCents: number): TransactionRecord['presentment'] => {
  if (!random.chance(0.04)) return null;
  const seen = random.pick(demoCurrencies.filter((each) => each !== currency));
  return { amount: priceIn(seen, euroCents), currency: seen };
};
