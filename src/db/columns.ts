import type { ColumnOptions } from 'typeorm';
import { Column } from 'typeorm/decorator/columns/Column';
import { PrimaryColumn } from 'typeorm/decorator/columns/PrimaryColumn';
import { cutAtBytes } from '../privacy/graphemes';
import { safeInteger } from './integers';

/**
 * The few column shapes of the schema, the same on both engines. Times are UTC milliseconds in a BIGINT: the two
 * engines' own date types differ in precision and in what the drivers make of them. Enumerations are VARCHAR with a TypeScript union.
 */
export const milliseconds = {
  to: (value: Date | null | undefined) => (value instanceof Date ? value.getTime() : value),
  from: (value: number | null) => (value === null || value === undefined ? null : new Date(safeInteger(value))),
};
export const integer = {
  to: (value: number | null | undefined) => value,
  from: (value: number | null) => (value === null || value === undefined ? null : safeInteger(value)),
};
const flag = {
  to: (value: boolean | null | undefined) => (value === undefined || value === null ? value : Number(value)),
  from: (value: number | null) => (value === null ? null : value === 1),
};
const longestList = 4_000;
const words = {
  /** As many of the words as the column holds. */
  to: (value: readonly string[] | null | undefined) => {
    if (!Array.isArray(value)) return value;
    let length = 1;
    const kept = value.filter((word: string) => {
      length += JSON.stringify(word).length + 1;
      return length <= longestList;
    });
    return JSON.stringify(kept);
  },
  // Most lists are empty.
  from: (value: string | null) => (value === '[]' ? [] : value === null ? null : (JSON.parse(value) as string[])),
};
/** The words that a list of words keeps of these. */
export const keptWords = (list: readonly string[]): readonly string[] => words.from(words.to(list) as string) ?? [];

const allWords = {
  to: (value: readonly string[] | null | undefined) => (Array.isArray(value) ? JSON.stringify(value) : value),
  from: words.from,
};

const items = {
  to: (value: readonly object[] | null | undefined) => (Array.isArray(value) ? JSON.stringify(value) : value),
  // Most lists are empty.
  from: (value: string | null) => (value === '[]' ? [] : value === null ? null : (JSON.parse(value) as object[])),
};

type Options = { name?: string; nullable?: boolean };
const base = (options: Options): ColumnOptions => ({
  nullable: options.nullable ?? false,
  ...(options.name ? { name: options.name } : {}),
});

/** Prefixed ULID, `tkt_01J…`. */
export const Key = (name?: string) => PrimaryColumn({ type: 'varchar', length: 64, ...(name ? { name } : {}) });
/** A count or a position that is, or belongs to, the primary key. */
export const IntegerKey = (name: string) => PrimaryColumn({ type: 'bigint', name, transformer: integer });
export const Text = (length: number, options: Options = {}) => Column({ type: 'varchar', length, ...base(options) });
/** A position in a source, 65,535 characters at most: a busy one remembers thousands of ids. */
export const SourcePosition = (options: Options = {}) => Column({ type: 'text', ...base(options) });
/** A GraphQL document to the letter, 65,535 bytes at most. */
export const DocumentText = (options: Options = {}) => Column({ type: 'text', ...base(options) });
/** A JSON list of short words, never content. */
export const WordList = (options: Options = {}) =>
  Column({ type: 'varchar', length: longestList, transformer: words, ...base(options) });
/** A JSON list of ids of which none may be missing: it is never cut, and MariaDB refuses one that the column can't hold. */
export const IdList = (options: Options = {}) =>
  Column({ type: 'varchar', length: longestList, transformer: allWords, ...base(options) });
/** The same where a table has several: beside a few of 4,000 characters MariaDB has no room in a row. 65,535 bytes at most. */
export const LongIdList = (options: Options = {}) => Column({ type: 'text', transformer: allWords, ...base(options) });
/** A JSON list of small records of numbers and words, never content: 65,535 bytes at most, to which whoever writes it keeps. */
export const ItemList = (options: Options = {}) => Column({ type: 'text', transformer: items, ...base(options) });
export const Instant = (options: Options = {}) => Column({ type: 'bigint', transformer: milliseconds, ...base(options) });
/** A safe integer. */
export const Integer = (options: Options = {}) => Column({ type: 'bigint', transformer: integer, ...base(options) });
export const Flag = (options: Options = {}) => Column({ type: 'smallint', transformer: flag, ...base(options) });
/** A text of ours, deflated: 65,535 bytes at most. */
export const Deflated = (options: Options = {}) => Column({ type: 'blob', ...base(options) });
/** Ciphertext of `privacy/sealing`, or a wrapped key: 65,535 bytes at most. */
export const Sealed = (options: Options = {}) => Column({ type: 'blob', ...base(options) });

/** A text as a sealed column holds it: what is longer is cut between two of its characters, as readers count them, and says so. */
const maximumText = 60_000;
export const bounded = (text: string, bytes = maximumText): string => {
  const kept = cutAtBytes(text, bytes);
  return kept === text ? text : `${kept}\n[cut]`;
};
