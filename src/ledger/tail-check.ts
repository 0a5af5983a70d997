import { hashLeaf } from '../audit/event';
import type { VerifierKey } from '../audit/note';
import { auditEvents, auditPending } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { optional, select } from '../db/table';
import { auditLeaves } from './audit-tree.entity';
import { type Checkpoints, type SignedCheckpoint, truncated } from './checkpoints';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';
import { StoredTree, tileWidth } from './stored-tree';

const l = auditLeaves.as('l');
const e = auditEvents.as('e');
const p = auditPending.as('p');
const leaves = select(
  { ...l.pick('leafIndex', 'eventId', 'leafHash'), leaf: optional(e.leaf) },
  sql`FROM ${l} LEFT JOIN ${e} ON ${e.id} = ${l.eventId}`,
);
const placedAndWaiting = select(p.pick('eventId'), sql`FROM ${p} JOIN ${l} ON ${l.eventId} = ${p.eventId}`);

/**
 * Whether the stored log still ends where its latest checkpoint says, before anything is signed that continues it: that
 * checkpoint is one of ours, the tree has its root, and the leaves of the last tile and all since are what they hash to.
 * What lies further back is for `doctor`: this reads the same few hundred rows however long the log is; all of it while its
 * name has no checkpoint. `keys` are from outside the log. Returns that checkpoint; throws `LogBroken`.
 */
export const checkTail = async (
  database: Reads,
  checkpoints: Checkpoints,
  keys: readonly VerifierKey[],
): Promise<SignedCheckpoint | null> => {
  // In this order: another process may be signing, and the tree grows before its head does.
  const latest = await checkpoints.latest();
  const size = await treeSize(database);
  if (latest) {
    const proven = checkpoints.proven(latest, keys);
    if (proven.size > size) throw truncated(proven.size, size);
    await checkpoints.continued(new StoredTree(database), proven, size);
  }
  await checkLeaves(database, Math.max(0, Math.min(latest?.size ?? 0, size) - tileWidth), size);
  const [waiting] = await database.read(placedAndWaiting, sql`LIMIT 1`);
  if (waiting)
    throw new LogBroken(
      'DUPLICATED',
      `Event ${waiting.eventId} waits for a place in the tree, and has one: the queue was altered.`,
    );
  return latest;
};

/** Rows read at once: a leaf has 65,535 bytes at most, and usually some hundred. */
const rowsAtOnce = 500;

/** The leaves in this range are there, and are what their hashes say. Throws `LogBroken` with the first that isn't. */
export const checkLeaves = async (database: Reads, from: number, to: number): Promise<void> => {
  for (let start = from; start < to; start += rowsAtOnce) {
    const end = Math.min(to, start + rowsAtOnce);
    const rows = await database.read(
      leaves,
      sql`WHERE ${l.leafIndex} >= ${start} AND ${l.leafIndex} < ${end} ORDER BY ${l.leafIndex}`,
    );
    rows.forEach(({ leafIndex: index, eventId: id, leafHash: hash, leaf }, offset) => {
      if (index !== start + offset) throw gone(start + offset);
      if (leaf === null)
        throw new LogBroken('MISSING', `Leaf ${start + offset} stands for event ${id}, which isn't stored any more.`);
      if (hashLeaf(leaf) !== hash)
        throw new LogBroken('ALTERED', `Leaf ${start + offset}, event ${id}, isn't what was signed: it was altered.`);
    });
    if (rows.length < end - start) throw gone(start + rows.length);
  }
};

const gone = (index: number): LogBroken => new LogBroken('MISSING', `Leaf ${index} is missing from the stored log.`);
