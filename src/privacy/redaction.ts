import { type CardDataKind, type CardDataSpan, findCardData } from './card-data';
import { findNumbersAlone } from './card-readings';
import { marks } from './card-tokens';
import { DecodedText } from './decoded-text';
import { isOrderNumber } from './order-numbers';

export type RedactionKind = CardDataKind;

/** What stands in the text instead. */
const replacements: Readonly<Record<RedactionKind, string>> = {
  CARD_NUMBER: marks.card,
  TRACK: marks.track,
  CVC: marks.code,
  EXPIRY: marks.expiry,
};

/** Something that was removed. Holds nothing of what it was. */
export interface Redaction {
  readonly kind: RedactionKind;
  /** UTF-16 offsets of the replacement in the redacted text; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

export interface RedactedText {
  readonly text: string;
  /** In the order of the text. */
  readonly redactions: readonly Redaction[];
}

/** Free text passes here before it is stored, logged or sent on. Redacting what was redacted changes nothing. */
export interface Redactor {
  redact(text: string): RedactedText;
}

/** Finds what is to be removed; of finds that overlap, the first one's kind is told. Pure, and in time linear in the text: the text is written by strangers. */
export type Detector = (text: string) => readonly CardDataSpan[];

/** A removal can bring together what stood apart; more often than this only in texts that were made for it. */
const mostRounds = 5;

interface Find extends CardDataSpan {
  /** Of the detector, in their order. */
  readonly rank: number;
}

/** In the order of the text, and none in another. */
const apart = (finds: readonly Find[]): Find[] => {
  const kept: Find[] = [];
  for (const find of [...finds].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1);
    if (!last || find.start >= last.end) {
      kept.push(find);
      continue;
    }
    const { rank, kind } = find.rank < last.rank ? find : last;
    kept[kept.length - 1] = { kind, rank, start: last.start, end: Math.max(last.end, find.end) };
  }
  return kept;
};

/** Removes what its detectors find. Finds that overlap become one removal, of the kind of the detector listed first. */
export class TextRedactor implements Redactor {
  constructor(private readonly detectors: readonly Detector[] = [findCardData]) {}

  /** What is to be removed, in the order of the text, as UTF-16 offsets in it: none in another. */
  find(text: string): readonly CardDataSpan[] {
    const written = DecodedText.asWritten(text);
    let finds: readonly Find[] = [];
    let left = written;
    for (let round = 0; round < mostRounds; round++) {
      const more = this.detectors.flatMap((find, rank) =>
        find(left.text).map(({ kind, ...span }) => ({ kind, rank, ...left.written(span) })),
      );
      if (more.length === 0) break;
      finds = apart([...finds, ...more]);
      left = written.edited(finds.map(({ kind, start, end }) => ({ start, end, text: replacements[kind] })));
    }
    return finds.map(({ kind, start, end }) => ({ kind, start, end }));
  }

  redact(text: string): RedactedText {
    const redactions: Redaction[] = [];
    const pieces: string[] = [];
    let copied = 0;
    let length = 0;
    const push = (piece: string): void => {
      pieces.push(piece);
      length += piece.length;
    };
    for (const { kind, start, end } of this.find(text)) {
      push(text.slice(copied, start));
      redactions.push({ kind, start: length, end: length + replacements[kind].length });
      push(replacements[kind]);
      copied = end;
    }
    push(text.slice(copied));
    return { text: pieces.join(''), redactions };
  }
}

/** UTF-16 units on both sides of a cut that are looked at. */
const aroundCut = 4_000;

/**
 * Where a text that is to be cut at this UTF-16 offset may be: there, or where the card data begins that the cut would go through. What is left of
 * a number isn't found any more, and fifteen digits give the sixteenth back.
 */
export const cutBeforeCardData = (text: string, at: number): number => {
  const from = Math.max(0, at - aroundCut);
  const cut = new TextRedactor()
    .find(text.slice(from, at + aroundCut))
    .find(({ start, end }) => from + start < at && at < from + end);
  return cut === undefined ? at : from + cut.start;
};

/** How texts of a record are cleaned, by the names of what holds them. What isn't named is free text. */
export interface RecordTexts {
  /** The source's own ids, by which it is asked again, and what is cleaned by itself. */
  readonly asTheyAre: ReadonlySet<string>;
  /** Addresses and telephone numbers: a label in them is chance, and a number of up to 15 digits is a telephone's. */
  readonly contacts: ReadonlySet<string>;
  /** Numbers that a shop gave an order: what is one by its form stays. */
  readonly orderNumbers: ReadonlySet<string>;
}

const numbersOnly = new TextRedactor([(text) => findNumbersAlone(text).map((span) => ({ kind: 'CARD_NUMBER', ...span }))]);

const cleanedContact = (text: string): string => {
  if (text.includes('@') || text.startsWith('+')) return numbersOnly.redact(text).text;
  const cleaned = numbersOnly.redact(`+${text}`).text;
  return cleaned.startsWith('+') ? cleaned.slice(1) : cleaned;
};

/**
 * A source's record with every text in it cleaned, however deep: what a record gets tomorrow is cleaned before anybody thinks of it.
 * Dates and bytes stay as they are.
 */
export const withoutCardData = <T>(record: T, texts: RecordTexts, redactor: Redactor): T => {
  const clean = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') {
      if (texts.asTheyAre.has(name) || (texts.orderNumbers.has(name) && isOrderNumber(value))) return value;
      return texts.contacts.has(name) ? cleanedContact(value) : redactor.redact(value).text;
    }
    if (Array.isArray(value)) return value.map((item) => clean(item, name));
    if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, clean(each, key)]));
  };
  return clean(record, '') as T;
};

/** Whether a card number stands in the text, in any of the forms that redaction knows. */
export const containsCardNumber = (text: string): boolean =>
  findCardData(text).some(({ kind }) => kind === 'CARD_NUMBER' || kind === 'TRACK');
