import { hashLeaf } from '../audit/event';
import type { Row } from '../db/change';
import type { Database, SequencerCommit } from '../db/database';
import { marks } from '../db/sql';
import { LogBroken } from './log-broken';
import { levelsOf, type Query, storedHashes, TreeBroken, tileHeight, tileWidth } from './stored-tree';

/** Events moved in one transaction, unless one transaction alone has more. */
const batch = 512;

interface PendingRow extends Row {
  readonly event_id: string;
  readonly transaction_id: string;
  readonly leaf: Buffer | null;
  readonly leaf_hash: string | null;
}

const pendingRows =
  'SELECT p.event_id, p.transaction_id, e.leaf, e.leaf_hash FROM audit_pending p LEFT JOIN audit_event e ON e.id = p.event_id';

/** The next events, whole transactions only and each transaction in its own order. */
const nextPending = async (query: Query): Promise<readonly PendingRow[]> => {
  const rows = await query<PendingRow>(`${pendingRows} ORDER BY p.transaction_id, p.ordinal LIMIT ?`, [batch + 1]);
  if (rows.length <= batch) return rows;
  const cut = rows.at(-1)?.transaction_id as string;
  const whole = rows.filter((row) => row.transaction_id !== cut);
  return whole.length > 0 ? whole : query<PendingRow>(`${pendingRows} WHERE p.transaction_id = ? ORDER BY p.ordinal`, [cut]);
};

/** How many leaves the stored tree has. */
export const treeSize = async (query: Query): Promise<number> => {
  const [row] = await query<{ size: number | null }>('SELECT MAX(leaf_index) + 1 AS size FROM audit_leaf');
  return row?.size ?? 0;
};

/** Of every tile that became full between two sizes: its root, level by level. Reads what was just inserted. */
const storeNodes = async (commit: SequencerCommit, from: number, to: number): Promise<void> => {
  let [first, end] = [from, to];
  for (let level = 0; ; level += tileHeight) {
    [first, end] = [Math.floor(first / tileWidth), Math.floor(end / tileWidth)];
    if (first === end) return;
    const hashes = await storedHashes(commit.query, level, first * tileWidth, end * tileWidth);
    if (hashes.length < (end - first) * tileWidth) throw new TreeBroken(level, first * tileWidth + hashes.length);
    const roots = Array.from({ length: end - first }, (_, tile) => {
      const levels = levelsOf(hashes.slice(tile * tileWidth, (tile + 1) * tileWidth));
      return [level + tileHeight, first + tile, levels.at(-1)?.[0]?.toString('hex')];
    });
    await commit.insert('audit_node', ['level', 'node_index', 'hash'], roots);
  }
};

/**
 * Moves committed events from the queue into the tree, in one transaction: places, finished subtrees, and the end of their
 * waiting, or nothing of it. Returns how many. Whoever else does the same at that moment takes the same places, so one of
 * the two starts over and sees what the other did. Throws `LogBroken` for an event that isn't what was recorded.
 */
export const integrate = async (database: Database): Promise<number> => {
  // Asked without a transaction: mostly there is nothing.
  if ((await database.query('SELECT event_id FROM audit_pending LIMIT 1')).length === 0) return 0;
  return database.sequence(async (commit) => {
    const pending = await nextPending(commit.query);
    if (pending.length === 0) return 0;
    for (const { event_id: id, leaf, leaf_hash: hash } of pending) {
      if (leaf === null) throw new LogBroken('MISSING', `Event ${id} waits for its place in the tree and is not stored.`);
      if (hashLeaf(leaf) !== hash) throw new LogBroken('ALTERED', `Event ${id} was altered before it had its place in the tree.`);
    }
    const size = await treeSize(commit.query);
    await commit.insert(
      'audit_leaf',
      ['leaf_index', 'event_id', 'leaf_hash'],
      pending.map(({ event_id: id, leaf_hash: hash }, offset) => [size + offset, id, hash]),
    );
    await storeNodes(commit, size, size + pending.length);
    for (let start = 0; start < pending.length; start += batch) {
      const ids = pending.slice(start, start + batch).map(({ event_id: id }) => id);
      await commit.execute(`DELETE FROM audit_pending WHERE event_id IN (${marks(ids)})`, ids);
    }
    return pending.length;
  });
};
