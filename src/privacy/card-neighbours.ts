import { endOfMonthAndYear, isCardYear, isGluedMonthAndYear, isMonth, isYear } from './card-expiry';
import { Labels, type Mark, mostBetweenLetters, type Token } from './card-tokens';
import {
  beforeDates,
  cardWords,
  codeLabels,
  conjunctions,
  connectors,
  expiryLabels,
  expiryNounLabels,
  markup,
  monthNames,
  months,
  namesCard,
  numberLabels,
  otherCards,
  ownNames,
  plainCardWords,
  saysNumber,
  shortCodeNames,
  spokenSeparators,
  units,
  untilWords,
  yearNames,
} from './card-words';

/* What is told of card data by what stands beside it: labels before and behind, numbers, dates. */

/** Tokens from `from` to before `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const codes = new Labels(codeLabels);
export const expiries = new Labels(expiryLabels);
const expiryNouns = new Labels(expiryNounLabels);
export const numbers = new Labels(numberLabels);
export const cards = new Labels(cardWords);

/** How far what is labelled may stand from its label, in tokens. */
const mostBeside = 14;

const endsSentence = (gap: string): boolean => /[.!?…。](?:\s|$)|\n\s*\n/u.test(gap);
const endsClause = (gap: string): boolean => /[,;]/.test(gap) || endsSentence(gap);

const isCodeLong = ({ isNumber, text }: Token): boolean => isNumber && (text.length === 3 || text.length === 4);

/** Where house and door are written like a month and a year ("Hauptstraße 12/24, 1010 Wien"). */
const streetEnd = /(?:stra(?:ß|ss)e|str|gasse|platz|weg|allee|straat|laan|gade|vej|gatan|vagen)$/;

/** A number after a noun that says what it is: "order no. 4242". Looks back to `from` at most. */
const hasOwnName = (tokens: readonly Token[], index: number, from: number): boolean => {
  for (let before = index - 1; before >= Math.max(from, index - 4); before--) {
    const token = tokens[before]!;
    if (token.isNumber || token.mark !== null) return false;
    if (ownNames.has(token.text) || streetEnd.test(token.text)) return true;
    if (!connectors.has(token.text)) return false;
  }
  return false;
};

