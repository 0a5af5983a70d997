/** The last instant of a card, which is good until its month is over (UTC). `month` from 1. */
export const lastInstant = (year: number, month: number): Date => new Date(Date.UTC(year, month, 1) - 1);

/** The same of a stored card; null where nobody knows. */
export const endOf = (card: { readonly expiryYear: number | null; readonly expiryMonth: number | null }): Date | null =>
  card.expiryYear === null || card.expiryMonth === null ? null : lastInstant(card.expiryYear, card.expiryMonth);
