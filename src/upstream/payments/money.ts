import type { RefundRecord, TransactionStatus } from './payments.port';

/** How an attempt stands before its money is looked at. `AUTHORIZED`: whoever had to agree to it did. */
export type AttemptState = 'PENDING' | 'REQUIRES_ACTION' | 'DECLINED' | 'CANCELLED' | 'AUTHORIZED';

/** What a provider says of an attempt's money. All amounts are integer minor units of one currency. */
export interface AttemptMoney {
  readonly state: AttemptState;
  /** What was asked for. */
  readonly requested: number;
  /** What was agreed to, captured, and given free without having been captured; of no meaning before it is authorized. */
  readonly authorized: number;
  readonly captured: number;
  readonly released: number;
  /** Captured money that has gone back: refunds that succeeded, and no other. */
  readonly refunded: number;
  /** A dispute about it is open or was lost. */
  readonly disputed: boolean;
}

/** A transaction's money in its parts, in integer minor units. */
export interface MoneyParts {
  /** What was captured; as long as nothing is, what was authorized or asked for. */
  readonly amount: number;
  readonly authorized: number;
  /** More than `authorized` where the provider allows to capture more (overcapture). */
  readonly captured: number;
  /** 0 to `captured`. */
  readonly refunded: number;
  /** Authorized, and neither captured nor released. */
  readonly open: number;
}

/** From top to bottom, the first that holds. Of attempts that were authorized. */
const statuses: readonly {
  readonly status: TransactionStatus;
  readonly holds: (parts: MoneyParts, of: AttemptMoney) => boolean;
}[] = [
  { status: 'DISPUTED', holds: (_, { disputed }) => disputed },
  { status: 'AUTHORIZED', holds: ({ captured, open }) => captured === 0 && open > 0 },
  { status: 'CANCELLED', holds: ({ captured }, { released }) => captured === 0 && released > 0 },
  // What is still open may be captured yet: not everything has gone back.
  { status: 'REFUNDED', holds: ({ captured, refunded, open }) => captured > 0 && refunded === captured && open === 0 },
  { status: 'PARTIALLY_REFUNDED', holds: ({ refunded }) => refunded > 0 },
  { status: 'CAPTURED', holds: () => true },
];

/** Between 0 and `most`. */
const within = (amount: number, most: number): number => Math.max(0, Math.min(amount, most));

/** The one place where status and parts of a transaction are derived. Pure. */
export const settle = (of: AttemptMoney): MoneyParts & { readonly status: TransactionStatus } => {
  // What was captured of an attempt that was then cancelled has moved nevertheless.
  if (of.state !== 'AUTHORIZED' && !(of.state === 'CANCELLED' && of.authorized > 0)) {
    return { status: of.state, amount: of.requested, authorized: 0, captured: 0, refunded: 0, open: 0 };
  }
  const { authorized, captured } = of;
  const left = Math.max(0, authorized - captured);
  const open = of.state === 'CANCELLED' ? 0 : left - within(of.released, left);
  const parts = { amount: captured || authorized, authorized, captured, refunded: within(of.refunded, captured), open };
  const { status } = statuses.find(({ holds }) => holds(parts, { ...of, released: left - open })) as (typeof statuses)[number];
  return { status, ...parts };
};

/** What succeeded refunds gave back. One that is under way, failed or was cancelled has moved nothing. */
export const succeeded = (refunds: readonly Pick<RefundRecord, 'amount' | 'state'>[]): number =>
  sumOf(refunds.filter(({ state }) => state === 'SUCCEEDED'));

export const sumOf = (amounts: readonly { readonly amount: number }[]): number =>
  amounts.reduce((sum, { amount }) => sum + amount, 0);
