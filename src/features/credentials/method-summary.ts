import { z } from 'zod';
import type { AddressRecord, PaymentMethodRecord } from '../../upstream/payments/payments.port';
import type { Keys } from '../keys/keys.service';
import { method, type StoredMethodRow } from '../payments/payments.rows';

const nullableText = z.string().nullable();

export const addressSchema = z.object({
  line1: nullableText,
  line2: nullableText,
  city: nullableText,
  /** Absent in what was kept before addresses had one. */
  state: nullableText.optional(),
  postalCode: nullableText,
  country: nullableText,
});

/** A payment method as an update keeps it: what it was, or what it becomes. Never a number, never a provider's token. */
export const methodSummarySchema = z.object({
  kind: z.string(),
  brand: nullableText,
  last4: nullableText,
  expiryMonth: z.number().nullable(),
  expiryYear: z.number().nullable(),
  /** ISO 3166-1 alpha-2 country of the card's issuer, where the provider tells. */
  country: nullableText,
  isDefault: z.boolean(),
  /** Where the same card or account is saved more than once: what becomes of it becomes of all of them. */
  timesSaved: z.number().optional(),
  billingAddress: addressSchema.nullable(),
});
export type MethodSummary = z.infer<typeof methodSummarySchema>;

export const summaryOf = (method: PaymentMethodRecord): MethodSummary => ({
  kind: method.kind,
  brand: method.brand,
  last4: method.last4,
  expiryMonth: method.expiryMonth,
  expiryYear: method.expiryYear,
  country: method.country ?? null,
  isDefault: method.isDefault,
  billingAddress: method.billingAddress,
});

/** A method of the read model as updates keep it. */
export const summaryOfRow = (row: StoredMethodRow, keys: Keys): MethodSummary => {
  const { kind, brand, last4, expiryMonth, expiryYear, country, isDefault, timesSaved } = row;
  const address = keys.open(method, row, 'billingAddress');
  const none = { line1: null, line2: null, city: null, postalCode: null, country: null };
  const billingAddress = address === null ? null : { ...none, ...(JSON.parse(address) as Partial<typeof none>) };
  const times = timesSaved ?? 1;
  return {
    kind,
    brand,
    last4,
    expiryMonth,
    expiryYear,
    country,
    isDefault,
    billingAddress,
    ...(times > 1 ? { timesSaved: times } : {}),
  };
};

const brands: Readonly<Record<string, string>> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  amex: 'American Express',
  discover: 'Discover',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
};
const kinds: Readonly<Record<string, string>> = { CARD: 'Card', WALLET: 'Wallet', BANK_DEBIT: 'Bank account', OTHER: 'Method' };

/** `Visa •••• 4242, valid until 08/2030`: how a person recognizes a method, and nothing that somebody else could use. */
export const describeMethod = ({ kind, brand, last4, expiryMonth, expiryYear, timesSaved }: MethodSummary): string => {
  const name = (brand === null ? undefined : brands[brand]) ?? brand ?? kinds[kind] ?? 'Method';
  const validity =
    expiryMonth === null || expiryYear === null ? '' : `, valid until ${String(expiryMonth).padStart(2, '0')}/${expiryYear}`;
  const often = timesSaved === undefined ? '' : `, saved ${timesSaved} times`;
  return `${name} •••• ${last4 ?? '••••'}${validity}${often}`;
};

/** Where an address is, without the line that leads to a door. */
export const describePlace = (address: AddressRecord | null): string =>
  [address?.city, address?.state, address?.country]
    .filter((part) => part !== null && part !== undefined && part !== '')
    .join(', ') || 'no address';

/** A state that one of them doesn't know, because it was kept before there were any, is no difference. */
const sameAddress = (one: AddressRecord | null, other: AddressRecord | null): boolean =>
  (['line1', 'line2', 'city', 'postalCode', 'country'] as const).every((part) => (one?.[part] ?? '') === (other?.[part] ?? '')) &&
  ((one !== null && one.state === undefined) ||
    (other !== null && other.state === undefined) ||
    (one?.state ?? '') === (other?.state ?? ''));

/** Whether the method still is what the customer decided on, as far as their decision was about that. */
export const isStill = (
  before: MethodSummary,
  now: MethodSummary,
  regards: { readonly address: boolean; readonly default: boolean },
): boolean =>
  before.brand === now.brand &&
  before.last4 === now.last4 &&
  before.expiryMonth === now.expiryMonth &&
  before.expiryYear === now.expiryYear &&
  (!regards.address || sameAddress(before.billingAddress, now.billingAddress)) &&
  (!regards.default || before.isDefault === now.isDefault);
