import { findCardNumbers, type Span } from './card-numbers';

export const redactionKinds = ['CARD_NUMBER'] as const;
export type RedactionKind = (typeof redactionKinds)[number];

/** What stands in the text instead. Without digits, and no separator of any detector, so that it never becomes part of a find. */
const replacements: Readonly<Record<RedactionKind, string>> = { CARD_NUMBER: '[card number removed]' };

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

/** Finds one kind of thing. Pure, and in time linear in the text: the text is written by strangers. */
export interface Detector {
  readonly kind: RedactionKind;
  find(text: string): readonly Span[];
}

export const cardNumbers: Detector = { kind: 'CARD_NUMBER', find: (text) => findCardNumbers(text) };

/** Removes what its detectors find. Finds that overlap become one removal, of the kind of the detector listed first. */
export class TextRedactor implements Redactor {
  constructor(private readonly detectors: readonly Detector[] = [cardNumbers]) {}

  redact(text: string): RedactedText {
    const found = this.detectors.flatMap(({ kind, find }, rank) =>
      find(text).map(({ start, end }) => ({ kind, rank, start, end })),
    );
    if (found.length === 0) return { text, redactions: [] };
    found.sort((a, b) => a.start - b.start || b.end - a.end);

    const merged: typeof found = [];
    for (const span of found) {
      const last = merged.at(-1);
      if (!last || span.start >= last.end) {
        merged.push({ ...span });
        continue;
      }
      last.end = Math.max(last.end, span.end);
      if (span.rank < last.rank) [last.rank, last.kind] = [span.rank, span.kind];
    }

    const pieces: string[] = [];
    const redactions: Redaction[] = [];
    let copied = 0;
    let length = 0;
    for (const { kind, start, end } of merged) {
      const before = text.slice(copied, start);
      const replacement = replacements[kind];
      pieces.push(before, replacement);
      length += before.length + replacement.length;
      redactions.push({ kind, start: length - replacement.length, end: length });
      copied = end;
    }
    pieces.push(text.slice(copied));
    return { text: pieces.join(''), redactions };
  }
}

/** Whether a card number stands in the text, in any of the forms that redaction knows. */
export const containsCardNumber = (text: string): boolean => findCardNumbers(text).length > 0;
