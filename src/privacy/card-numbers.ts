/*
 * How a number is recognised:
 * - Digits of any script count. A group is a run of them with nothing between; groups are joined by gaps of separators.
 * - A card number is a whole number of neighbouring groups whose digits have the length and first digits of an issuer
 *   (ISO/IEC 7812-1: issuer identification number, then account number, then check digit) and pass Luhn's check.
 * - Groups are never cut, so a card number amid more digits with nothing between is not seen: half of all 24-digit
 *   numbers hold some digits that would pass, and parcels and orders have such numbers. Three forms are known and seen:
 *   zeros before it (fixed-width fields), its expiry with or without its security code glued to it, and `%20` before it.
 * - Nothing but the digits is looked at here. What is no card's for another reason (an account, a telephone, a parcel, a link) is said by
 *   `kept-numbers.ts`, and what is said around a number is judged in `card-data.ts`: 13 digits in Visa's range, which are given out no
 *   more, and the 16 digits of a spreadsheet, which keeps fifteen of them and writes a zero, are found here as doubtful.
 * Letters end a group and need no space: "card4242…exp1229" is found.
 */

/** UTF-16 offsets in the text that was searched; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A number that may be a card's, by its digits. */
export interface NumberFind extends Span {
  /** By its digits alone it may as well be something else. */
  readonly isDoubtful: boolean;
  /** Fails Luhn's check and ends in a zero, as a spreadsheet writes the last of sixteen digits; doubtful too. */
  readonly isRounded: boolean;
  /** In the groups in which cards have them printed. */
  readonly isPrinted: boolean;
}

/** First digits (both ends of the range, equally long) and the lengths, in digits, that the issuers use. */
type IssuerRange = readonly [from: string, to: string, ...lengths: number[]];

const sixteenToNineteen = [16, 17, 18, 19] as const;
const maestro = [12, 13, 14, 15, ...sixteenToNineteen] as const;

/**
 * Maestro's 12 to 15 digits are taken for its best-known ranges only, its longer ones for all of 50, 56–58, 63 and 67:
 * otherwise every tenth order number of 12 digits would be a card. Ranges that lie in another one of the same lengths
 * (Elo and Verve in 50, Troy and RuPay in 65, Discover's 622126–622925 in UnionPay's 62) aren't listed again.
 */
const issuerRanges: readonly IssuerRange[] = [
  ['4', '4', 13, 16, 19], // Visa
  ['51', '55', 16], // Mastercard
  ['2221', '2720', 16], // Mastercard
  ['34', '34', 15], // American Express
  ['37', '37', 15], // American Express
  ['6011', '6011', ...sixteenToNineteen], // Discover
  ['644', '649', ...sixteenToNineteen], // Discover
  ['65', '65', ...sixteenToNineteen], // Discover, RuPay, Elo, Verve, Troy
  ['300', '305', 14, ...sixteenToNineteen], // Diners Club
  ['3095', '3095', 14, ...sixteenToNineteen], // Diners Club
  ['36', '36', 14, ...sixteenToNineteen], // Diners Club
  ['38', '39', 14, ...sixteenToNineteen], // Diners Club, Hipercard
  ['3528', '3589', ...sixteenToNineteen], // JCB
  ['1800', '1800', 15], // JCB, older cards
  ['2131', '2131', 15], // JCB, older cards
  ['62', '62', 14, 15, ...sixteenToNineteen], // UnionPay
  ['8100', '8171', ...sixteenToNineteen], // UnionPay
  ['5018', '5018', ...maestro],
  ['5020', '5020', ...maestro],
  ['5038', '5038', ...maestro],
  ['5893', '5893', ...maestro],
  ['6304', '6304', ...maestro],
  ['6759', '6759', ...maestro],
  ['6761', '6763', ...maestro],
  ['50', '50', ...sixteenToNineteen], // Maestro, Elo, Verve, RuPay, Dankort
  ['56', '58', ...sixteenToNineteen], // Maestro, Uzcard
  ['63', '63', ...sixteenToNineteen], // Maestro, Elo, Hiper, InstaPayment
  ['67', '67', ...sixteenToNineteen], // Maestro, Bancontact
  ['2200', '2204', ...sixteenToNineteen], // Mir
  ['2205', '2205', 16], // Borica, PayPak
  ['606282', '606282', 16, 19], // Hipercard
  ['606005', '606005', 16, 17], // Bancontact
  ['606985', '607984', 16], // RuPay
  ['608001', '608500', 16], // RuPay
  ['817200', '820199', 16], // RuPay
  ['9792', '9792', 16], // Troy
  ['8600', '8600', 16], // Uzcard
  ['9860', '9860', 16], // Humo
  ['9704', '9704', 16, 19], // Napas
];

