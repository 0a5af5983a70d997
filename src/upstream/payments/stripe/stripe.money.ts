import { z } from 'zod';
import { type AttemptState, type MoneyParts, settle, succeeded, sumOf } from '../money';
import type { DisputeRecord, PresentmentRecord, RefundRecord, RefundState, TransactionStatus } from '../payments.port';
import { instant, money, orNull, reference, word } from './stripe.shapes';

export const refundSchema = z.object({
  id: reference,
  amount: money.amount,
  created: instant,
  reason: orNull(word),
  status: orNull(word),
});
export type StripeRefund = z.infer<typeof refundSchema>;

export const presentmentSchema = z.object({
  presentment_amount: money.amount,
  presentment_currency: money.currency,
});

/** A charge, as far as it tells of money. */
interface Charged {
  readonly amount: number;
  readonly amount_captured: number | null;
  readonly amount_refunded: number;
  readonly captured: boolean;
  readonly currency: string;
  readonly disputed: boolean;
  readonly outcome: { readonly type: string | null } | null;
  readonly payment_method_details: { readonly card: { readonly amount_authorized: number | null } | null } | null;
  readonly refunded: boolean;
  readonly status: string;
}

/** A PaymentIntent, as far as it tells of money. */
interface Intended<Failure extends Failed = Failed> {
  readonly amount: number;
  readonly amount_received: number | null;
  readonly currency: string;
  readonly last_payment_error: Failure | null;
  readonly status: string;
}
interface Failed {
  readonly code: string | null;
  readonly decline_code: string | null;
  readonly type: string | null;
}

/** What is known beside a charge itself. `refunds` is null where nobody asked, or Stripe didn't say. */
export interface AboutCharge {
  readonly dispute: DisputeRecord | null;
  readonly refunds: readonly StripeRefund[] | null;
  /** The review that the charge names; absent where it names none, or it wasn't told. */
  readonly review?: { readonly open: boolean; readonly created: Date } | undefined;
}

/** Where Stripe's amounts aren't in ISO 4217 minor units: it writes ISK and UGX (no minor unit) with two decimals and MGA without any. */
const minorUnitsPerStripeUnit: Readonly<Record<string, number>> = { ISK: 1 / 100, UGX: 1 / 100, MGA: 100 };

export const minorUnits = (amount: number, currency: string): { readonly amount: number; readonly currency: string } => {
  const code = currency.toUpperCase();
  return { amount: Math.round(amount * (minorUnitsPerStripeUnit[code] ?? 1)), currency: code };
};

export const presentmentOf = (...told: readonly (z.infer<typeof presentmentSchema> | null)[]): PresentmentRecord | null => {
  const found = told.find((each) => each !== null);
  return found ? minorUnits(found.presentment_amount, found.presentment_currency) : null;
};

/** Disputes that ended for the merchant: the payment stands as it stood before. */
export const withdrawnDisputes: ReadonlySet<string> = new Set(['won', 'warning_closed', 'prevented']);

const isDisputed = (charge: Charged, dispute: DisputeRecord | null): boolean =>
  charge.disputed && !(dispute && withdrawnDisputes.has(dispute.status));

/** One entry for each status that Stripe documents; `null` means that the charge decides. */
const intentStates: ReadonlyMap<string, AttemptState | null> = new Map<string, AttemptState | null>([
  ['requires_payment_method', 'PENDING'],
  ['requires_confirmation', 'PENDING'],
  ['requires_action', 'REQUIRES_ACTION'],
  ['processing', 'PENDING'],
  ['requires_capture', 'AUTHORIZED'],
  ['canceled', 'CANCELLED'],
  ['succeeded', null],
]);

/** Codes of a declined payment that come as an `invalid_request_error`: a bank, a wallet or their customer said no. */
const declineCodes = new Set([
  'payment_intent_authentication_failure',
  'payment_intent_payment_attempt_failed',
  'payment_method_customer_decline',
  'payment_method_provider_decline',
]);

const saysDeclined = ({ type, code, decline_code: declineCode }: Failed): boolean =>
  type === null || type === 'card_error' || declineCode !== null || declineCodes.has(code ?? '');

/**
 * What says that an attempt was declined: by its error, by its charge. Where Stripe failed, or was asked for what can't be
 * (`api_error`, `idempotency_error`, most of `invalid_request_error`), nobody declined the customer's method.
 */
export const declineOf = <Failure extends Failed, Charge extends Charged>(
  { last_payment_error: error }: Intended<Failure>,
  charge: Charge | null,
): { readonly error: Failure | null; readonly charge: Charge | null } => {
  const isRefused =
    charge?.status === 'failed' &&
    (error === null || saysDeclined(error) || ['issuer_declined', 'blocked'].includes(charge.outcome?.type ?? ''));
  return { error: error !== null && saysDeclined(error) ? error : null, charge: isRefused ? charge : null };
};

