/** Latin letters that stand where Cyrillic ones look the same: whoever types on two layouts mixes them. And sigma's form at a word's end. */
const lookalikes: Readonly<Record<string, string>> = { а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', х: 'x', і: 'i', ς: 'σ' };

/** Decimal digits stand in the code charts as whole runs from 0 to 9 (Unicode, section 4.6): counting back to the first gives the value. */
export const digitValue = (digit: string): string => {
  const codePoint = digit.codePointAt(0)!;
  let first = codePoint;
  while (first > codePoint - 9 && /^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return String(codePoint - first);
};

const foldedCharacter = (character: string): string =>
  character
    .normalize('NFKD')
    .toLowerCase()
    // Hangul fillers and the empty Braille cell are as invisible as what is in Cf, but count as letter and symbol.
    .replace(/[\p{M}\p{Cf}\u115f\u1160\u2800]/gu, '')
    .replace(/[аеорсхіς]/g, (letter) => lookalikes[letter]!)
    .replace(/(?![0-9])\p{Nd}/gu, digitValue);

/** What characters beyond ASCII become. A text has few different ones; a stranger's may have all, so what is kept is bounded. */
const known = new Map<string, string>();
const mostKnown = 4_096;

const folded = (character: string): string => {
  const found = known.get(character);
  if (found !== undefined) return found;
  const made = foldedCharacter(character);
  if (known.size < mostKnown) known.set(character, made);
  return made;
};

const isAscii = /^[\0-\x7f]*$/;

/**
 * A text as it is searched: without case, accents and invisible characters, compatibility forms resolved (NFKD), digits of any
 * script as ASCII's. Knows for each of its UTF-16 units where that stood in the original.
 */
export class FoldedText {
  readonly text: string;
  /** Where the character begins that each unit came from; null where nothing moved. */
  private readonly origins: Uint32Array | null;

  constructor(private readonly original: string) {
    if (isAscii.test(original)) {
      this.text = original.toLowerCase();
      this.origins = null;
      return;
    }
    const pieces: string[] = [];
    const origins: number[] = [];
    let position = 0;
    for (const character of original) {
      const piece = character < '\x80' ? character.toLowerCase() : folded(character);
      for (let unit = 0; unit < piece.length; unit++) origins.push(position);
      pieces.push(piece);
      position += character.length;
    }
    this.text = pieces.join('');
    this.origins = Uint32Array.from(origins);
  }

  /** UTF-16 offset in the original of what this unit came from. */
  startOf(unit: number): number {
    return this.origins === null ? unit : this.origins[unit]!;
  }

  /** UTF-16 offset in the original after what this unit came from, and after the invisible characters that follow it. */
  endOf(unit: number): number {
    if (this.origins === null) return unit + 1;
    const start = this.origins[unit]!;
    const own = start + (this.original.codePointAt(start)! > 0xffff ? 2 : 1);
    return Math.max(own, this.origins[unit + 1] ?? this.original.length);
  }
}

/** A word or several as they are looked up: folded, and without what stands between the letters. */
export const squeezed = (text: string): string => new FoldedText(text).text.replace(/[^\p{L}]/gu, '');
