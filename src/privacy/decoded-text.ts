import type { Span } from './card-numbers';

/** What stands in place of a part of a text. */
export interface Edit extends Span {
  readonly text: string;
}

/**
 * A text made from another by edits, one after the other or many times over, that knows for each of its UTF-16 units what of the
 * text as written it came from.
 */
export class DecodedText {
  private constructor(
    readonly text: string,
    /** Offsets in the text as written; null where nothing was changed. */
    private readonly starts: Uint32Array | null,
    private readonly ends: Uint32Array | null,
  ) {}

  static asWritten(text: string): DecodedText {
    return new DecodedText(text, null, null);
  }

  /** UTF-16 offset in the text as written where that begins which became this unit. */
  startOf(unit: number): number {
    return this.starts === null ? unit : this.starts[unit]!;
  }

  /** UTF-16 offset in the text as written after that which became this unit. */
  endOf(unit: number): number {
    return this.ends === null ? unit + 1 : this.ends[unit]!;
  }

  /** Where in the text as written that stands which this part of the text came from. The part isn't empty. */
  written({ start, end }: Span): Span {
    return { start: this.startOf(start), end: this.endOf(end - 1) };
  }

  /** With the edits made, each to a part of this text: in its order, none in another. All units of a replacement came from all of what it replaces. */
  edited(edits: readonly Edit[]): DecodedText {
    if (edits.length === 0) return this;
    const length = edits.reduce((total, { start, end, text }) => total + text.length - (end - start), this.text.length);
    const starts = new Uint32Array(length);
    const ends = new Uint32Array(length);
    const pieces: string[] = [];
    let unit = 0;
    let copied = 0;
    const copy = (to: number): void => {
      for (let from = copied; from < to; from++, unit++) {
        starts[unit] = this.startOf(from);
        ends[unit] = this.endOf(from);
      }
      pieces.push(this.text.slice(copied, to));
    };
    for (const edit of edits) {
      copy(edit.start);
      copied = edit.end;
      if (edit.text === '') continue;
      const { start, end } = this.written(edit);
      starts.fill(start, unit, unit + edit.text.length);
      ends.fill(end, unit, unit + edit.text.length);
      unit += edit.text.length;
      pieces.push(edit.text);
    }
    copy(this.text.length);
    return new DecodedText(pieces.join(''), starts, ends);
  }
}
