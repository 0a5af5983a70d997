import { z } from 'zod';
import { isOrderNumber } from '../../../privacy/order-numbers';
import { e164 } from '../../../privacy/phone-numbers';
import { containsCardNumber } from '../../../privacy/redaction';
import { cleanText, shortText } from '../../source-text';

/**
 * What is kept of Stripe's objects: the schemas name every field that is read, everything else is dropped while parsing.
 * A field without which a record would be wrong (id, amount, status, time) must be there; any other that has an
 * unexpected shape counts as absent.
 */
export const orNull = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  schema
    .nullish()
    .catch(null)
    .transform((value) => value ?? null);

/** Object ids become path segments and are stored: nothing that a URL or a log would read differently. */
export const reference = z.string().regex(/^[A-Za-z0-9_-]{1,255}$/);

/** An id, or the object itself where Stripe expanded it. */
export const referenceTo = z.union([reference, z.object({ id: reference }).transform(({ id }) => id)]);

export const instant = z
  .number()
  .int()
  .min(0)
  .max(8_640_000_000_000)
  .transform((seconds) => new Date(seconds * 1_000));

/** Machine words such as `insufficient_funds`; a sentence in such a field isn't passed on, and neither is a card number. */
export const word = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/)
  .refine((value) => !containsCardNumber(value));

/** Free text, cleaned as every source's, in at most `most` UTF-16 units; dropped whole where a card number stands in it. */
export const text = (most: number) =>
  z.string().transform((value) => (containsCardNumber(cleanText(value)) ? null : shortText(value, most)));

/** The number that a shop gave an order: as any text, but that digits which are one by their form stay, whatever they would pass for. */
export const orderNumber = (most: number) =>
  z.string().transform((value) => (isOrderNumber(cleanText(value)) ? shortText(value, most) : text(most).parse(value)));

export const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/)
  .transform((code) => code.toUpperCase());

/** E.164 has at most 15 digits, of any script; what has more isn't a telephone number, unless it is one once it is read (`00`, an extension). */
export const phone = z
  .string()
  .max(64)
  .refine((value) => value.replace(/\P{Nd}/gu, '').length <= 15 || e164(value) !== null);

export const metadata = z.record(z.string(), z.unknown()).nullish().catch(null);

export const metadataValue = (of: z.infer<typeof metadata>, key: string | null): string | null => {
  const value: unknown = of && key !== null && Object.hasOwn(of, key) ? of[key] : null;
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
};

/** What came of asking the card's issuer to authenticate the customer, of a charge and of a setup alike. */
export const threeDSecureSchema = orNull(z.object({ authentication_flow: orNull(word), result: orNull(word) }));

export const money = {
  amount: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  currency: z.string().regex(/^[A-Za-z]{3}$/),
};

export const pageOf = <T>(item: z.ZodType<T>) =>
  z.object({
    data: z.array(item),
    has_more: z.boolean().catch(false),
    /** Of search results only. */
    next_page: orNull(z.string().max(2_000)),
  });
