import { z } from 'zod';
import type { PaymentCustomerRecord } from '../payments.port';
import { instant, metadata, metadataValue, orNull, phone, reference, referenceTo, text } from './stripe.shapes';

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
