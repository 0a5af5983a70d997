import { z } from 'zod';
import type { AddressRecord, PaymentMethodRecord, PaymentMethodStatus } from '../payments.port';
import { customerSchema, type StripeCustomer } from './stripe.customers';
import { type Instrument, instrumentOf } from './stripe.instruments';
import { country, instant, orNull, reference, referenceTo, text, threeDSecureSchema, word } from './stripe.shapes';

const addressSchema = z.object({
  line1: orNull(text(200)),
  line2: orNull(text(200)),
  city: orNull(text(100)),
  state: orNull(text(100)),
  postal_code: orNull(text(20)),
  country: orNull(country),
});

const paymentMethodFields = {
  id: reference,
  type: word,
  created: instant,
  billing_details: orNull(z.object({ address: orNull(addressSchema) })),
};

/** Of all that stands under the name of its type only what `instrumentOf` reads. */
const kept = <Customer>(method: z.output<z.ZodObject<typeof paymentMethodFields>> & { readonly customer: Customer }) => ({
  id: method.id,
  type: method.type,
  created: method.created,
  billing_details: method.billing_details,
  customer: method.customer,
  instrument: instrumentOf({ ...method }),
});

/** A method in the list of its customer. */
export const paymentMethodSchema = z.looseObject({ ...paymentMethodFields, customer: referenceTo }).transform(kept<string>);

/** A method by its id: nobody's before it is attached and after it is detached. */
export const anyPaymentMethodSchema = z
  .looseObject({ ...paymentMethodFields, customer: orNull(referenceTo) })
  .transform(kept<string | null>);
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

/** A customer with more of them that still charge isn't read in part: a subscription left out would go on charging an old card. */
export const mostSubscriptions = 300;

/** They charge nothing any more. A status that isn't known here may still charge. */
export const endedStatuses: ReadonlySet<string> = new Set(['canceled', 'incomplete_expired']);

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
          payment_method_details: orNull(z.object({ card: orNull(z.object({ three_d_secure: threeDSecureSchema })) })),
        }),
      ),
      status: word,
    })
    .nullable(),
});

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
  const { line1, line2, city, state, postal_code: postalCode, country: of } = address;
  return { line1, line2, city, state, postalCode, country: of };
};

/**
 * A method with what it tells of itself. Some have their country only in the payments that were made with them (PayPal, Link, Klarna, what funds
 * Amazon Pay): then it comes from `used`, the newest of these. Nothing else does: a method that is read alone must be the same one.
 */
export const paymentMethodRecord = (
  method: StripePaymentMethod,
  customer: Pick<StripeCustomer, 'invoice_settings' | 'default_source'>,
  now: Date,
  used: Instrument | null = null,
): PaymentMethodRecord => {
  const { instrument } = method;
  return {
    reference: method.id,
    kind: instrument.kind,
    brand: instrument.brand,
    last4: instrument.last4,
    expiryMonth: instrument.expiryMonth,
    expiryYear: instrument.expiryYear,
    country: instrument.country ?? (used?.type === instrument.type ? used.country : null),
    fingerprint: instrument.fingerprint,
    status: expiryStatus(instrument.expiryMonth, instrument.expiryYear, now),
    isDefault: method.id === (customer.invoice_settings?.default_payment_method ?? customer.default_source),
    billingAddress: addressRecord(method.billing_details?.address),
    createdAt: method.created,
  };
};
