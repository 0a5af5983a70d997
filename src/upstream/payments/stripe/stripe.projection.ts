import { z } from 'zod';
import { containsCardNumber } from '../../../privacy/redaction';
import type {
  AddressRecord,
  DisputeRecord,
  PaymentCustomerRecord,
  PaymentMethodKind,
  PaymentMethodRecord,
  PaymentMethodStatus,
  RiskBand,
  TransactionRecord,
  TransactionStatus,
} from '../payments.port';

/**
 * What is kept of Stripe's objects: the schemas name every field that is read, everything else is dropped while parsing.
 * A field without which a record would be wrong (id, amount, status, time) must be there; any other that has an
 * unexpected shape counts as absent.
 */
const orNull = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  schema
    .nullish()
    .catch(null)
    .transform((value) => value ?? null);

/** Object ids become path segments and are stored: nothing that a URL or a log would read differently. */
export const reference = z.string().regex(/^[A-Za-z0-9_-]{1,255}$/);

/** An id, or the object itself where Stripe expanded it. */
const referenceTo = z.union([reference, z.object({ id: reference }).transform(({ id }) => id)]);

const instant = z
  .number()
  .int()
  .min(0)
  .max(8_640_000_000_000)
  .transform((seconds) => new Date(seconds * 1_000));

/** Machine words such as `insufficient_funds`; a sentence in such a field isn't passed on. */
const word = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);

/** Free text without control and formatting characters; dropped whole where a card number stands in it. */
const text = (most: number) =>
  z.string().transform((value) => {
    const shown = value
      .normalize('NFC')
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim();
    return shown === '' || containsCardNumber(shown) ? null : [...shown].slice(0, most).join('');
  });

const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/)
  .transform((code) => code.toUpperCase());

const fourDigits = z.string().regex(/^\d{4}$/);

/** E.164 has at most 15 digits; more is not a telephone number. */
const phone = z
  .string()
  .max(40)
  .refine((value) => value.replace(/\D/g, '').length <= 15);

const metadata = z.record(z.string(), z.unknown()).nullish().catch(null);

const metadataValue = (of: z.infer<typeof metadata>, key: string | null): string | null => {
  const value: unknown = of && key !== null && Object.hasOwn(of, key) ? of[key] : null;
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
};

const money = { amount: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER), currency: z.string().regex(/^[A-Za-z]{3}$/) };

export const customerSchema = z.union([
  z.object({ id: reference, deleted: z.literal(true) }),
  z.object({
    id: reference,
    deleted: z.literal(false).optional(),
    email: orNull(z.string().max(512)),
    name: orNull(text(200)),
    phone: orNull(phone),
    metadata,
    created: instant,
    default_source: orNull(referenceTo),
    invoice_settings: orNull(z.object({ default_payment_method: orNull(referenceTo) })),
  }),
]);
export type StripeCustomer = Extract<z.infer<typeof customerSchema>, { created: Date }>;

const addressSchema = z.object({
  line1: orNull(text(200)),
  line2: orNull(text(200)),
  city: orNull(text(100)),
  postal_code: orNull(text(20)),
  country: orNull(country),
});

const bankAccountSchema = z.object({ bank_name: orNull(text(60)), last4: orNull(fourDigits) });

const paymentMethodFields = {
  id: reference,
  type: word,
  created: instant,
  billing_details: orNull(z.object({ address: orNull(addressSchema) })),
  card: orNull(
    z.object({
      brand: orNull(word),
      display_brand: orNull(word),
      last4: orNull(fourDigits),
      exp_month: orNull(z.number().int().min(1).max(12)),
      exp_year: orNull(z.number().int().min(1_970).max(9_999)),
      country: orNull(country),
      wallet: orNull(z.object({ type: orNull(word) })),
    }),
  ),
  us_bank_account: orNull(bankAccountSchema),
  sepa_debit: orNull(bankAccountSchema),
  bacs_debit: orNull(bankAccountSchema),
  au_becs_debit: orNull(bankAccountSchema),
  acss_debit: orNull(bankAccountSchema),
  nz_bank_account: orNull(bankAccountSchema),
};

/** A method in the list of its customer. */
export const paymentMethodSchema = z.object({ ...paymentMethodFields, customer: referenceTo });

/** A method by its id: nobody's before it is attached and after it is detached. */
export const anyPaymentMethodSchema = z.object({ ...paymentMethodFields, customer: orNull(referenceTo) });
export type StripePaymentMethod = z.infer<typeof anyPaymentMethodSchema>;

/** The parts of an address as they stand at Stripe, whole: to compare, never to show. */
export const storedAddressSchema = z.object({
  customer: orNull(referenceTo),
  billing_details: z.object({
    address: orNull(
      z.object({
        line1: orNull(z.string()),
        line2: orNull(z.string()),
        city: orNull(z.string()),
        state: orNull(z.string()),
        postal_code: orNull(z.string()),
        country: orNull(z.string()),
      }),
    ),
  }),
});

