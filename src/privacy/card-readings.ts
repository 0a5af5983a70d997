import { findNumbers, isCardNumber, isIssued, type NumberFind, type Span } from './card-numbers';
import { readingsOf } from './decoding';
import { FoldedText } from './folded-text';
import { type Kept, keptNumbers } from './kept-numbers';

/** One way to read a text, with the numbers in it that may be cards'. Offsets are those of this reading. */
export interface CardReading {
  readonly folded: FoldedText;
  /** But those of accounts. In the order of the reading; spans may overlap. */
  readonly numbers: readonly NumberFind[];
  /** Whether it stands in what certainly isn't a card, unless something says that it is. */
  isKept(span: Span): boolean;
  isInAccount(span: Span): boolean;
  /** Where that stands in the text as written. */
  written(span: Span): Span;
}

/** Answers for a part of a text whether something kept covers it, or begins before it and reaches into it. */
class Cover {
  private readonly starts: readonly number[];
  /** The furthest end of all that begin so early. */
  private readonly ends: readonly number[];

  constructor(spans: readonly Span[]) {
    const sorted = [...spans].sort((a, b) => a.start - b.start);
    let furthest = 0;
    this.starts = sorted.map(({ start }) => start);
    this.ends = sorted.map(({ end }) => {
      furthest = Math.max(furthest, end);
      return furthest;
    });
  }

  private endFrom(start: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= start) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.ends[low - 1]!;
  }

  covers({ start, end }: Span): boolean {
    return this.endFrom(start) >= end;
  }

  reachesInto({ start }: Span): boolean {
    return this.endFrom(start) > start;
  }
}

/** As spreadsheets write a long number: fifteen digits, of which Luhn's check gives the sixteenth. */
const scientific = /(?<![0-9.,])([1-9])[.,]([0-9]{9,14})e\+?(13|14|15)(?![0-9])/g;

const spreadsheetNumbers = (folded: FoldedText): NumberFind[] => {
  const finds: NumberFind[] = [];
  for (const { 0: whole, 1: first, 2: rest, 3: exponent, index } of folded.text.matchAll(scientific)) {
    const length = Number(exponent) + 1;
    const digits = `${first}${rest}`.padEnd(length, '0');
    if (digits.length !== length || !(length > 15 ? isIssued(digits) : isCardNumber(digits))) continue;
    finds.push({
      start: folded.startOf(index),
      end: folded.endOf(index + whole.length - 1),
      isDoubtful: false,
      isRounded: false,
      isPrinted: true,
    });
  }
  return finds;
};

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** Every way to read a text in which there are figures. What one of them shows to be kept is kept in all. */
export const cardReadingsOf = (text: string): readonly CardReading[] => {
  const readings = readingsOf(text)
    .filter((reading) => /\p{N}/u.test(reading.text))
    .map((reading) => ({ reading, folded: new FoldedText(reading.text) }));
  // Of most texts nobody asks.
  const kept = once(() =>
    readings.flatMap(({ reading, folded }) =>
      keptNumbers(folded).map((each): Kept => ({ isAccount: each.isAccount, ...reading.written(each) })),
    ),
  );
  const all = once(() => new Cover(kept()));
  const accounts = once(() => new Cover(kept().filter(({ isAccount }) => isAccount)));
  return readings.map(({ reading, folded }): CardReading => {
    const isInAccount = (span: Span): boolean => accounts().reachesInto(reading.written(span));
    return {
      folded,
      numbers: [...findNumbers(reading.text), ...spreadsheetNumbers(folded)].filter((find) => !isInAccount(find)),
      isKept: (span) => all().covers(reading.written(span)),
      isInAccount,
      written: (span) => reading.written(span),
    };
  });
};

/** Card numbers in a text whatever is said around them: where a label would be chance. */
export const findNumbersAlone = (text: string): readonly Span[] =>
  cardReadingsOf(text).flatMap(({ numbers, isKept, written }) =>
    numbers.filter((find) => !find.isDoubtful && (find.isPrinted || !isKept(find))).map(written),
  );
