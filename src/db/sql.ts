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

/**
 * SQL with its values apart from its text: a value becomes a `?`, a list as many as it has; an instant its milliseconds; a
 * table, a column or a part of a statement its text. The same call always makes the same text for as many values.
 */
export const sql = (strings: TemplateStringsArray, ...values: readonly unknown[]): Sql => new Sql(strings, values.map(embedded));
