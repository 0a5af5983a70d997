import type { Span } from './card-numbers';
import { FoldedText } from './folded-text';

/** What stands where card data was removed, by what it was. */
export type Mark = 'card' | 'code' | 'expiry';

/** Holds no digit and no separator of a number, so that what was removed never becomes part of a find. */
export const marks: Readonly<Record<Mark | 'track', string>> = {
  card: '[card number removed]',
  code: '[security code removed]',
  expiry: '[expiry date removed]',
  track: '[card data removed]',
};

/** A word, a run of digits, or a place from which card data was removed. */
export interface Token {
  readonly isNumber: boolean;
  readonly mark: Mark | null;
  /** Folded; empty for a mark. */
  readonly text: string;
  /** What stands before it, back to the token before, folded. */
  readonly gap: string;
  /** UTF-16 offsets in the text that was searched. */
  readonly start: number;
  readonly end: number;
}

const markOf: Readonly<Record<string, Mark>> = {
  [marks.card]: 'card',
  [marks.code]: 'code',
  [marks.expiry]: 'expiry',
  [marks.track]: 'card',
};
const withMarks = /\[(?:card number|security code|expiry date|card data) removed\]|[0-9]+|\p{L}+/gu;
const withoutMarks = /[0-9]+|\p{L}+/gu;

/**
 * The tokens of a text. What `cards` covers, in the text's order, is one mark each. `honoursMarks`: so is what an earlier removal
 * left, so that removing again finds the same; whoever writes the marks by hand hides nothing where they aren't honoured.
 */
export const tokensOf = (folded: FoldedText, cards: readonly Span[], honoursMarks: boolean): Token[] => {
  const tokens: Token[] = [];
  let gapStart = 0;
  let card = 0;
  for (const { 0: found, index } of folded.text.matchAll(honoursMarks ? withMarks : withoutMarks)) {
    const last = index + found.length;
    for (let from = index; from < last; ) {
      const start = folded.startOf(from);
      while (card < cards.length && cards[card]!.end <= start) card += 1;
      const span = cards[card];
      const isCard = span !== undefined && span.start <= start;
      const boundary = isCard ? span.end : (span?.start ?? Number.POSITIVE_INFINITY);
      // What is invisible joins in a folded text what a number's search keeps apart.
      let to = from + 1;
      while (to < last && folded.startOf(to) < boundary) to += 1;
      if (isCard) {
        const { start: begins, end } = span;
        // A number of several groups is one mark; the search for its end is made once.
        if (tokens.at(-1)?.start !== begins) {
          let first = from;
          while (first > gapStart && folded.startOf(first - 1) >= begins) first -= 1;
          tokens.push({ isNumber: false, mark: 'card', text: '', gap: folded.text.slice(gapStart, first), start: begins, end });
          gapStart = to;
          while (gapStart < folded.text.length && folded.startOf(gapStart) < end) gapStart += 1;
        }
      } else {
        const gap = folded.text.slice(gapStart, from);
        gapStart = to;
        const mark = markOf[found] ?? null;
        const text = mark === null ? found.slice(from - index, to - index) : '';
        tokens.push({ isNumber: text !== '' && text <= ':', mark, text, gap, start, end: folded.endOf(to - 1) });
      }
      from = to;
    }
  }
  return tokens;
};

/** Bounds of a label: its words, its letters, and the characters between two of its words. */
const mostLabelWords = 5;
const mostLabelLetters = 40;
export const mostBetweenLetters = 4;
/** A compound that ends in a label of so many letters is one too (Kreditkartenprüfnummer). */
const shortestCompoundEnd = 9;
const mostCompoundLetters = 64;

const isCjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

const isPlain = /^[a-z]*$/;

/** Labels of one kind of card data, as they are looked for. */
export class Labels {
  private readonly ends: readonly string[];
  private readonly inner: readonly string[];
  /** What labels begin with: most words begin none, and are done with one look. */
  private readonly beginnings: ReadonlySet<string>;

  constructor(private readonly all: ReadonlySet<string>) {
    this.beginnings = new Set(
      [...all].flatMap((label) => Array.from({ length: label.length }, (_, end) => label.slice(0, end + 1))),
    );
    this.inner = [...all].filter((label) => isCjk.test(label));
    this.ends = [...all].filter((label) => label.length >= shortestCompoundEnd && !isCjk.test(label));
  }

  /** How many tokens from `index` on are a label; 0 where none is. The longest counts. */
  at(tokens: readonly Token[], index: number): number {
    let joined = '';
    let found = 0;
    for (let count = 0; count < mostLabelWords; count++) {
      const token = tokens[index + count];
      if (!token || token.isNumber || token.mark !== null || (count > 0 && token.gap.length > mostBetweenLetters)) break;
      joined += token.text;
      if (joined.length > mostLabelLetters || !this.beginnings.has(joined)) break;
      if (this.all.has(joined)) found = count + 1;
    }
    return found === 0 && this.isCompound(tokens[index]!) ? 1 : found;
  }

  private isCompound({ isNumber, text }: Token): boolean {
    if (isNumber || text.length > mostCompoundLetters) return false;
    if (text.length <= shortestCompoundEnd && isPlain.test(text)) return false;
    // These scripts write no spaces.
    if (isCjk.test(text)) return this.inner.some((label) => text.includes(label));
    return text.length > shortestCompoundEnd && this.ends.some((label) => text.endsWith(label));
  }
}
