export interface TestCard {
  /** As Stripe names it. */
  readonly brand: 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay';
  /** Published for testing and refused by every live system; https://docs.stripe.com/testing */
  readonly number: string;
}

/** The only cards of the demo merchant; their last four digits and brands are what its customers hold. */
export const testCards: readonly TestCard[] = [
  { brand: 'visa', number: '4242424242424242' },
  { brand: 'visa', number: '4000056655665556' },
  { brand: 'mastercard', number: '5555555555554444' },
  { brand: 'mastercard', number: '2223003122003222' },
  { brand: 'mastercard', number: '5200828282828210' },
  { brand: 'mastercard', number: '5105105105105100' },
  { brand: 'amex', number: '378282246310005' },
  { brand: 'amex', number: '371449635398431' },
  { brand: 'discover', number: '6011111111111117' },
  { brand: 'discover', number: '6011000990139424' },
  { brand: 'diners', number: '3056930009020004' },
  { brand: 'diners', number: '36227206271667' },
  { brand: 'jcb', number: '3566002020360505' },
  { brand: 'unionpay', number: '6200000000000005' },
];

export const lastFourOf = (card: TestCard): string => card.number.slice(-4);

/** The published number behind a brand and last four; undefined when they are not of a test card. */
export const testCardOf = (brand: string | null, last4: string | null): TestCard | undefined =>
  testCards.find((card) => card.brand === brand && lastFourOf(card) === last4);

/** A card number the way people type it: in groups as printed on the card, with `separator` between them. */
export const asTyped = (card: TestCard, separator: string): string => {
  const groups = card.number.length === 16 ? [4, 4, 4, 4] : card.number.length === 15 ? [4, 6, 5] : [4, 6, 4];
  let from = 0;
  return groups
    .map((length) => {
      from += length;
      return card.number.slice(from - length, from);
    })
    .join(separator);
};
