import type { SequencerCommit } from '../../db/database';
import { nextWaiting, type Order, type Waiting } from '../../db/order';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { chunks } from '../../lanes';
import { type DaySummary, summariesOf } from '../../risk/history';
import { dayRow, summed } from './days';
import { riskFeed, riskFeedBatches, riskFeedPending, riskSignalDays } from './signal.entity';
import { signalIds } from './signal-ids';
import { s, signalOf, signalRows } from './signals.rows';

/** Signals that get their position in one transaction, unless one transaction alone has more. */
const batch = 512;

const b = riskFeedBatches.as('b');
const batchRows = select(b.pick('signalId', 'transactionId', 'signals'), sql`FROM ${b}`);
const batches: Waiting<Selected<typeof batchRows>> = {
  rows: batchRows,
  id: b.signalId,
  transactionId: b.transactionId,
  ordinal: b.ordinal,
  idOf: ({ signalId }) => signalId,
  sizeOf: ({ signals }) => signals,
};
const p = riskFeedPending.as('p');
const pendingRows = select(p.pick('signalId', 'transactionId'), sql`FROM ${p}`);
const pending: Waiting<Selected<typeof pendingRows>> = {
  rows: pendingRows,
  id: p.signalId,
  transactionId: p.transactionId,
  ordinal: p.ordinal,
  idOf: ({ signalId }) => signalId,
};
/** A batch of signals, or, by a row of before, one (null). */
interface PendingSignals {
  readonly signalId: string;
  readonly signals: number | null;
}
const anyWaiting = select(
  {
    count: wholeNumber(
      sql`CASE WHEN EXISTS (SELECT 1 FROM ${riskFeedBatches}) OR EXISTS (SELECT 1 FROM ${riskFeedPending}) THEN 1 ELSE 0 END`,
    ),
  },
  sql`FROM (SELECT 1 AS one) AS o`,
);
const latest = select({ position: optional(wholeNumber(sql`MAX(${riskFeed.position})`)) }, sql`FROM ${riskFeed}`);

/** The latest position of the feed; 0 where there is none. */
export const feedEnd = async (reads: Reads): Promise<number> => {
  const [row] = await reads.read(latest, sql``);
  return row?.position ?? 0;
};

const place = async (commit: SequencerCommit, items: readonly PendingSignals[], size: number): Promise<number> => {
  const all = items.flatMap(({ signalId, signals }) => (signals === null ? signalId : signalIds(signalId, signals)));
  await commit.insert(
    riskFeed,
    all.map((signalId, offset) => ({ position: size + offset + 1, signalId })),
  );
  const days: DaySummary[] = [];
  for (const ids of chunks(all, batch)) {
    for (const row of await commit.read(signalRows, sql`WHERE ${s.id} IN (${ids})`)) days.push(...summariesOf(signalOf(row)));
  }
  for (const part of chunks(items, batch)) {
    const of = (isBatch: boolean) => part.flatMap(({ signalId, signals }) => ((signals !== null) === isBatch ? signalId : []));
    const [told, alone] = [of(true), of(false)];
    if (told.length > 0) await commit.remove(riskFeedBatches, sql`${riskFeedBatches.signalId} IN (${told})`);
    if (alone.length > 0) await commit.remove(riskFeedPending, sql`${riskFeedPending.signalId} IN (${alone})`);
  }
  await commit.add(riskSignalDays, summed(days).map(dayRow), {
    key: ['subject', 'value', 'type', 'day', 'country', 'device', 'currency'],
    sums: ['count'],
    largest: ['mostMinorUnits'],
    smallest: ['customerSince'],
  });
  return all.length;
};

/** The order of the feed: positions 1, 2, 3 …, and with each the days that it belongs to. */
export const feedOrder: Order<PendingSignals> = {
  isAnyWaiting: async (reads) => (await reads.read(anyWaiting, sql``))[0]?.count === 1,
  next: async (reads) => {
    const ofBefore = await nextWaiting(reads, pending, batch);
    return ofBefore.length > 0
      ? ofBefore.map(({ signalId }) => ({ signalId, signals: null }))
      : nextWaiting(reads, batches, batch);
  },
  size: feedEnd,
  place,
};
