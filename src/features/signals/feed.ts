import type { SequencerCommit } from '../../db/database';
import { nextWaiting, type Order, type Waiting } from '../../db/order';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { chunks } from '../../lanes';
import { type DaySummary, summariesOf } from '../../risk/history';
import { dayRow, summed } from './days';
import { riskFeed, riskFeedPending, riskSignalDays } from './signal.entity';
import { s, signalOf, signalRows } from './signals.rows';

/** Signals that get their position in one transaction, unless one transaction alone has more. */
const batch = 512;

const p = riskFeedPending.as('p');
const pendingRows = select(p.pick('signalId', 'transactionId'), sql`FROM ${p}`);
type PendingSignal = Selected<typeof pendingRows>;
const waiting: Waiting<PendingSignal> = {
  rows: pendingRows,
  id: p.signalId,
  transactionId: p.transactionId,
  ordinal: p.ordinal,
  idOf: ({ signalId }) => signalId,
};
const latest = select({ position: optional(wholeNumber(sql`MAX(${riskFeed.position})`)) }, sql`FROM ${riskFeed}`);

/** The latest position of the feed; 0 where there is none. */
export const feedEnd = async (reads: Reads): Promise<number> => {
  const [row] = await reads.read(latest, sql``);
  return row?.position ?? 0;
};

const place = async (commit: SequencerCommit, items: readonly PendingSignal[], size: number): Promise<void> => {
  await commit.insert(
    riskFeed,
    items.map(({ signalId }, offset) => ({ position: size + offset + 1, signalId })),
  );
  const days: DaySummary[] = [];
  for (const part of chunks(items, batch)) {
    const ids = part.map(({ signalId }) => signalId);
    for (const row of await commit.read(signalRows, sql`WHERE ${s.id} IN (${ids})`)) days.push(...summariesOf(signalOf(row)));
    await commit.remove(riskFeedPending, sql`${riskFeedPending.signalId} IN (${ids})`);
  }
  await commit.add(riskSignalDays, summed(days).map(dayRow), {
    key: ['subject', 'value', 'type', 'day', 'country', 'device', 'currency'],
    sums: ['count'],
    largest: ['mostMinorUnits'],
    smallest: ['customerSince'],
  });
};

/** The order of the feed: positions 1, 2, 3 …, and with each the days that it belongs to. */
export const feedOrder: Order<PendingSignal> = {
  isAnyWaiting: async (reads) => (await reads.read(pendingRows, sql`LIMIT 1`)).length > 0,
  next: (reads) => nextWaiting(reads, waiting, batch),
  size: feedEnd,
  place,
};