export const subscriptionSchema = z.object({
  id: reference,
  customer: referenceTo,
  status: word,
  default_payment_method: referenceTo.nullable(),
  default_source: orNull(referenceTo),
});

/** A Checkout Session in setup mode, with what its page brought about expanded. */
export const setupSessionSchema = z.object({
  id: reference,
  mode: z.literal('setup'),
  status: z.enum(['open', 'complete', 'expired']),
  customer: z.union([reference, customerSchema]),
  setup_intent: z
    .object({
      payment_method: anyPaymentMethodSchema.nullable(),
      latest_attempt: orNull(
        z.object({
          payment_method_details: orNull(
            z.object({ card: orNull(z.object({ three_d_secure: orNull(z.object({ result: orNull(word) })) })) }),
          ),
        }),
      ),
      status: word,
    })
    .nullable(),
});

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

export const pageOf = <T>(item: z.ZodType<T>) =>
  z.object({
    data: z.array(item),
    has_more: z.boolean().catch(false),
    /** Of search results only. */
    next_page: orNull(z.string().max(2_000)),
  });

/**
 * How a customer's metadata names the helpdesk customer: `<helpdesk source>:<reference>`, such as `rt:42`. A value
 * without a colon names nobody, since with two helpdesks it would prove a link to the wrong person, unless
 * `bareReferencesOf` says which helpdesk such values are from.
 */
export interface HelpdeskNaming {
  readonly metadataKey: string;
  readonly bareReferencesOf: string | null;
}

export const helpdeskReferenceOf = (
  customer: StripeCustomer,
  { metadataKey, bareReferencesOf }: HelpdeskNaming,
): string | null => {
  const value = metadataValue(customer.metadata, metadataKey);
  if (value === null || value.includes(':')) return value;
  return bareReferencesOf === null ? null : `${bareReferencesOf}:${value}`;
};

export const customerRecord = (customer: StripeCustomer, naming: HelpdeskNaming): PaymentCustomerRecord => ({
  reference: customer.id,
  email: customer.email,
  displayName: customer.name,
  phone: customer.phone,
  helpdeskReference: helpdeskReferenceOf(customer, naming),
  createdAt: customer.created,
});

const bankDebits = ['us_bank_account', 'sepa_debit', 'bacs_debit', 'au_becs_debit', 'acss_debit', 'nz_bank_account'] as const;
const wallets = new Set([
  ...['alipay', 'amazon_pay', 'cashapp', 'grabpay', 'kakao_pay', 'link', 'mb_way', 'mobilepay', 'naver_pay', 'payco', 'paypal'],
  ...['paypay', 'revolut_pay', 'samsung_pay', 'satispay', 'swish', 'twint', 'wechat_pay'],
]);

const kindOf = ({ type, card }: StripePaymentMethod): PaymentMethodKind => {
  if (type === 'card') return card?.wallet ? 'WALLET' : 'CARD';
  if (wallets.has(type)) return 'WALLET';
  return bankDebits.some((debit) => debit === type) ? 'BANK_DEBIT' : 'OTHER';
};

/**
 * A card is good until its month is over (UTC). EXPIRING: less than two months of it are left. REMOVED is never given:
 * Stripe doesn't list detached methods.
 */
export const expiryStatus = (month: number | null, year: number | null, now: Date): PaymentMethodStatus => {
  if (month === null || year === null) return 'ACTIVE';
  if (now.getTime() >= Date.UTC(year, month, 1)) return 'EXPIRED';
  return now.getTime() >= Date.UTC(year, month - 2, 1) ? 'EXPIRING' : 'ACTIVE';
};

const addressRecord = (address: z.infer<typeof addressSchema> | null | undefined): AddressRecord | null => {
  if (!address || Object.values(address).every((line) => line === null)) return null;
  const { line1, line2, city, postal_code: postalCode, country: of } = address;
  return { line1, line2, city, postalCode, country: of };
};

export const paymentMethodRecord = (
  method: StripePaymentMethod,
  customer: Pick<StripeCustomer, 'invoice_settings' | 'default_source'>,
  now: Date,
): PaymentMethodRecord => {
  const debit = bankDebits.find((each) => each === method.type);
  const account = debit === undefined ? null : method[debit];
  const card = method.type === 'card' ? method.card : null;
  return {
    reference: method.id,
    kind: kindOf(method),
    brand: card ? (card.display_brand ?? card.brand) : (account?.bank_name ?? method.type),
    last4: card?.last4 ?? account?.last4 ?? null,
    expiryMonth: card?.exp_month ?? null,
    expiryYear: card?.exp_year ?? null,
    status: expiryStatus(card?.exp_month ?? null, card?.exp_year ?? null, now),
    isDefault: method.id === (customer.invoice_settings?.default_payment_method ?? customer.default_source),
    billingAddress: addressRecord(method.billing_details?.address),
    createdAt: method.created,
  };
};

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
