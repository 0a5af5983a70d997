import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PaymentMethodKind } from '../payments.port';
import { country, orNull, text, word } from './stripe.shapes';

/** What was paid with, as a payment method or the `payment_method_details` of a charge tell it. */
export interface Instrument {
  /** Stripe's type, such as `card`, `sepa_debit`, `amazon_pay`. */
  readonly type: string;
  readonly kind: PaymentMethodKind;
  /** A card's brand in the words of `brands`, the bank's name, otherwise the type; null for a card without one. */
  readonly brand: string | null;
  /** A card's last four digits; of an account the last four characters, which may be letters (IBAN, ISO 13616). */
  readonly last4: string | null;
  readonly expiryMonth: number | null;
  readonly expiryYear: number | null;
  /** ISO 3166-1 alpha-2: the issuer's country, or where the account or the payer is. */
  readonly country: string | null;
  /** Stands for the number: equal for the same one in one Stripe account. */
  readonly fingerprint: string | null;
}

/**
 * Brands of cards in one vocabulary: what Stripe calls `brand`. Its `display_brand`, and its older objects, call some of them otherwise. What isn't
 * listed is passed on as it is; null is no brand.
 */
const brands: Readonly<Record<string, string | null>> = {
  american_express: 'amex',
  americanexpress: 'amex',
  diners_club: 'diners',
  dinersclub: 'diners',
  diners_club_international: 'diners',
  eftpos_australia: 'eftpos_au',
  master_card: 'mastercard',
  union_pay: 'unionpay',
  china_unionpay: 'unionpay',
  china_union_pay: 'unionpay',
  other: null,
  unknown: null,
};

const cardTypes: ReadonlySet<string> = new Set(['card', 'card_present', 'interac_present', 'kr_card']);
const debitTypes: ReadonlySet<string> = new Set([
  ...['ach_debit', 'acss_debit', 'au_becs_debit', 'bacs_debit', 'nz_bank_account', 'payto', 'sepa_debit', 'us_bank_account'],
]);
const walletTypes: ReadonlySet<string> = new Set([
  ...['alipay', 'amazon_pay', 'cashapp', 'grabpay', 'kakao_pay', 'link', 'mb_way', 'mobilepay', 'naver_pay', 'payco', 'paypal'],
  ...['paypay', 'revolut_pay', 'samsung_pay', 'satispay', 'swish', 'twint', 'wechat_pay'],
]);

/** By name where Stripe's own names tell it: a type of tomorrow that is called so is one. */
const kindOf = (type: string, isInWallet: boolean): PaymentMethodKind => {
  if (cardTypes.has(type)) return isInWallet ? 'WALLET' : 'CARD';
  if (walletTypes.has(type) || type.endsWith('_pay')) return 'WALLET';
  return debitTypes.has(type) || /_(?:debit|bank_account)$/.test(type) ? 'BANK_DEBIT' : 'OTHER';
};

/** `payment_method_details` of a charge; null where they don't say of which type they are. */
const instrumentSchema = orNull(z.looseObject({ type: word }).transform((details) => instrumentOf(details)));

/** The fields of `payment_method_details` that are read by their names, with what they tell of the method. */
export const paymentMethodDetails = <Shape extends z.ZodRawShape>(shape: Shape) =>
  orNull(
    z.preprocess(
      (raw) => (isPart(raw) ? { ...raw, instrument: raw } : raw),
      z.object({ ...shape, instrument: instrumentSchema }),
    ),
  );

type Part = Readonly<Record<string, unknown>>;
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);
const inside = (part: Part | null, name: unknown): Part | null => {
  const value = part && typeof name === 'string' && Object.hasOwn(part, name) ? part[name] : null;
  return isPart(value) ? value : null;
};

/** Where the values of a method stand, whatever its type: in itself, in its card, in what a wallet is funded with. */
const placesOf = (own: Part): readonly Part[] => {
  const funding = inside(own, 'funding');
  return [own, inside(own, 'card'), inside(funding, funding?.type), inside(funding, 'card')].filter((part) => part !== null);
};

/** Who pays stands with some: their address tells the country where nothing else does. */
const payersOf = (own: Part): readonly Part[] =>
  ['payer_details', 'payer'].flatMap((name) => {
    const payer = inside(own, name);
    return [payer, inside(payer, 'address')].filter((part) => part !== null);
  });

const first = <T>(places: readonly Part[], names: readonly string[], schema: z.ZodType<T | null>): T | null => {
  for (const place of places)
    for (const name of names) {
      const value = Object.hasOwn(place, name) ? schema.parse(place[name]) : null;
      if (value !== null) return value;
    }
  return null;
};

const brandWord = orNull(
  text(32)
    .pipe(z.string())
    .transform((name) => {
      const known = name.toLowerCase().replace(/[ -]+/g, '_');
      return Object.hasOwn(brands, known) ? (brands[known] ?? null) : known;
    })
    .pipe(word.max(32).nullable()),
);
const bankName = orNull(text(60));
const digits = orNull(z.string().regex(/^\d{4}$/));
const characters = orNull(
  z
    .string()
    .regex(/^[A-Za-z0-9]{4}$/)
    .transform((text) => text.toUpperCase()),
);
const month = orNull(z.number().int().min(1).max(12));
const year = orNull(z.number().int().min(1_970).max(9_999));
const countryCode = orNull(country);
/** Nobody needs Stripe's own word, only whether it is the same. */
const fingerprintWord = orNull(
  z
    .string()
    .regex(/^[A-Za-z0-9_-]{8,64}$/)
    .transform((word) => createHash('sha256').update(word).digest('base64url').slice(0, 22)),
);

const isCard = (place: Part): boolean => ['brand', 'display_brand', 'exp_month'].some((name) => Object.hasOwn(place, name));

/** Reads the places above and nothing else: no number, no name, no e-mail address. */
export const instrumentOf = (method: { readonly type: string } & Part): Instrument => {
  const { type } = method;
  const own = inside(method, type) ?? {};
  const places = placesOf(own);
  const cards = places.filter((place) => isCard(place) || (place === own && cardTypes.has(type)));
  const accounts = places.filter((place) => !cards.includes(place));
  const isOfCard = cardTypes.has(type);
  // Stripe shows `other` where the network has no brand that it displays: then the network is told.
  const brand = cards.map((card) => first([card], ['display_brand', 'brand'], brandWord)).find((name) => name !== null) ?? null;
  const bank = first(accounts, ['bank_name', 'bank'], bankName);
  return {
    type,
    kind: kindOf(type, isPart(own.wallet) && own.wallet.type !== null && own.wallet.type !== undefined),
    brand: brand ?? bank ?? (isOfCard ? null : type),
    last4: first(cards, ['last4'], digits) ?? first(accounts, ['last4', 'iban_last4'], characters),
    expiryMonth: first(cards, ['exp_month'], month),
    expiryYear: first(cards, ['exp_year'], year),
    country: first([...places, ...payersOf(own)], ['country'], countryCode),
    fingerprint: first(places, ['fingerprint'], fingerprintWord),
  };
};
