import { z } from 'zod';
import type { DisputeRecord, RiskBand, TransactionRecord } from '../payments.port';
import { paymentMethodDetails } from './stripe.instruments';
import {
  type AboutCharge,
  chargeMoney,
  declineOf,
  intentMoney,
  presentmentOf,
  presentmentSchema,
  refundSchema,
  withdrawnDisputes,
} from './stripe.money';
import {
  instant,
  metadata,
  metadataValue,
  money,
  orderNumber,
  orNull,
  reference,
  referenceTo,
  text,
  threeDSecureSchema,
  word,
} from './stripe.shapes';

export const chargeSchema = z.object({
  id: reference,
  ...money,
  amount_captured: orNull(money.amount),
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
  payment_method_details: paymentMethodDetails({
    card: orNull(
      z.object({
        amount_authorized: orNull(money.amount.min(1)),
        capture_before: orNull(instant),
        checks: orNull(
          z.object({
            address_line1_check: orNull(word),
            address_postal_code_check: orNull(word),
            cvc_check: orNull(word),
          }),
        ),
        three_d_secure: threeDSecureSchema,
      }),
    ),
    card_present: orNull(z.object({ capture_before: orNull(instant) })),
  }),
  presentment_details: orNull(presentmentSchema),
  refunded: z.boolean().catch(false),
  /** The newest of them, where Stripe expanded them. */
  refunds: orNull(z.object({ data: z.array(refundSchema), has_more: z.boolean().catch(true) })),
  review: orNull(referenceTo),
  status: word,
});
export type StripeCharge = z.infer<typeof chargeSchema>;

export const paymentIntentSchema = z.object({
  id: reference,
  ...money,
  amount_received: orNull(money.amount),
  capture_method: orNull(word),
  created: instant,
  customer: orNull(referenceTo),
  last_payment_error: orNull(
    z.object({
      advice_code: orNull(word),
      code: orNull(word),
      decline_code: orNull(word),
      network_advice_code: orNull(word),
      payment_method: orNull(referenceTo),
      type: orNull(word),
    }),
  ),
  /** The charge, its id where Stripe didn't expand it, null before the first attempt. */
  latest_charge: z.union([chargeSchema, reference, z.null()]).optional(),
  metadata,
  payment_method: orNull(referenceTo),
  /** By the type of a method. */
  payment_method_options: orNull(z.record(z.string(), orNull(z.object({ capture_method: orNull(word) })))),
  presentment_details: orNull(presentmentSchema),
  status: word,
});
export type StripePaymentIntent = z.infer<typeof paymentIntentSchema>;

export const disputeSchema = z.object({
  id: reference,
  created: instant,
  /** `due_by` is 0 where the bank allows no answer. */
  evidence_details: orNull(z.object({ due_by: orNull(instant) })),
  reason: orNull(word),
  status: word,
});
export type StripeDispute = z.infer<typeof disputeSchema>;

const riskBands: ReadonlyMap<string, RiskBand> = new Map<string, RiskBand>([
  ['normal', 'LOW'],
  ['elevated', 'ELEVATED'],
  ['highest', 'HIGH'],
]);

/** A charge names its review also once that was closed. */
const isReviewed = (charge: StripeCharge, { review }: Pick<AboutCharge, 'review'>): boolean =>
  charge.review !== null && review?.open !== false;

const riskSignals = (charge: StripeCharge, about: AboutCharge): readonly string[] => {
  const card = charge.payment_method_details?.card;
  return [
    charge.outcome?.type === 'blocked' && 'blocked',
    card?.checks?.cvc_check === 'fail' && 'cvc_check_failed',
    card?.checks?.address_postal_code_check === 'fail' && 'postal_code_check_failed',
    card?.checks?.address_line1_check === 'fail' && 'address_check_failed',
    card?.three_d_secure?.result === 'failed' && 'three_d_secure_failed',
    isReviewed(charge, about) && 'under_review',
    charge.fraud_details?.stripe_report === 'fraudulent' && 'reported_by_stripe',
    charge.fraud_details?.user_report === 'fraudulent' && 'reported_by_merchant',
  ].filter((signal) => signal !== false);
};

