import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select, type Table, type Values } from '../../db/table';
import { chunks } from '../../lanes';
import type { Signal } from '../../risk/signal';
import { ulid } from '../../ulid';
import { riskFeedPending, riskSignals } from './signal.entity';
import { toldOf } from './signals.rows';

/** Signals of one statement. */
const atOnce = 500;

const named = select(riskSignals.pick('source', 'eventId'), sql`FROM ${riskSignals}`);

/** The transaction of what is told of. */
interface Telling extends Reads, Pick<Change, 'transactionId' | 'at'> {
  insert<E>(into: Table<E>, rows: readonly Values<E>[]): Promise<void>;
}

/** How many signals each has told of. */
const toldBy = new WeakMap<Telling, number>();

/**
 * Stores signals with what they tell of, in the transaction of a change that is permitted: they wait there for their position. One that
 * is stored already is left as it is. Subjects are ids of ours and digests. Returns how many were new.
 */
export const recordSignals = async (change: Telling, signals: readonly Signal[]): Promise<number> => {
  const distinct = [...new Map(signals.map((signal) => [`${signal.source} ${signal.id}`, signal])).values()];
  let stored = 0;
  for (const part of chunks(distinct, atOnce)) {
    const fresh = await unknown(change, part);
    if (fresh.length === 0) continue;
    const from = toldBy.get(change) ?? 0;
    toldBy.set(change, from + fresh.length);
    const rows = fresh.map((signal) => ({ id: `sig_${ulid()}`, ...toldOf(signal, change.at) }));
    await change.insert(riskSignals, rows);
    await change.insert(
      riskFeedPending,
      rows.map(({ id: signalId }, index) => ({ signalId, transactionId: change.transactionId, ordinal: from + index })),
    );
    stored += rows.length;
  }
  return stored;
};

/** Those of these that aren't stored. */
const unknown = async (change: Telling, signals: readonly Signal[]): Promise<readonly Signal[]> => {
  const sources = [...new Set(signals.map(({ source }) => source))];
  const stored = new Set<string>();
  for (const source of sources) {
    const ids = signals.flatMap((signal) => (signal.source === source ? signal.id : []));
    const rows = await change.read(named, sql`WHERE ${riskSignals.source} = ${source} AND ${riskSignals.eventId} IN (${ids})`);
    for (const row of rows) stored.add(`${row.source} ${row.eventId}`);
  }
  return stored.size === 0 ? signals : signals.filter(({ source, id }) => !stored.has(`${source} ${id}`));
};
