import { z } from 'zod';
import type { DisputeRecord, RiskBand, TransactionRecord, TransactionStatus } from '../payments.port';
import { country, instant, metadata, metadataValue, money, orNull, reference, referenceTo, text, word } from './stripe.shapes';

export const chargeSchema = z.object({
  id: reference,
  ...money,
  amount_refunded: z.number().int().min(0).catch(0),
  captured: z.boolean().catch(true),
  created: instant,
  customer: orNull(referenceTo),
  disputed: z.boolean().catch(false),
  failure_code: orNull(word),
  fraud_details: orNull(z.object({ stripe_report: orNull(word), user_report: orNull(word) })),
  metadata,
  outcome: orNull(
    z.object({
      advice_code: orNull(word),
      network_advice_code: orNull(word),
      reason: orNull(word),
      risk_level: orNull(word),
      risk_score: orNull(z.number().min(0).max(100)),
      type: orNull(word),
    }),
  ),
  payment_intent: orNull(referenceTo),
  payment_method: orNull(reference),
  payment_method_details: orNull(
    z.object({
      card: orNull(
        z.object({
          country: orNull(country),
          checks: orNull(
            z.object({
              address_line1_check: orNull(word),
              address_postal_code_check: orNull(word),
              cvc_check: orNull(word),
            }),
          ),
          three_d_secure: orNull(z.object({ result: orNull(word) })),
        }),
      ),
      sepa_debit: orNull(z.object({ country: orNull(country) })),
    }),
  ),
  refunded: z.boolean().catch(false),
  review: orNull(referenceTo),
  status: word,
});
export type StripeCharge = z.infer<typeof chargeSchema>;

export const paymentIntentSchema = z.object({
  id: reference,
  ...money,
  created: instant,
  customer: orNull(referenceTo),
  last_payment_error: orNull(
    z.object({
      advice_code: orNull(word),
      code: orNull(word),
      decline_code: orNull(word),
      network_advice_code: orNull(word),
      payment_method: orNull(referenceTo),
    }),
  ),
  /** The charge, its id where Stripe didn't expand it, null before the first attempt. */
  latest_charge: z.union([chargeSchema, reference, z.null()]).optional(),
  metadata,
  payment_method: orNull(referenceTo),
  status: word,
});
export type StripePaymentIntent = z.infer<typeof paymentIntentSchema>;

export const disputeSchema = z.object({
  id: reference,
  created: instant,
  reason: orNull(word),
  status: word,
});
export type StripeDispute = z.infer<typeof disputeSchema>;

/** Where Stripe's amounts aren't in ISO 4217 minor units: it writes ISK and UGX (no minor unit) with two decimals and MGA without any. */
const minorUnitsPerStripeUnit: Readonly<Record<string, number>> = { ISK: 1 / 100, UGX: 1 / 100, MGA: 100 };

export const minorUnits = (amount: number, currency: string): { readonly amount: number; readonly currency: string } => {
  const code = currency.toUpperCase();
  return { amount: Math.round(amount * (minorUnitsPerStripeUnit[code] ?? 1)), currency: code };
};

/** Disputes that ended for the merchant: the payment stands as it stood before. */
const withdrawnDisputes = new Set(['won', 'warning_closed', 'prevented']);

/** One entry for each status that Stripe documents; `null` means that the charge decides. */
const intentStatuses: ReadonlyMap<string, TransactionStatus | null> = new Map<string, TransactionStatus | null>([
  ['requires_payment_method', 'PENDING'],
  ['requires_confirmation', 'PENDING'],
  ['requires_action', 'REQUIRES_ACTION'],
  ['processing', 'PENDING'],
  ['requires_capture', 'AUTHORIZED'],
  ['canceled', 'CANCELLED'],
  ['succeeded', null],
]);

/** A status that isn't known here is PENDING: how the attempt ended isn't known either. */
export const chargeStatus = (charge: StripeCharge, dispute: DisputeRecord | null): TransactionStatus => {
  if (charge.status === 'failed') return 'DECLINED';
  if (charge.status !== 'succeeded') return 'PENDING';
  if (charge.disputed && !(dispute && withdrawnDisputes.has(dispute.status))) return 'DISPUTED';
  // Stripe books the release of an authorization as its refund.
  if (!charge.captured) return charge.refunded ? 'CANCELLED' : 'AUTHORIZED';
  if (charge.refunded) return 'REFUNDED';
  return charge.amount_refunded > 0 ? 'PARTIALLY_REFUNDED' : 'CAPTURED';
};

export const intentStatus = (
  intent: StripePaymentIntent,
  charge: StripeCharge | null,
  dispute: DisputeRecord | null,
): TransactionStatus => {
  const failed = intent.last_payment_error !== null || charge?.status === 'failed';
  if (intent.status === 'requires_payment_method' && failed) return 'DECLINED';
  const status = intentStatuses.get(intent.status);
  if (status === null) return charge?.status === 'succeeded' ? chargeStatus(charge, dispute) : 'CAPTURED';
  return status ?? 'PENDING';
};