const chargeState = ({ status }: Charged): AttemptState => {
  if (status === 'failed') return 'DECLINED';
  // How an attempt of another status ended isn't known either.
  return status === 'succeeded' ? 'AUTHORIZED' : 'PENDING';
};

const intentState = (intent: Intended, charge: Charged | null): AttemptState => {
  const decline = declineOf(intent, charge);
  if (intent.status === 'requires_payment_method' && (decline.error ?? decline.charge) !== null) return 'DECLINED';
  const state = intentStates.get(intent.status);
  return state === null ? 'AUTHORIZED' : (state ?? 'PENDING');
};

const refundStates: ReadonlyMap<string, RefundState> = new Map<string, RefundState>([
  ['pending', 'PENDING'],
  ['requires_action', 'REQUIRES_ACTION'],
  ['succeeded', 'SUCCEEDED'],
  ['failed', 'FAILED'],
  ['canceled', 'CANCELLED'],
]);

/** What the refunds of a charge are, newest first, without those by which Stripe books what was never captured. */
const refundRecords = (
  refunds: readonly StripeRefund[],
  booked: { readonly refunded: number; readonly released: number },
  currency: string,
): readonly RefundRecord[] => {
  const isCounted = ({ status }: StripeRefund) => status !== 'failed' && status !== 'canceled';
  const oldestFirst = [...refunds].sort((one, other) => one.created.getTime() - other.created.getTime());
  const real = oldestFirst.filter(({ reason }) => reason !== 'expired_uncaptured_charge');
  if (booked.released > 0 && sumOf(real.filter(isCounted)) > booked.refunded) {
    // What somebody gave a reason for was given back.
    const release = real.findIndex((each) => isCounted(each) && each.reason === null && each.amount === booked.released);
    if (release >= 0) real.splice(release, 1);
  }
  return real.reverse().map(({ amount, status, reason, created }) => ({
    amount: minorUnits(amount, currency).amount,
    state: refundStates.get(status ?? '') ?? 'PENDING',
    reason,
    createdAt: created,
  }));
};

export type Settled = MoneyParts & {
  readonly currency: string;
  readonly status: TransactionStatus;
  readonly refunds: readonly RefundRecord[];
};

/** A charge's money. `state` is that of its PaymentIntent where it has one. */
const settleCharge = (charge: Charged, { dispute, refunds }: AboutCharge, state: AttemptState): Settled => {
  const inMinor = (amount: number) => minorUnits(amount, charge.currency).amount;
  const authorized = charge.payment_method_details?.card?.amount_authorized ?? charge.amount;
  const captured = charge.amount_captured ?? (charge.captured ? authorized : 0);
  const rest = Math.max(0, authorized - captured);
  // Stripe books the release of what wasn't captured as refunded; until the last capture there is none but of the whole.
  const isClosed = charge.captured || charge.refunded || state === 'CANCELLED';
  const released = isClosed ? rest : captured === 0 ? Math.min(charge.amount_refunded, rest) : 0;
  const booked = charge.amount_refunded >= released ? charge.amount_refunded - released : charge.amount_refunded;
  const records = captured === 0 ? [] : refundRecords(refunds ?? [], { refunded: booked, released }, charge.currency);
  const gone = succeeded(records);
  // A list that accounts for what Stripe books is whole. Of another, what it doesn't name counts as gone.
  const isWhole = sumOf(records) >= inMinor(booked);
  const settled = settle({
    state,
    requested: inMinor(charge.amount),
    authorized: inMinor(authorized),
    captured: inMinor(captured),
    released: inMinor(released),
    refunded: isWhole ? gone : inMinor(booked) - (sumOf(records) - gone),
    disputed: isDisputed(charge, dispute),
  });
  return { ...settled, currency: charge.currency.toUpperCase(), refunds: records };
};

/** The money of a charge that stands for itself. */
export const chargeMoney = (charge: Charged, about: AboutCharge): Settled => settleCharge(charge, about, chargeState(charge));

/** The money of a PaymentIntent with its latest charge. */
export const intentMoney = (intent: Intended, charge: Charged | null, about: AboutCharge): Settled => {
  const state = intentState(intent, charge);
  const isAgreed = state === 'AUTHORIZED' || state === 'CANCELLED';
  if (isAgreed && charge?.status === 'succeeded') return settleCharge(charge, about, state);
  const { amount, currency } = minorUnits(intent.amount, intent.currency);
  const isOver = intent.status === 'succeeded';
  const captured = minorUnits(intent.amount_received ?? 0, intent.currency).amount || (isOver ? amount : 0);
  const settled = settle({
    state,
    requested: amount,
    authorized: state === 'CANCELLED' && captured === 0 ? 0 : amount,
    captured,
    released: isOver ? amount : 0,
    refunded: 0,
    disputed: false,
  });
  return { ...settled, currency, refunds: [] };
};