const shortest = 12;
const longest = 19;
const prefixDigits = 6;

interface Issuer {
  /** Of the first six digits. */
  readonly from: number;
  readonly to: number;
  /** Bit n is set when a number may have n digits. */
  readonly lengths: number;
}

const issuersByFirstDigit: readonly (readonly Issuer[])[] = Array.from({ length: 10 }, (_, digit) =>
  issuerRanges
    .filter(([from]) => Number(from[0]) === digit)
    .map(([from, to, ...lengths]) => ({
      from: Number(from.padEnd(prefixDigits, '0')),
      to: Number(to.padEnd(prefixDigits, '9')),
      lengths: lengths.reduce((bits, length) => bits | (1 << length), 0),
    })),
);

/* Classes of characters: 0 to 9 are the digits themselves. */
const other = 10;
/** Joins groups of any sizes. */
const plain = 11;
/** Joins groups of three and more, and only where their sizes are those of a card: in lists, tables and times these part numbers. */
const loose = 12;

const plainCharacters =
  /^[\s\p{Pd}\p{Cf}\p{Mn}\p{Me}\p{Cc}._/\u00b7\u2024\u2027\u2043\u2044\u2212\u2215\u3002\u30fb\uff0e\uff0f\uff3f\uff65\ufffd\u115f\u1160\u2800\u3164\uffa0]$/u;