const riskBands: ReadonlyMap<string, RiskBand> = new Map<string, RiskBand>([
  ['normal', 'LOW'],
  ['elevated', 'ELEVATED'],
  ['highest', 'HIGH'],
]);

const riskSignals = (charge: StripeCharge): readonly string[] => {
  const card = charge.payment_method_details?.card;
  return [
    charge.outcome?.type === 'blocked' && 'blocked',
    card?.checks?.cvc_check === 'fail' && 'cvc_check_failed',
    card?.checks?.address_postal_code_check === 'fail' && 'postal_code_check_failed',
    card?.checks?.address_line1_check === 'fail' && 'address_check_failed',
    card?.three_d_secure?.result === 'failed' && 'three_d_secure_failed',
    charge.review !== null && 'under_review',
    charge.fraud_details?.stripe_report === 'fraudulent' && 'reported_by_stripe',
    charge.fraud_details?.user_report === 'fraudulent' && 'reported_by_merchant',
  ].filter((signal) => signal !== false);
};

const riskOf = (charge: StripeCharge | null): Pick<TransactionRecord, 'riskBand' | 'riskScore' | 'riskSignals'> => ({
  riskBand: riskBands.get(charge?.outcome?.risk_level ?? '') ?? 'UNKNOWN',
  riskScore: charge?.outcome?.risk_score ?? null,
  riskSignals: charge === null ? [] : riskSignals(charge),
});

const countryOf = (charge: StripeCharge | null): string | null =>
  charge?.payment_method_details?.card?.country ?? charge?.payment_method_details?.sepa_debit?.country ?? null;

const advice = (from: { advice_code: string | null; network_advice_code: string | null } | null | undefined): string | null =>
  from?.advice_code ?? (from?.network_advice_code ? `network_advice_${from.network_advice_code}` : null);

/** Keys of the metadata of PaymentIntents and charges that are read, and no other. */
export interface TransactionNaming {
  readonly orderKey: string;
  readonly orderDescriptionKey: string;
  readonly deviceKey: string | null;
}

const fromMetadata = (
  of: z.infer<typeof metadata>,
  { orderKey, orderDescriptionKey, deviceKey }: TransactionNaming,
): Pick<TransactionRecord, 'orderReference' | 'orderDescription' | 'deviceFingerprint'> => ({
  orderReference: text(64).parse(metadataValue(of, orderKey) ?? ''),
  orderDescription: text(200).parse(metadataValue(of, orderDescriptionKey) ?? ''),
  deviceFingerprint: metadataValue(of, deviceKey),
});

/** A PaymentIntent as one transaction, with what its latest charge says. */
export const intentTransaction = (
  intent: StripePaymentIntent,
  charge: StripeCharge | null,
  dispute: DisputeRecord | null,
  naming: TransactionNaming,
): TransactionRecord => {
  const failure = intent.last_payment_error;
  const failed = charge?.status === 'failed' ? charge : null;
  return {
    reference: intent.id,
    paymentMethodReference: intent.payment_method ?? charge?.payment_method ?? failure?.payment_method ?? null,
    ...fromMetadata(intent.metadata, naming),
    ...minorUnits(intent.amount, intent.currency),
    status: intentStatus(intent, charge, dispute),
    declineCode: failure?.decline_code ?? failed?.outcome?.reason ?? failed?.failure_code ?? failure?.code ?? null,
    declineAdvice: advice(failure) ?? advice(failed?.outcome),
    country: countryOf(charge),
    ...riskOf(charge),
    dispute,
    createdAt: intent.created,
  };
};

/** A charge that stands for itself: one without a PaymentIntent, or an earlier failed attempt of one. */
export const chargeTransaction = (
  charge: StripeCharge,
  dispute: DisputeRecord | null,
  naming: TransactionNaming,
): TransactionRecord => ({
  reference: charge.id,
  paymentMethodReference: charge.payment_method,
  ...fromMetadata(charge.metadata, naming),
  ...minorUnits(charge.amount, charge.currency),
  status: chargeStatus(charge, dispute),
  declineCode: charge.status === 'failed' ? (charge.outcome?.reason ?? charge.failure_code) : null,
  declineAdvice: charge.status === 'failed' ? advice(charge.outcome) : null,
  country: countryOf(charge),
  ...riskOf(charge),
  dispute,
  createdAt: charge.created,
});

/** The dispute that matters of several about one charge: the latest that isn't withdrawn, otherwise the latest. */
export const disputeRecord = (disputes: readonly StripeDispute[]): DisputeRecord | null => {
  const latest = [...disputes].sort((one, other) => other.created.getTime() - one.created.getTime());
  const chosen = latest.find(({ status }) => !withdrawnDisputes.has(status)) ?? latest[0];
  return chosen ? { status: chosen.status, reason: chosen.reason, openedAt: chosen.created } : null;
};
