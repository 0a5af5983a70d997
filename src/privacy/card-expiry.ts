import type { Token } from './card-tokens';
import { monthJoiners, months, spokenSeparators, units } from './card-words';

/* How a month and a year are written that may be a card's expiry. */

export const isYear = (text: string): boolean => /^(?:19|20)[0-9]{2}$/.test(text);
export const isMonth = (text: string): boolean => /^(?:0?[1-9]|1[0-2])$/.test(text);

/** A card's years, so that amounts and days of the month are seldom taken for an expiry that nothing labels. */
export const isCardYear = (text: string): boolean => /^(?:20)?[2-4][0-9]$/.test(text);

/** What separates the parts of a date; a colon is a time's. */
const dateGap = /^\s{0,2}(?:[./|,'’_\\~*\u2044\u2215\u2212]|\p{Pd}){0,2}\s{0,2}$/u;

/** A month and a year that begin at `index`, and the index after them; -1 where none do. A whole date is none. */
export const endOfMonthAndYear = (tokens: readonly Token[], index: number): number => {
  const first = tokens[index]!;
  const next = tokens[index + 1];
  const joins = (word: string) => spokenSeparators.has(word) || (!first.isNumber && monthJoiners.has(word));
  const isSpoken = next !== undefined && !next.isNumber && joins(next.text);
  const secondAt = isSpoken ? index + 2 : index + 1;
  const second = tokens[secondAt];
  const third = tokens[secondAt + 1];
  if (!second?.isNumber || !(isSpoken || dateGap.test(second.gap))) return -1;
  // A day stands before the month or after it; a figure separated otherwise belongs to something else.
  const isDay = (token: Token | undefined, gap: string): boolean =>
    token?.isNumber === true &&
    (first.isNumber ? gap === second.gap && (token.text.length < 3 || isYear(token.text)) : token.text.length < 3);
  const isYearAfter = !first.isNumber && third !== undefined && isYear(third.text) && dateGap.test(third.gap);
  const isWholeDate = isDay(tokens[index - 1], first.gap) || isYearAfter || (first.isNumber && isDay(third, third?.gap ?? ''));
  if (isWholeDate || (third !== undefined && !third.isNumber && units.has(third.text))) return -1;
  const isYearLike = (text: string) => text.length === 2 || isYear(text);
  const isMonthFirst = (isMonth(first.text) || months.has(first.text)) && isYearLike(second.text);
  return isMonthFirst || (isYear(first.text) && isMonth(second.text)) ? secondAt + 1 : -1;
};

/** `1229` or `122029`. */
export const isGluedMonthAndYear = (tokens: readonly Token[], index: number): boolean => {
  const { isNumber, text } = tokens[index]!;
  const next = tokens[index + 1];
  return isNumber && /^(?:0[1-9]|1[0-2])(?:(?:19|20)?[0-9]{2})$/.test(text) && !(next !== undefined && units.has(next.text));
};
