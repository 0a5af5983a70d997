import { namesCard } from './card-words';
import { squeezed } from './folded-text';

/** Digits in one run, with what shops write before them ("ORD-") and behind ("-1"). */
const oneRun = /^([^0-9]{0,12})([0-9]{12,19})(?:[-_/.][0-9A-Za-z]{1,6})?$/;

/** Year to 2033, month, day, hour, minute and second, two digits each: a card that begins with 34 to 69 is of no such year. */
const dateAndTime = /^(?:[0-2][0-9]|3[0-3])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]/;

/**
 * Whether a text from a field for an order's number is one, although its digits may pass for a card's: 12 to 14 of them, or a date
 * and a time with digits behind. A run of 15 digits and more that is neither is judged like any other text, and so is what is
 * written in groups or with a word for a card: what a shop takes for its order's number may be what its customer typed.
 */
export const isOrderNumber = (text: string): boolean => {
  const [, before = '', digits = ''] = oneRun.exec(text.trim()) ?? [];
  const isNamedCard = before.split(/[^\p{L}]+/u).some((word) => namesCard.has(squeezed(word)));
  return digits !== '' && !isNamedCard && (digits.length < 15 || dateAndTime.test(digits));
};
