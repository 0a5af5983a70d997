import { weighted } from './random';

/** ISO 4217 exponent where it isn't 2, and units of the currency for one euro: rough, for prices that look right. */
const currencies: Readonly<Record<string, { readonly exponent: number; readonly perEuro: number }>> = {
  EUR: { exponent: 2, perEuro: 1 },
  USD: { exponent: 2, perEuro: 1.1 },
  GBP: { exponent: 2, perEuro: 0.86 },
  SEK: { exponent: 2, perEuro: 11.2 },
  PLN: { exponent: 2, perEuro: 4.3 },
  CZK: { exponent: 2, perEuro: 25 },
  BRL: { exponent: 2, perEuro: 6 },
  TRY: { exponent: 2, perEuro: 38 },
  UAH: { exponent: 2, perEuro: 45 },
  INR: { exponent: 2, perEuro: 94 },
  AUD: { exponent: 2, perEuro: 1.65 },
  SGD: { exponent: 2, perEuro: 1.45 },
  JPY: { exponent: 0, perEuro: 162 },
  KRW: { exponent: 0, perEuro: 1_480 },
  VND: { exponent: 0, perEuro: 27_500 },
  KWD: { exponent: 3, perEuro: 0.34 },
};

export const demoCurrencies: readonly string[] = Object.keys(currencies);

const currencyOf = (code: string) => {
  const currency = currencies[code];
  if (!currency) throw new RangeError(`not a currency of the demo merchant: ${code}`);
  return currency;
};

/** A price in minor units of `currency`; three-decimal amounts end in 0, as card networks want them. */
export const priceIn = (currency: string, euroCents: number): number => {
  const { exponent, perEuro } = currencyOf(currency);
  const minor = Math.max(1, Math.round((euroCents / 100) * perEuro * 10 ** exponent));
  if (exponent === 3) return Math.max(10, Math.round(minor / 10) * 10);
  return currency === 'KRW' || currency === 'VND' ? Math.max(100, Math.round(minor / 100) * 100) : minor;
};

/** `49.90 EUR`, `8,083 JPY`: as people write it in a message. */
export const priceText = (minorUnits: number, currency: string): string => {
  const { exponent } = currencyOf(currency);
  const [whole = '0', decimals] = (minorUnits / 10 ** exponent).toFixed(exponent).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${decimals === undefined ? grouped : `${grouped}.${decimals}`} ${currency}`;
};

/** What the merchant sells, with the price in euro cents. */
export const products: readonly (readonly [description: string, euroCents: number])[] = [
  ['Trail running shoes, size 42', 12_990],
  ['Rain jacket, navy, M', 8_950],
  ['Merino socks, three pairs', 2_790],
  ['Two-person tent', 24_900],
  ['Sleeping bag, -5 °C', 15_900],
  ['Head torch, rechargeable', 3_995],
  ['Climbing rope, 60 m', 14_900],
  ['Camping stove and gas', 6_480],
  ['Hiking poles, pair', 5_990],
  ['Insulated bottle, 750 ml', 2_490],
  ['Map set, Alps', 3_250],
  ['Backpack, 38 l', 11_900],
  ['Cycling gloves, L', 2_995],
  ['Bike light set', 4_590],
  ['Inner tubes, two', 1_390],
  ['Yoga mat', 3_490],
  ['Swim goggles', 1_890],
  ['Wetsuit, size S', 17_900],
  ['Snowshoes, pair', 13_950],
  ['Ski goggles', 7_990],
  ['Fleece pullover, grey, XL', 6_450],
  ['Children’s boots, size 31', 4_990],
  ['Binoculars, 8x32', 21_900],
  ['First-aid kit', 2_150],
  ['Dry bag, 20 l', 1_990],
  ['Gift card', 5_000],
  ['Membership, one month', 990],
  ['Membership, one year', 9_900],
  ['Repair of a jacket', 3_500],
  ['Express delivery', 795],
];

/** A decline as the issuer's answer reads at the provider, with the advice that comes with it, where any does. */
export interface Decline {
  readonly code: string;
  readonly advice: 'try_again_later' | 'do_not_try_again' | 'confirm_card_data' | null;
}

export const declines = {
  insufficientFunds: { code: 'insufficient_funds', advice: 'try_again_later' },
  doNotHonor: { code: 'do_not_honor', advice: 'try_again_later' },
  generic: { code: 'generic_decline', advice: null },
  expiredCard: { code: 'expired_card', advice: 'confirm_card_data' },
  incorrectCvc: { code: 'incorrect_cvc', advice: 'confirm_card_data' },
  incorrectZip: { code: 'incorrect_zip', advice: 'confirm_card_data' },
  fraudulent: { code: 'fraudulent', advice: 'do_not_try_again' },
  lostCard: { code: 'lost_card', advice: 'do_not_try_again' },
  stolenCard: { code: 'stolen_card', advice: 'do_not_try_again' },
  processingError: { code: 'processing_error', advice: 'try_again_later' },
  velocity: { code: 'card_velocity_exceeded', advice: 'try_again_later' },
  unsupported: { code: 'card_not_supported', advice: 'do_not_try_again' },
  authentication: { code: 'authentication_required', advice: null },
} as const satisfies Record<string, Decline>;

/** Why an ordinary single attempt fails, about as often as merchants see it. */
export const ordinaryDecline = weighted<Decline>(
  [declines.insufficientFunds, 36],
  [declines.doNotHonor, 20],
  [declines.generic, 13],
  [declines.incorrectCvc, 10],
  [declines.processingError, 5],
  [declines.incorrectZip, 4],
  [declines.velocity, 3],
  [declines.unsupported, 3],
  [declines.fraudulent, 3],
  [declines.lostCard, 2],
  [declines.stolenCard, 1],
);

/** What a customer tries again within minutes. */
export const retriedDecline = weighted<Decline>(
  [declines.insufficientFunds, 40],
  [declines.incorrectCvc, 28],
  [declines.doNotHonor, 20],
  [declines.processingError, 12],
);
