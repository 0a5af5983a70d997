import {
  behindNumber,
  cards,
  codes,
  expiries,
  expiryBesideCode,
  isSpokenOfAsCard,
  labelledCode,
  labelledExpiry,
  labelledNumber,
  namedPart,
  numberOfCard,
  numbers,
  type Range,
} from './card-neighbours';
import type { Span } from './card-numbers';
import { type CardReading, cardReadingsOf } from './card-readings';
import { type Token, tokensOf } from './card-tokens';

/*
 * How card data is recognised, beside complete card numbers, which stand in `card-numbers.ts`:
 * - The text is read in every way in which it may be encoded (`decoding.ts`), and what is found in any of them counts.
 * - What certainly isn't a card is kept (`kept-numbers.ts`), unless it is written or spoken of as one.
 * - The text is folded (case, accents, invisible characters, digits of any script, a few Cyrillic letters that look Latin)
 *   and read as words and runs of digits. A label may be spelled with anything short between its letters: "C.V.C".
 * - A track is what a magnetic stripe holds (ISO/IEC 7813): number, name, expiry and more, with its own separators.
 * - A security code is 3 or 4 digits beside a label of one. An expiry is a month and a year beside a label of one, or
 *   with a code of 3 or 4 digits right beside it. A card number is 12 to 19 digits beside a label of one, even where
 *   Luhn's check fails: it is a mistyped one.
 * - Right after a card number, a month and a year and 3 or 4 digits are its expiry and its code, without any label.
 * - What has a name of its own is none of these: "order 4242", "house number 123", a whole date, an amount.
 * What is spelled out in words ("one two three") is not recognised.
 */

export type CardDataKind = 'CARD_NUMBER' | 'TRACK' | 'CVC' | 'EXPIRY';

/** Card data in a text: what, and where. */
export interface CardDataSpan extends Span {
  readonly kind: CardDataKind;
}

interface Found extends CardDataSpan {
  /** A month and a year that may also be a voucher's, and what stands beside them: whose they are is told by what is said nearby. */
  readonly needsCard: boolean;
  /** No word says what it is. */
  readonly isBare: boolean;
}

/** The two tracks of a magnetic stripe that name a holder's card (ISO/IEC 7813), with or without their sentinels, also as a keyboard of another country types a reader's signs. Each part is bounded, so that the search is linear. */
const tracks =
  /%?b[0-9 ]{12,23}[\^&][^^&\r\n]{2,45}[\^&][0-9]{4}(?:[^?\r\n]{0,79}\?|[^?\s]{0,64})|(?<![0-9]);?[0-9]{12,19}[=d][2-4][0-9](?:0[1-9]|1[0-2])[0-9]{3,40}\??/gu;

/** In the order of the text, and none in another. */
const merged = (spans: readonly CardDataSpan[]): CardDataSpan[] => {
  const apart: CardDataSpan[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = apart.at(-1);
    if (!last || span.start >= last.end) apart.push(span);
    else if (span.end > last.end) apart[apart.length - 1] = { ...last, end: span.end };
  }
  return apart;
};

/** How near a card must be spoken of, in tokens, for a date to be its expiry. */
const nearCard = 40;

/** What of the numbers that may be cards' is one: the doubtful, and what stands in something else, where a card is spoken of. */
const certainNumbers = (
  { folded, numbers: finds, isKept }: CardReading,
  certain: readonly CardDataSpan[],
  honoursMarks: boolean,
): readonly Span[] => {
  const isOpen = finds.map((find) => find.isDoubtful || (!find.isPrinted && isKept(find)));
  if (!isOpen.includes(true)) return finds;
  const asNumbers = finds.map((find): CardDataSpan => ({ kind: 'CARD_NUMBER', start: find.start, end: find.end }));
  const tokens = tokensOf(folded, merged([...certain, ...asNumbers]), honoursMarks);
  let at = 0;
  let isInColumn = false;
  /** The head of a table's column, or whatever else speaks of card numbers. */
  let label = Number.NEGATIVE_INFINITY;
  return finds.filter((find, index) => {
    if (!isOpen[index]) return true;
    for (; at < tokens.length && tokens[at]!.end <= find.start; at++) if (numbers.at(tokens, at) > 0) label = at;
    const follows = tokens[at - 1]?.mark === 'card' && /^\s*\n\s*$/.test(tokens[at]?.gap ?? '');
    const isUnderHead = find.isRounded && !isKept(find) && at - label <= nearCard;
    isInColumn =
      tokens[at]?.mark === 'card' && ((follows && isInColumn) || isSpokenOfAsCard(tokens, at, isKept(find)) || isUnderHead);
    return isInColumn;
  });
};