/** An amount, a count, a year, a number with a name: nothing that is printed on a card. */
const isSomethingElse = (tokens: readonly Token[], index: number, from: number): boolean => {
  const { text, gap } = tokens[index]!;
  const next = tokens[index + 1];
  return (
    isYear(text) ||
    /[#+$€£¥]\s?$/u.test(gap) ||
    (next !== undefined && /^\s?[%$€£¥]/u.test(next.gap)) ||
    (next !== undefined && !next.isNumber && next.gap.length < 3 && units.has(next.text)) ||
    (next?.isNumber === true && /^[.,]$/.test(next.gap) && next.text.length === 2) ||
    hasOwnName(tokens, index, from)
  );
};

/** Groups of digits that stand close together, from `index` on: how many of each, and whether each digit stands by itself. */
const groupsFrom = (tokens: readonly Token[], index: number, most: number) => {
  let digits = 0;
  let areSingle = true;
  let to = index;
  for (; to < index + most; to++) {
    const token = tokens[to];
    if (!token?.isNumber || (to > index && token.gap.length > mostBetweenLetters)) break;
    digits += token.text.length;
    if (token.text.length > 1) areSingle = false;
  }
  return { digits, areSingle, to };
};

/** Three or four digits that each stand by themselves: "1 2 3". */
const spacedCode = (tokens: readonly Token[], index: number): Range | null => {
  const { digits, areSingle, to } = groupsFrom(tokens, index, 5);
  return areSingle && (digits === 3 || digits === 4) ? { from: index, to } : null;
};

/** What stands between a label and what it may label. */
interface Between {
  words: number;
  strangers: number;
  hasClauseEnd: boolean;
  hasSentenceEnd: boolean;
}

/** A label whose card data was removed before: it says nothing about any other number. */
const satisfied = 'satisfied';

/** What is looked for beside a label. */
interface Labelled {
  readonly mark: Mark;
  /** Words between that are neither a label's nor without a meaning of their own. */
  readonly strangers: number;
  readonly stops: (between: Between) => boolean;
  readonly at: (index: number, between: Between) => Range | null;
}

/** Looks from a label's end on for what it labels, past words that say nothing and at most so many others. */
const labelledAfter = (
  tokens: readonly Token[],
  from: number,
  { mark, strangers, stops, at }: Labelled,
): Range | typeof satisfied | null => {
  const between: Between = { words: 0, strangers: 0, hasClauseEnd: false, hasSentenceEnd: false };
  for (let index = from; index < Math.min(tokens.length, from + mostBeside); index++) {
    const token = tokens[index]!;
    // The point of an abbreviation ("exp.", "no.") ends nothing.
    const isAbbreviated = between.words < 2 && between.strangers === 0;
    if (!isAbbreviated && endsSentence(token.gap)) between.hasSentenceEnd = true;
    if (endsClause(token.gap)) between.hasClauseEnd = true;
    if (stops(between)) return null;
    if (token.mark === mark) return satisfied;
    const found = at(index, between);
    if (found) return found;
    if (token.isNumber || token.mark !== null) continue;
    between.words += 1;
    const saysNothing = connectors.has(token.text) || spokenSeparators.has(token.text) || markup.has(token.text);
    if (!saysNothing) between.strangers += 1;
    if (between.strangers > strangers || stops(between)) return null;
  }
  return null;
};

/** A number right before a label, with nothing but words that say nothing between; -1 where none stands there. */
const numberBefore = (tokens: readonly Token[], label: number): number => {
  for (let index = label - 1; index >= Math.max(0, label - 4); index--) {
    if (endsSentence(tokens[index + 1]!.gap)) return -1;
    const token = tokens[index]!;
    if (token.isNumber) return index;
    if (!connectors.has(token.text)) return -1;
  }
  return -1;
};

export const labelledCode = (tokens: readonly Token[], start: number, labelEnd: number): Range | null => {
  // A social security number is another thing.
  if (tokens[start - 1]?.text === 'social') return null;
  // Calle del Cid 123 is an address, and whatever else has a name before it somebody's reference.
  if (tokens[start]!.text === 'cid' && hasOwnName(tokens, start, 0)) return null;
  // CVC2, CVV2, CAV2.
  const isSecond = tokens[labelEnd]?.text === '2' && tokens[labelEnd]?.gap === '';
  const end = isSecond ? labelEnd + 1 : labelEnd;
  const after = labelledAfter(tokens, end, {
    mark: 'code',
    strangers: 2,
    stops: ({ hasSentenceEnd }) => hasSentenceEnd,
    at: (index, { words, strangers }) => {
      if (!tokens[index]!.isNumber) return null;
      const spaced = spacedCode(tokens, index);
      if (spaced) return spaced;
      const { digits, to } = groupsFrom(tokens, index, 4);
      if (words === 0 && (digits === 3 || digits === 4)) return { from: index, to };
      const isCode = isCodeLong(tokens[index]!) && (strangers === 0 || !isSomethingElse(tokens, index, end));
      return isCode ? { from: index, to: index + 1 } : null;
    },
  });
  if (after === satisfied) return null;
  if (after) return after;
  const before = numberBefore(tokens, start);
  if (before < 0) return null;
  let first = before;
  while (first > 0 && before - first < 3 && tokens[first]!.text.length === 1 && tokens[first - 1]!.isNumber) first -= 1;
  if (first < before && spacedCode(tokens, first)) return { from: first, to: before + 1 };
  return isCodeLong(tokens[before]!) && !isSomethingElse(tokens, before, 0) ? { from: before, to: before + 1 } : null;
};

const halfVerbs = new Set(['lauft', 'laeuft']);

export const labelledExpiry = (tokens: readonly Token[], start: number, end: number): Range | null => {
  const after = labelledAfter(tokens, end, {
    mark: 'expiry',
    strangers: 1,
    // "The card expired, customer called on 12/24": another clause tells of something else.
    stops: ({ hasClauseEnd, hasSentenceEnd, strangers }) => hasSentenceEnd || (hasClauseEnd && strangers > 0),
    at: (index) => {
      if (isGluedMonthAndYear(tokens, index)) return { from: index, to: index + 1 };
      const to = endOfMonthAndYear(tokens, index);
      return to > 0 ? { from: index, to } : null;
    },
  });
  if (after === satisfied) return null;
  // "läuft 12/29 ab": without the other half of the verb something runs until then, or has since.
  const isHalf = end === start + 1 && halfVerbs.has(tokens[start]!.text);
  if (after) return isHalf && tokens[after.to]?.text !== 'ab' ? null : after;
  if (expiryNouns.at(tokens, start) === 0) return null;
  const before = numberBefore(tokens, start);
  if (before < 0) return null;
  for (let index = before; index >= Math.max(0, before - 2); index--) {
    const isExpiry = index === before ? isGluedMonthAndYear(tokens, index) : endOfMonthAndYear(tokens, index) === before + 1;
    if (isExpiry) return index === 0 || !beforeDates.has(tokens[index - 1]!.text) ? { from: index, to: before + 1 } : null;
  }
  return null;
};

/** The number of a month or a year right behind the name of that part, where the name stands behind a label of an expiry. */
export const namedPart = (tokens: readonly Token[], index: number): Range | null => {
  const part = tokens[index]!.text;
  const number = tokens[index + 1];
  if (!number?.isNumber || number.gap.length > mostBetweenLetters) return null;
  const isPart =
    (monthNames.has(part) && isMonth(number.text)) || (yearNames.has(part) && (isYear(number.text) || isCardYear(number.text)));
  if (!isPart) return null;
  if (expiries.at(tokens, index) > 0) return { from: index + 1, to: index + 2 };
  for (let before = index - 1; before >= Math.max(0, index - 4); before--) {
    const isNear = tokens[before + 1]!.gap.length <= mostBetweenLetters;
    if (isNear && expiries.at(tokens, before) > 0) return { from: index + 1, to: index + 2 };
  }
  return null;
};

const shortestNumber = 12;
const longestNumber = 19;
const mostNumberGroups = 19;

export const labelledNumber = (tokens: readonly Token[], start: number, end: number): Range | null => {
  if (start > 0 && ownNames.has(tokens[start - 1]!.text)) return null;
  const after = labelledAfter(tokens, end, {
    mark: 'card',
    strangers: 1,
    stops: ({ hasSentenceEnd }) => hasSentenceEnd,
    at: (index) => {
      const { digits, to } = groupsFrom(tokens, index, mostNumberGroups);
      return digits >= shortestNumber && !hasOwnName(tokens, index, end) ? { from: index, to } : null;
    },
  });
  return after === satisfied ? null : after;
};

/** A number right behind the word for a card: one with a digit too many or too few as well, and of whatever issuer. */
export const numberOfCard = (tokens: readonly Token[], start: number): Range | null => {
  const { text } = tokens[start]!;
  if (!plainCardWords.has(text) || otherCards.has(tokens[start - 1]?.text ?? '')) return null;
  let from = start + 1;
  while (from < start + 3 && saysNumber.has(tokens[from]?.text ?? '')) from += 1;
  const number = tokens[from];
  if (!number?.isNumber || (endsSentence(number.gap) && from === start + 1)) return null;
  const { digits, to } = groupsFrom(tokens, from, mostNumberGroups);
  const groups = tokens.slice(from, to);
  const [, second] = groups;
  const isOneNumber = groups.every(({ gap, text: group }, index) => {
    const isLast = index === groups.length - 1;
    return (index === 0 || gap === second!.gap) && (isLast || group.length > 2);
  });
  return digits >= shortestNumber && digits <= longestNumber && isOneNumber ? { from, to } : null;
};

/** Whether the word right before says that this is a card's number. */
const isNamedCard = (tokens: readonly Token[], index: number): boolean => {
  for (let before = index - 1; before >= Math.max(0, index - 5); before--) {
    const { isNumber, mark, text } = tokens[before]!;
    if (isNumber || mark !== null || ownNames.has(text)) return false;
    // Letters glued to the number are part of it, unless they are the word.
    if (before === index - 1 && tokens[index]!.gap === '' && !namesCard.has(text)) continue;
    if (endsSentence(tokens[before + 1]!.gap) && !saysNumber.has(text)) return false;
    if (numbers.at(tokens, before) > 0 || namesCard.has(text)) return !otherCards.has(tokens[before - 1]?.text ?? '');
    if (!connectors.has(text) && !markup.has(text)) return false;
  }
  return false;
};

/** Whether what is said around a number makes it a card's; where it would be something else by its place, an expiry alone doesn't. */
export const isSpokenOfAsCard = (tokens: readonly Token[], index: number, isKept: boolean): boolean => {
  if (isNamedCard(tokens, index)) return true;
  if (hasOwnName(tokens, index, 0)) return false;
  const behind = new Set([...behindNumber(tokens, index)].map(({ kind }) => kind));
  if (behind.has('EXPIRY') && (!isKept || behind.has('CVC'))) return true;
  return behind.has('CVC') && codes.at(tokens, index + 1) > 0;
};

/** What may stand between an expiry and a code beside it. */
const mostBesideExpiry = 8;
const isBeside = (gap: string): boolean => gap.length <= mostBesideExpiry && !endsSentence(gap) && !/[#+$€£¥:]\s?$/u.test(gap);

/** Four digits after a mask or the name of a brand are a card's last ones. */
const areLastFour = (tokens: readonly Token[], index: number): boolean => {
  const { text, gap } = tokens[index]!;
  return text.length === 4 && (/[•●∙*…]/u.test(gap) || (index > 0 && cards.at(tokens, index - 1) > 0));
};

/** An expiry that nothing labels, with three or four digits right before or after it. */
export const expiryBesideCode = (
  tokens: readonly Token[],
  index: number,
): { readonly expiry: Range; readonly code: number | null } | null => {
  const month = tokens[index]!;
  if (!(month.isNumber ? isMonth(month.text) : months.has(month.text)) || hasOwnName(tokens, index, 0)) return null;
  const end = endOfMonthAndYear(tokens, index);
  const year = tokens[end - 1];
  if (end < 0 || !year || !isCardYear(year.text)) return null;
  // "March 26, 123 …" may be a day.
  if (!month.isNumber && !isYear(year.text)) return null;
  const separator = end > index + 2 || !month.isNumber ? '/' : year.gap.trim();
  if (separator === '') return null;
  // "030-12-29-123": one chain of groups is a telephone number or an article's.
  const isChained = (gap: string) => gap.trim() === separator && !/[/|]/.test(separator);
  const isCode = (at: number, gap: string): boolean =>
    tokens[at] !== undefined && isCodeLong(tokens[at]) && isBeside(gap) && !isChained(gap) && !isSomethingElse(tokens, at, 0);
  const isLong = (token: Token | undefined, gap: string): boolean =>
    token?.isNumber === true && token.text.length > 4 && gap.length < 3;

  const joins = tokens[end] !== undefined && !tokens[end].isNumber && conjunctions.has(tokens[end].text);
  const after = joins ? end + 1 : end;
  const afterGap = tokens[after]?.gap ?? '';
  const expiry = { from: index, to: end };
  if (isCode(after, afterGap) && !isLong(tokens[after + 1], tokens[after + 1]?.gap ?? '')) return { expiry, code: after };
  const joined = index > 1 && !tokens[index - 1]!.isNumber && conjunctions.has(tokens[index - 1]!.text);
  const before = joined ? index - 2 : index - 1;
  if (!isCode(before, tokens[before + 1]?.gap ?? '') || isLong(tokens[before - 1], tokens[before]?.gap ?? '')) return null;
  return { expiry, code: areLastFour(tokens, before) ? null : before };
};

/** A month and a year of cards that begin at `index`, written in whatever way, and the index after them; -1 where none do. */
const endOfExpiry = (tokens: readonly Token[], index: number): number => {
  const { text } = tokens[index]!;
  if (isGluedMonthAndYear(tokens, index)) return isCardYear(text.slice(2)) ? index + 1 : -1;
  const [second, { gap }] = [tokens[index + 1], tokens[index]!];
  // One separator for all: "4242424242424242:12:29:123".
  if (isMonth(text) && second?.isNumber && isCardYear(second.text) && gap.length === 1 && gap === second.gap) return index + 2;
  const end = endOfMonthAndYear(tokens, index);
  const year = tokens[end - 1];
  return year && (isCardYear(year.text) || isCardYear(text)) ? end : -1;
};

/** An expiry that is all of its paragraph, or a code that is it after an expiry: what was a page's cells or lines. */
const isAlone = (tokens: readonly Token[], index: number, hasExpiry: boolean): boolean => {
  const ofExpiry = hasExpiry ? -1 : endOfExpiry(tokens, index);
  const end = ofExpiry > 0 ? ofExpiry : hasExpiry && isCodeLong(tokens[index]!) ? index + 1 : -1;
  return end > 0 && (tokens[end] === undefined || /^\s*\n/.test(tokens[end].gap));
};

/** How far behind a card number its expiry and its code may stand, in tokens. */
const mostBehindNumber = 24;

/** What follows a card number without a label: a month and a year, and three or four digits, once each. */
export const behindNumber = function* (
  tokens: readonly Token[],
  number: number,
): Generator<Range & { readonly kind: 'CVC' | 'EXPIRY' }> {
  let hasExpiry = false;
  let hasCode = false;
  for (let index = number + 1; index < Math.min(tokens.length, number + mostBehindNumber) && !(hasExpiry && hasCode); ) {
    const token = tokens[index]!;
    if (token.mark === 'card' || (/\n\s*\n/.test(token.gap) && !isAlone(tokens, index, hasExpiry))) return;
    hasExpiry ||= token.mark === 'expiry';
    hasCode ||= token.mark === 'code';
    const end = hasExpiry ? -1 : endOfExpiry(tokens, index);
    if (end > 0) {
      hasExpiry = true;
      yield { kind: 'EXPIRY', from: index, to: end };
      index = end;
      continue;
    }
    if (token.isNumber) {
      const next = tokens[index + 1];
      const isOfMore = next?.isNumber === true && next.gap === ' ' && !isMonth(next.text);
      const isCode = !hasCode && isCodeLong(token) && !isOfMore && !isSomethingElse(tokens, index, number);
      // Anything else in figures tells of something else: an amount, a telephone number.
      if (!isCode || (endsSentence(token.gap) && !isAlone(tokens, index, hasExpiry))) return;
      hasCode = true;
      yield { kind: 'CVC', from: index, to: index + 1 };
    } else if (token.mark === null && !isWithoutMeaning(tokens, index)) return;
    index += 1;
  }
};

const isWithoutMeaning = (tokens: readonly Token[], index: number): boolean => {
  const { text } = tokens[index]!;
  const isKnown = [connectors, conjunctions, markup, cardWords, untilWords, shortCodeNames].some((words) => words.has(text));
  return isKnown || expiries.at(tokens, index) > 0 || codes.at(tokens, index) > 0;
};