const looseCharacters =
  /^[,:;+*|~`'"()[\]\\>#^!@\u00a7\u00b0\u2022\u2026\u2192\u2219\u25aa\u25cf\u25e6\u2605\u2018\u2019\u201c\u201d\uff0c\uff1a\u066b\u066c\u3001]$/u;

/** Above it only the invisible tag characters (category Cf) matter. */
const tableSize = 0x20000;

const classOf = (codePoint: number): number => {
  const character = String.fromCodePoint(codePoint);
  if (plainCharacters.test(character)) return plain;
  return looseCharacters.test(character) ? loose : other;
};

/** Decimal digits stand in the code charts as whole runs from 0 to 9 (Unicode, section 4.6), so counting along gives the value. */
const classesUpTo = (size: number): Uint8Array => {
  const classes = new Uint8Array(size);
  let digit = 0;
  for (let codePoint = 0; codePoint < size; codePoint++) {
    if (/^\p{Nd}$/u.test(String.fromCodePoint(codePoint))) {
      classes[codePoint] = digit++ % 10;
    } else {
      digit = 0;
      classes[codePoint] = classOf(codePoint);
    }
  }
  return classes;
};

const asciiClasses = classesUpTo(0x80);
let allClasses: Uint8Array | undefined;

/** The whole table takes some milliseconds, so it is made for the first text that needs it. */
const classAt = (text: string, position: number): number => {
  const unit = text.charCodeAt(position);
  if (unit < 0x80) return asciiClasses[unit]!;
  if (Number.isNaN(unit)) return other;
  const codePoint = text.codePointAt(position)!;
  allClasses ??= classesUpTo(tableSize);
  if (codePoint < tableSize) return allClasses[codePoint]!;
  return codePoint >= 0xe0000 && codePoint <= 0xe0fff ? plain : other;
};

const widthAt = (text: string, position: number): number => (text.codePointAt(position)! > 0xffff ? 2 : 1);

/** Characters of one gap, and of one tag in it. Bounds what is looked at twice. */
const longestGap = 160;
const longestTag = 64;
/** Three and more are a mask: "424242******4242" is not a number with something between. */
const mostMasks = 2;
const maskCharacters = '*#\u2022\u25cf\u2219\u2026';

/** How many groups of unusual sizes are still believed to be one number. */
const mostUnusualGroups = 8;

/** Counts the steps of a search, for proving that they grow with the text and not faster. */
export interface Work {
  steps: number;
}

/** End of a tag such as `</b>` or `<span class="x">` that begins at `start`, or -1. One that holds a digit isn't skipped: it may be the number. */
const endOfTag = (text: string, start: number, work: Work): number => {
  if (!/[a-z/!]/i.test(text.charAt(start + 1))) return -1;
  for (let position = start + 1; position < text.length && position - start < longestTag; position++) {
    work.steps++;
    const character = text[position];
    if (character === '>') return position + 1;
    if (character === '<' || classAt(text, position) < other) return -1;
  }
  return -1;
};

const entity =
  /&(?:(nbsp|ensp|emsp|thinsp|shy|zwj|zwnj|lrm|rlm|ndash|mdash|hyphen|dash|minus)|#([0-9]{1,7})|#x([0-9a-f]{1,6}));/iy;
const percentEscape = /%(?:20|09|0a|0d|2d|c2%a0)/iy;
const softLineBreak = /=\r?\n/y;

const endOfMatch = (pattern: RegExp, text: string, start: number): number => {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : -1;
};

/** End of a character reference to a separator, such as `&nbsp;` or `&#160;`, or -1. */
const endOfEntity = (text: string, start: number): number => {
  entity.lastIndex = start;
  const match = entity.exec(text);
  if (!match) return -1;
  const [whole, name, decimal, hexadecimal] = match;
  const codePoint = decimal ? Number(decimal) : Number.parseInt(hexadecimal ?? '0', 16);
  if (!name && (codePoint > 0x10ffff || classOf(codePoint) !== plain)) return -1;
  return start + whole.length;
};

/** What joins a group to the next: `plain`, `loose`, or `other` when they aren't joined; and where the next one begins. */
interface Gap {
  kind: number;
  next: number;
}

const readGap = (text: string, start: number, gap: Gap, work: Work): void => {
  let position = start;
  let masks = 0;
  let sawLineBreak = false;
  gap.kind = plain;
  while (position < text.length && position - start <= longestGap) {
    work.steps++;
    const character = text[position]!;
    const kind = classAt(text, position);
    if (kind < other) {
      gap.next = position;
      return;
    }
    let end = position + widthAt(text, position);
    if (kind === other) {
      if (character === '<') end = endOfTag(text, position, work);
      else if (character === '&') end = endOfEntity(text, position);
      else if (character === '%') end = endOfMatch(percentEscape, text, position);
      else if (character === '=') end = endOfMatch(softLineBreak, text, position);
      else end = -1;
      if (end < 0) break;
    }
    masks = maskCharacters.includes(character) ? masks + 1 : 0;
    if (masks > mostMasks) break;
    if (character === '\n' || character === '\r') sawLineBreak = true;
    // At the beginning of a line the mark of a quotation; elsewhere a comparison or the end of something.
    if (kind === loose && !(character === '>' && sawLineBreak)) gap.kind = loose;
    position = end;
  }
  gap.kind = other;
};

/** 4-4-4-4 (and more), 4-6-5, 4-6-4. */
const isPrintedGrouping = ([first, second, third, ...more]: readonly number[]): boolean =>
  first === 4 &&
  ((second === 4 && third === 4 && more.length > 0) || (second === 6 && (third === 4 || third === 5) && more.length === 0));

/** One of a card's printed groups is written as two: a line ended in it. */
const isBrokenGrouping = (sizes: readonly number[]): boolean =>
  sizes.length < 7 &&
  sizes.some((size, index) => index > 0 && isPrintedGrouping(sizes.toSpliced(index - 1, 2, sizes[index - 1]! + size)));

/** Which no card has, but some hand may write: of three digits and more, with whatever is left at the end. */
const isPossibleGrouping = (sizes: readonly number[]): boolean =>
  sizes.length < 3 ||
  (sizes.length <= mostUnusualGroups && sizes.slice(0, -1).every((size) => size > 2)) ||
  isBrokenGrouping(sizes);

/** 4-4-4-4 and its like, pairs, single digits, 4-6-5, 4-6-4, and thousands (4,242,424,…). */
const hasCardGrouping = (sizes: readonly number[]): boolean => {
  const [first = 0, second = 0] = sizes;
  const last = sizes.at(-1)!;
  if (sizes.length === 1) return true;
  if (sizes.length === 2) return first === second;
  if (sizes.length === 3 && first === 4 && second === 6) return last === 5 || last === 4;
  const areEqual = sizes.slice(1, -1).every((size) => size === second);
  return areEqual && last <= second && (first === second || (second === 3 && last === 3 && first < 3));
};

/** Month and year, in either order, and the security code if it is there too. */
const expiryAndCode = /^(?:(?:0[1-9]|1[0-2])[2-4][0-9]|[2-4][0-9](?:0[1-9]|1[0-2]))(?:[0-9]{3,4})?$/;

/** All digits of a text, their positions and their groups, as they are found. */
class Digits {
  readonly values: number[] = [];
  /** Where each digit begins in the text. */
  readonly positions: number[] = [];
  /** Sums from the first digit on in which the digits at even (odd) indexes count as Luhn's doubled ones. */
  private readonly evenDoubled: number[] = [0];
  private readonly oddDoubled: number[] = [0];

  push(value: number, position: number): void {
    const index = this.values.length;
    const doubled = value > 4 ? value * 2 - 9 : value * 2;
    this.values.push(value);
    this.positions.push(position);
    this.evenDoubled.push(this.evenDoubled[index]! + (index % 2 === 0 ? doubled : value));
    this.oddDoubled.push(this.oddDoubled[index]! + (index % 2 === 1 ? doubled : value));
  }

  /** Luhn's check (ISO/IEC 7812-1, annex B) over the digits from `start` to before `end`: from the right, every second one is doubled. */
  passesLuhn(start: number, end: number): boolean {
    const sums = end % 2 === 0 ? this.evenDoubled : this.oddDoubled;
    return (sums[end]! - sums[start]!) % 10 === 0;
  }

  number(start: number, end: number): number {
    let number = 0;
    for (let index = start; index < end; index++) number = number * 10 + this.values[index]!;
    return number;
  }

  text(start: number, end: number): string {
    return this.values.slice(start, end).join('');
  }
}

/** A run of digits with nothing between them: indexes into `Digits`, and the gap to the next group. */
interface Group {
  readonly start: number;
  readonly end: number;
  readonly gap: number;
}

/** Bits of the lengths that an issuer with these first six digits uses. */
const lengthsOf = (prefix: number): number => {
  let lengths = 0;
  for (const issuer of issuersByFirstDigit[Math.floor(prefix / 100_000)]!) {
    if (prefix >= issuer.from && prefix <= issuer.to) lengths |= issuer.lengths;
  }
  return lengths;
};

/** Whether digits are a whole card number. */
export const isCardNumber = (text: string): boolean =>
  isIssued(text) && findCardNumbers(text).some(({ start, end }) => start === 0 && end === text.length);

/** Whether an issuer has numbers with such first digits, as long as this; 12 digits at least. */
export const isIssued = (text: string): boolean => (lengthsOf(Number(text.slice(0, prefixDigits))) & (1 << text.length)) !== 0;

/** Where card numbers stand in the text, by their digits: `findNumbers` without what is doubtful. */
export const findCardNumbers = (text: string, work: Work = { steps: 0 }): Span[] =>
  findNumbers(text, work)
    .filter(({ isDoubtful }) => !isDoubtful)
    .map(({ start, end }) => ({ start, end }));

/**
 * Where numbers stand in the text that may be cards', in its order; spans may overlap. Each covers whole groups of digits, so that
 * what is left of a text holds nothing new. Steps are linear in the length of the text.
 */
export const findNumbers = (text: string, work: Work = { steps: 0 }): NumberFind[] => {
  const digits = new Digits();
  const groups: Group[] = [];
  const gap: Gap = { kind: other, next: 0 };
  for (let position = 0; position < text.length; ) {
    work.steps++;
    const kind = classAt(text, position);
    if (kind >= other) {
      position += widthAt(text, position);
      continue;
    }
    const start = digits.values.length;
    for (let value = kind; value < other; value = classAt(text, position)) {
      work.steps++;
      digits.push(value, position);
      position += widthAt(text, position);
    }
    readGap(text, position, gap, work);
    groups.push({ start, end: digits.values.length, gap: gap.kind });
    // A gap can hold digits (`%20`, `&#160;`), so it is passed over where it joins and read as text where it doesn't.
    if (gap.kind !== other) position = gap.next;
  }
  return digits.values.length < shortest ? [] : numbersOf(text, digits, groups, work);
};

const numbersOf = (text: string, digits: Digits, groups: readonly Group[], work: Work): NumberFind[] => {
  const finds: NumberFind[] = [];
  for (const [index, group] of groups.entries()) {
    const before = text[digits.positions[group.start]! - 1];
    const starts = [group.start];
    let zeros = group.start;
    while (zeros < group.end && digits.values[zeros] === 0) zeros++;
    if (zeros > group.start && zeros < group.end) starts.push(zeros);
    if (before === '%' && group.end - group.start > 2) starts.push(group.start + 2);
    work.steps += zeros - group.start + starts.length;

    let longest: Candidate | null = null;
    for (const start of starts) {
      const candidate = numberFrom(digits, groups, index, start, work);
      if (candidate === null) continue;
      const from = start === group.start + 2 && before === '%' ? start : group.start;
      const isLonger: boolean = longest === null || (longest.isDoubtful && !candidate.isDoubtful) || candidate.end > longest.end;
      if (isLonger) longest = candidate;
      finds.push({
        start: digits.positions[from]!,
        end: endPosition(text, digits, longest!.end),
        isDoubtful: longest!.isDoubtful,
        isRounded: longest!.isRounded,
        isPrinted: longest!.isPrinted,
      });
    }
  }
  return finds;
};

const endPosition = (text: string, digits: Digits, end: number): number => {
  const last = digits.positions[end - 1]!;
  return last + widthAt(text, last);
};

interface Candidate extends Omit<NumberFind, 'start'> {
  /** Index after its last digit. */
  readonly end: number;
}

/** As long as Visa's numbers once were. */
const oldVisa = 13;
const roundedLength = 16;

/** The longest number that begins with the digit `start` of this group and may be a card's; a doubtful one only where there is no other. */
const numberFrom = (
  digits: Digits,
  groups: readonly Group[],
  groupIndex: number,
  start: number,
  work: Work,
): Candidate | null => {
  if (start + shortest > digits.values.length) return null;
  const prefix = digits.number(start, start + prefixDigits);
  const lengths = lengthsOf(prefix);
  if (lengths === 0) return null;

  let found: Candidate | null = null;
  const sizes: number[] = [];
  let isLoose = false;
  for (let index = groupIndex; index < groups.length; index++) {
    const { start: groupStart, end, gap } = groups[index]!;
    const from = index === groupIndex ? start : groupStart;
    const before = from - start;
    if (before >= longest) break;
    for (let length = Math.max(shortest, before + 1); length <= Math.min(longest, end - start); length++) {
      work.steps++;
      if ((lengths & (1 << length)) === 0) continue;
      const rest = end - start - length;
      // Fifteen digits and a zero.
      const mayBeRounded = length === roundedLength && before === 0 && rest === 0 && digits.values[start + length - 1] === 0;
      const isChecked = digits.passesLuhn(start, start + length);
      if (!isChecked && !mayBeRounded) continue;
      const isDoubtful = !isChecked || (length === oldVisa && digits.values[start] === 4);
      if (rest !== 0 && (rest > 8 || !expiryAndCode.test(digits.text(start + length, end)))) continue;
      const grouping = [...sizes, length - before];
      const isGrouped = isLoose
        ? hasCardGrouping(grouping) && grouping[1]! > 2
        : hasCardGrouping(grouping) || isPossibleGrouping(grouping);
      if (isGrouped && (found === null || found.isDoubtful || !isDoubtful))
        found = { end, isDoubtful, isRounded: !isChecked, isPrinted: isPrintedGrouping(grouping) };
    }
    sizes.push(end - from);
    if (gap === other) break;
    if (gap === loose) isLoose = true;
  }
  return found;
};
