import { join, raw, Sql } from 'sql-template-tag';
import { ProgrammingError } from '../failure';

export { raw, Sql };

/** Something that has a place in a statement: a table, a selection. */
export const spelling = Symbol('spelling');
export interface Spelled {
  readonly [spelling]: Sql;
}

const isSpelled = (value: unknown): value is Spelled => typeof value === 'object' && value !== null && spelling in value;

const embedded = (value: unknown): unknown => {
  if (value instanceof Sql || value === null) return value;
  if (value === undefined) throw new ProgrammingError('A statement was given no value where it has a place for one.');
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'boolean') return Number(value);
  if (Array.isArray(value)) return joined(value);
  return isSpelled(value) ? value[spelling] : value;
};

/** Parts one after the other, for `IN (…)`, a list of columns, or conditions. Refuses an empty list: `IN ()` means nothing. */
export const joined = (parts: readonly unknown[], separator = ','): Sql => {
  if (parts.length === 0) throw new ProgrammingError('A statement was given an empty list.');
  return join(parts.map(embedded), separator);
};

/** Lengths that a list of ids is filled up to: those of usual pages, and few others. */
const lengths = [1, 2, 3, 5, 10, 20, 35, 50, 75, 100];
const largestLength = 100;

/**
 * Ids for `IN (…)`, filled up by the last of them to one of a few lengths: lists of nearly any length share a few texts, which a server
 * keeps prepared.
 */
export const padded = (ids: readonly string[]): Sql => {
  const length = lengths.find((each) => each >= ids.length) ?? Math.ceil(ids.length / largestLength) * largestLength;
  return joined([...ids, ...new Array<unknown>(length - ids.length).fill(ids.at(-1))]);
};

/**
 * SQL with its values apart from its text: a value becomes a `?`, a list as many as it has; an instant its milliseconds; a
 * table, a column or a part of a statement its text. The same call always makes the same text for as many values.
 */
export const sql = (strings: TemplateStringsArray, ...values: readonly unknown[]): Sql => new Sql(strings, values.map(embedded));
