import { hashLeaf } from '../audit/event';
import { auditEvents, auditPending } from '../db/audit.entity';
import type { Database, SequencerCommit } from '../db/database';
import { nextWaiting, takePlaces, type Waiting } from '../db/order';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { optional, type Selected, select, wholeNumber } from '../db/table';
import { chunks } from '../lanes';
import { auditLeaves, auditNodes } from './audit-tree.entity';
import { LogBroken } from './log-broken';
import type { QueuedEvent, QueueGuard } from './queue-guard';
import { levelsOf, storedHashes, TreeBroken, tileHeight, tileWidth } from './stored-tree';

/** Events moved in one transaction, unless one transaction alone has more. */
const batch = 512;

const p = auditPending.as('p');
const e = auditEvents.as('e');

const pendingRows = select(
  { ...p.pick('eventId', 'transactionId'), leaf: optional(e.leaf), leafHash: optional(e.leafHash), voucher: e.voucher },
  sql`FROM ${p} LEFT JOIN ${e} ON ${e.id} = ${p.eventId}`,
);
type PendingEvent = Selected<typeof pendingRows>;
const anyPending = select(auditPending.pick('eventId'), sql`FROM ${auditPending}`);
const nextIndex = select({ size: optional(wholeNumber(sql`MAX(${auditLeaves.leafIndex}) + 1`)) }, sql`FROM ${auditLeaves}`);

const waiting: Waiting<PendingEvent> = {
  rows: pendingRows,
  id: p.eventId,
  transactionId: p.transactionId,
  ordinal: p.ordinal,
  idOf: ({ eventId }) => eventId,
};

/** How many leaves the stored tree has. */
export const treeSize = async (reads: Reads): Promise<number> => {
  const [row] = await reads.read(nextIndex, sql``);
  return row?.size ?? 0;
};

/** Of every tile that became full between two sizes: its root, level by level. Reads what was just inserted. */
const storeNodes = async (commit: SequencerCommit, from: number, to: number): Promise<void> => {
  let [first, end] = [from, to];
  for (let level = 0; ; level += tileHeight) {
    [first, end] = [Math.floor(first / tileWidth), Math.floor(end / tileWidth)];
    if (first === end) return;
    const hashes = await storedHashes(commit, level, first * tileWidth, end * tileWidth);
    if (hashes.length < (end - first) * tileWidth) throw new TreeBroken(level, first * tileWidth + hashes.length);
    const roots = Array.from({ length: end - first }, (_, tile) => {
      const levels = levelsOf(hashes.slice(tile * tileWidth, (tile + 1) * tileWidth));
      const [root] = levels.at(-1) as [Buffer];
      return { level: level + tileHeight, nodeIndex: first + tile, hash: root.toString('hex') };
    });
    await commit.insert(auditNodes, roots);
  }
};

/** An event as it was recorded. Throws `LogBroken`. */
const asRecorded = ({ eventId, transactionId, leaf, leafHash, voucher }: PendingEvent): QueuedEvent => {
  if (leaf === null || leafHash === null)
    throw new LogBroken('MISSING', `Event ${eventId} waits for its place in the tree and is not stored.`);
  if (hashLeaf(leaf) !== leafHash)
    throw new LogBroken('ALTERED', `Event ${eventId} was altered before it had its place in the tree.`);
  return { eventId, transactionId, leaf, leafHash, voucher };
};

/** The next events that the guard lets into the tree; none where there are none. Throws `LogBroken`. */
const letIn = async (reads: Reads, guard: QueueGuard): Promise<readonly QueuedEvent[]> => {
  for (;;) {
    const pending = await nextWaiting(reads, waiting, batch, guard.apart);
    const allowed = pending.map(asRecorded).filter((event) => guard.lets(event));
    if (allowed.length > 0 || pending.length === 0) return allowed;
  }
};

/**
 * Moves committed events from the queue into the tree, in one transaction: places, finished subtrees, and the end of their
 * waiting, or nothing of it. Returns how many. What the guard doesn't let stays in the queue. Throws `LogBroken` for an event that
 * isn't what was recorded.
 */
export const integrate = (database: Database, guard: QueueGuard): Promise<number> =>
  takePlaces(database, {
    isAnyWaiting: async (reads) => (await reads.read(anyPending, sql`LIMIT 1`)).length > 0,
    next: (reads) => letIn(reads, guard),
    size: treeSize,
    place: async (commit, events, size) => {
      const leaves = events.map(({ eventId, leafHash }, offset) => ({ leafIndex: size + offset, eventId, leafHash }));
      await commit.insert(auditLeaves, leaves);
      await storeNodes(commit, size, size + events.length);
      for (const part of chunks(leaves, batch))
        await commit.remove(auditPending, sql`${auditPending.eventId} IN (${part.map(({ eventId }) => eventId)})`);
      return events.length;
    },
  });
