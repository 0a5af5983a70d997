import { z } from 'zod';
import type { AddressRecord, PaymentMethodKind, PaymentMethodRecord, PaymentMethodStatus } from '../payments.port';
import { customerSchema, type StripeCustomer } from './stripe.customers';
import { country, fourDigits, instant, orNull, reference, referenceTo, text, word } from './stripe.shapes';

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
