import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select, type Table, type Values } from '../../db/table';
import { chunks } from '../../lanes';
import type { Signal } from '../../risk/signal';
import { riskFeedBatches, riskSignals } from './signal.entity';
import { firstSignalId, signalIds } from './signal-ids';
import { signalRow } from './signals.rows';

/** Signals of one statement. */
const atOnce = 500;

const named = select(riskSignals.pick('source', 'eventId'), sql`FROM ${riskSignals}`);

/** By which two signals are one: an id has no blank. */
const nameOf = (source: string, id: string): string => `${source} ${id}`;

/** The transaction of what is told of. */
interface Telling extends Reads, Pick<Change, 'transactionId' | 'at'> {
  insert<E>(into: Table<E>, rows: readonly Values<E>[]): Promise<void>;
}

/** How often each has told of signals. */
const toldBy = new WeakMap<Telling, number>();

/**
 * Stores signals with what they tell of, in the transaction of a change that is permitted: they wait there for their position. One that
 * is stored already is left as it is. Subjects are ids of ours and digests. Returns how many were new.
 */
export const recordSignals = async (change: Telling, signals: readonly Signal[]): Promise<number> =>
  (await recordEach(change, [signals], 'looked up'))[0] as number;

/**
 * The same of several who tell of signals, each of which counts for the first who does: how many were new of each. `as new`: nobody looks
 * whether one is stored. Then the change fails with a duplicate of a key where one is, and is to be made again.
 */
export const recordEach = async (
  change: Telling,
  lists: readonly (readonly Signal[])[],
  how: 'looked up' | 'as new',
): Promise<readonly number[]> => {
  const stored = lists.map(() => 0);
  const distinct = new Map<string, { readonly signal: Signal; readonly list: number }>();
  for (const [list, signals] of lists.entries())
    for (const signal of signals) {
      const name = nameOf(signal.source, signal.id);
      if (!distinct.has(name)) distinct.set(name, { signal, list });
    }
  for (const part of chunks([...distinct.entries()], atOnce)) {
    const known =
      how === 'as new'
        ? null
        : await knownOf(
            change,
            part.map(([, { signal }]) => signal),
          );
    const fresh = known === null || known.size === 0 ? part : part.filter(([name]) => !known.has(name));
    if (fresh.length === 0) continue;
    const signalId = firstSignalId();
    const ids = signalIds(signalId, fresh.length);
    await change.insert(
      riskSignals,
      fresh.map(([, { signal }], index) => signalRow(ids[index] as string, signal, change.at)),
    );
    const ordinal = toldBy.get(change) ?? 0;
    toldBy.set(change, ordinal + 1);
    const { transactionId } = change;
    await change.insert(riskFeedBatches, [{ signalId, transactionId, ordinal, signals: fresh.length }]);
    for (const [, { list }] of fresh) stored[list] = (stored[list] as number) + 1;
  }
  return stored;
};

/** The names of those of these that are stored. */
const knownOf = async (change: Telling, signals: readonly Signal[]): Promise<ReadonlySet<string>> => {
  const known = new Set<string>();
  for (const source of new Set(signals.map((signal) => signal.source))) {
    const ids = signals.flatMap((signal) => (signal.source === source ? signal.id : []));
    const rows = await change.read(named, sql`WHERE ${riskSignals.source} = ${source} AND ${riskSignals.eventId} IN (${ids})`);
    for (const row of rows) known.add(nameOf(row.source, row.eventId));
  }
  return known;
};