const findAll = (
  reading: CardReading,
  honoursMarks: boolean,
): { readonly tokens: readonly Token[]; readonly found: readonly Found[] } => {
  const { folded } = reading;
  const whole: CardDataSpan[] = [...folded.text.matchAll(tracks)].map(({ 0: track, index }) => {
    return { kind: 'TRACK', start: folded.startOf(index), end: folded.endOf(index + track.length - 1) };
  });
  for (const { start, end } of certainNumbers(reading, whole, honoursMarks)) whole.push({ kind: 'CARD_NUMBER', start, end });
  const first = tokensOf(folded, merged(whole), honoursMarks);
  let hasMistyped = false;
  for (let index = 0; index < first.length; index++) {
    const label = numbers.at(first, index);
    const range = label > 0 ? labelledNumber(first, index, index + label) : numberOfCard(first, index);
    if (!range) continue;
    const span = { start: first[range.from]!.start, end: first[range.to - 1]!.end };
    if (reading.isInAccount(span) || reading.isKept(span)) continue;
    hasMistyped = true;
    whole.push({ kind: 'CARD_NUMBER', ...span });
  }
  const certain = merged(whole);
  const tokens = hasMistyped ? tokensOf(folded, certain, honoursMarks) : first;
  const found: Found[] = certain.map((span) => ({ ...span, needsCard: false, isBare: false }));
  const add = (kind: CardDataKind, { from, to }: Range, needsCard: boolean, isBare = false) =>
    found.push({ kind, needsCard, isBare, start: tokens[from]!.start, end: tokens[to - 1]!.end });
  for (let index = 0; index < tokens.length; index++) {
    if (tokens[index]!.mark === 'card') for (const range of behindNumber(tokens, index)) add(range.kind, range, false);
    const code = codes.at(tokens, index);
    const itsCode = code > 0 ? labelledCode(tokens, index, index + code) : null;
    if (itsCode) add('CVC', itsCode, false);
    const expiry = expiries.at(tokens, index);
    const itsExpiry = expiry > 0 ? labelledExpiry(tokens, index, index + expiry) : null;
    if (itsExpiry) add('EXPIRY', itsExpiry, true);
    const part = namedPart(tokens, index);
    if (part) add('EXPIRY', part, true);
    const pair = expiryBesideCode(tokens, index);
    if (pair) add('EXPIRY', pair.expiry, true, true);
    if (pair && pair.code !== null) add('CVC', { from: pair.code, to: pair.code + 1 }, true, true);
  }
  return { tokens, found };
};

const isOfCard = (tokens: readonly Token[], index: number): boolean =>
  tokens[index]!.mark === 'card' ||
  tokens[index]!.mark === 'code' ||
  cards.at(tokens, index) > 0 ||
  codes.at(tokens, index) > 0 ||
  numbers.at(tokens, index) > 0;

/** What is found in one reading, without dates that may be a voucher's. */
const foundInOthers = (reading: CardReading): readonly Found[] => {
  const { tokens, found } = findAll(reading, true);
  if (!found.some(({ needsCard }) => needsCard)) return found;
  /** Where the text speaks of a card, by its tokens, in its order. */
  const ofCards = tokens.flatMap((_, index) => (isOfCard(tokens, index) ? [index] : []));
  let at = 0;
  let next = 0;
  return [...found]
    .sort((a, b) => a.start - b.start)
    .filter(({ needsCard, start }) => {
      if (!needsCard) return true;
      while (at < tokens.length && tokens[at]!.start < start) at += 1;
      while (next < ofCards.length && ofCards[next]! < at - nearCard) next += 1;
      return next < ofCards.length && ofCards[next]! <= at + nearCard;
    });
};

/**
 * Card data in a text by others, which is kept without it, in whatever way the text is read; spans may overlap. A date is a card's
 * expiry only where a card is spoken of nearby: a voucher's stays. Time is linear in the text, which may be a stranger's.
 */
export const findCardData = (text: string): readonly CardDataSpan[] =>
  cardReadingsOf(text).flatMap((reading) =>
    foundInOthers(reading).map(({ kind, ...span }) => ({ kind, ...reading.written(span) })),
  );

const gravity: readonly CardDataKind[] = ['CARD_NUMBER', 'TRACK', 'CVC', 'EXPIRY'];

const gravestOf = (found: readonly Found[]): CardDataKind | null => {
  // What nothing labels goes by the date that it stands beside.
  const kinds = new Set(found.map(({ kind, needsCard }) => (needsCard ? 'EXPIRY' : kind)));
  return gravity.find((kind) => kinds.has(kind)) ?? null;
};

/**
 * The gravest card data in a text that people of ours write; null where there is none. A date beside a word for an expiry
 * is one here, whatever it is of: they can say it otherwise. Time is linear in the text.
 */
export const gravestCardData = (text: string): CardDataKind | null =>
  gravestOf(cardReadingsOf(text).flatMap((reading) => findAll(reading, false).found));

/** The same in an address, where a month and a year beside further digits are a house, its stairs and a door ("Graben 12/24/123"), unless a card is spoken of. */
export const gravestInAddress = (text: string): CardDataKind | null => {
  const found = cardReadingsOf(text).flatMap((reading) => {
    const { tokens, found: all } = findAll(reading, false);
    return tokens.some((_, index) => isOfCard(tokens, index)) ? all : all.filter(({ isBare }) => !isBare);
  });
  return gravestOf(found);
};
