import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { registeredOperations as o } from './operation.entity';

/** Rows that are read at once. */
const atOnce = 500;

const texts = select(o.pick('text'), sql`FROM ${o}`);
const listed = select(o.pick('id', 'operations', 'registeredAt', 'retiredAt'), sql`FROM ${o}`);
const whole = select(o.pick('id', 'text'), sql`FROM ${o}`);

/** An operation as an operator reads of it. */
type ListedOperation = Selected<typeof listed>;

/** All that were ever registered, those in force first, in the order of their hashes. */
export const listOperations = (reads: Reads): Promise<ListedOperation[]> =>
  reads.read(listed, sql`ORDER BY ${o.retiredAt} IS NOT NULL, ${o.id}`);

/** The text that is registered under a hash, retired or not; null where none ever was. */
export const textOfOperation = async (reads: Reads, id: string): Promise<string | null> => {
  const [row] = await reads.read(texts, sql`WHERE ${o.id} = ${id}`);
  return row?.text ?? null;
};

/** Those in force with their texts, some at a time, in the order of their hashes. */
export async function* operationsInForce(reads: Reads): AsyncGenerator<Selected<typeof whole>> {
  for (let above = ''; ; ) {
    const rows = await reads.read(
      whole,
      sql`WHERE ${o.retiredAt} IS NULL AND ${o.id} > ${above} ORDER BY ${o.id} LIMIT ${atOnce}`,
    );
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < atOnce) return;
    above = last.id;
  }
}