type Watched = Pick<TransactionRecord, 'riskBand' | 'riskScore' | 'riskSignals' | 'reviewedSince'>;

const riskOf = (charge: StripeCharge | null, about: AboutCharge): Watched => ({
  riskBand: riskBands.get(charge?.outcome?.risk_level ?? '') ?? 'UNKNOWN',
  riskScore: charge?.outcome?.risk_score ?? null,
  riskSignals: charge === null ? [] : riskSignals(charge, about),
  ...(about.review?.open ? { reviewedSince: about.review.created } : {}),
});

const advice = (from: { advice_code: string | null; network_advice_code: string | null } | null | undefined): string | null =>
  from?.advice_code ?? (from?.network_advice_code ? `network_advice_${from.network_advice_code}` : null);

/** Keys of the metadata of PaymentIntents and charges that are read, and no other. */
export interface TransactionNaming {
  readonly orderKey: string;
  readonly orderDescriptionKey: string;
  readonly deviceKey: string | null;
}

/** Nothing of it is kept but the keys of `naming`. */
export const fromMetadata = (
  of: z.infer<typeof metadata>,
  { orderKey, orderDescriptionKey, deviceKey }: TransactionNaming,
): Pick<TransactionRecord, 'orderReference' | 'orderDescription' | 'deviceFingerprint'> => ({
  orderReference: orderNumber(64).parse(metadataValue(of, orderKey) ?? ''),
  orderDescription: text(200).parse(metadataValue(of, orderDescriptionKey) ?? ''),
  deviceFingerprint: metadataValue(of, deviceKey),
});

/** A PaymentIntent as one transaction, with what its latest charge says. */
export const intentTransaction = (
  intent: StripePaymentIntent,
  charge: StripeCharge | null,
  about: AboutCharge,
  naming: TransactionNaming,
): TransactionRecord => {
  const { error: failure, charge: failed } = declineOf(intent, charge);
  return {
    reference: intent.id,
    paymentMethodReference: intent.payment_method ?? charge?.payment_method ?? intent.last_payment_error?.payment_method ?? null,
    ...fromMetadata(intent.metadata, naming),
    ...intentMoney(intent, charge, about),
    presentment: presentmentOf(intent.presentment_details, charge?.presentment_details ?? null),
    declineCode: failure?.decline_code ?? failed?.outcome?.reason ?? failed?.failure_code ?? failure?.code ?? null,
    declineAdvice: advice(failure) ?? advice(failed?.outcome),
    // Stripe keeps no place of an attempt; the issuer's country is the method's.
    country: null,
    ...riskOf(charge, about),
    dispute: about.dispute,
    createdAt: intent.created,
  };
};

/** A charge that stands for itself: one without a PaymentIntent, or an earlier failed attempt of one. */
export const chargeTransaction = (charge: StripeCharge, about: AboutCharge, naming: TransactionNaming): TransactionRecord => ({
  reference: charge.id,
  paymentMethodReference: charge.payment_method,
  ...fromMetadata(charge.metadata, naming),
  ...chargeMoney(charge, about),
  presentment: presentmentOf(charge.presentment_details),
  declineCode: charge.status === 'failed' ? (charge.outcome?.reason ?? charge.failure_code) : null,
  declineAdvice: charge.status === 'failed' ? advice(charge.outcome) : null,
  country: null,
  ...riskOf(charge, about),
  dispute: about.dispute,
  createdAt: charge.created,
});

/** Of disputes that wait for the merchant. */
const unanswered: ReadonlySet<string> = new Set(['needs_response', 'warning_needs_response']);

/** The dispute that matters of several about one charge: the latest that isn't withdrawn, otherwise the latest. */
export const disputeRecord = (disputes: readonly StripeDispute[]): DisputeRecord | null => {
  const latest = [...disputes].sort((one, other) => other.created.getTime() - one.created.getTime());
  const chosen = latest.find(({ status }) => !withdrawnDisputes.has(status)) ?? latest[0];
  if (!chosen) return null;
  const { status, reason, created, evidence_details: evidence } = chosen;
  const due = unanswered.has(status) ? (evidence?.due_by ?? null) : null;
  return { status, reason, openedAt: created, ...(due !== null && due.getTime() > 0 ? { respondBy: due } : {}) };
};
