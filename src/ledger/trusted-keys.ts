import { openCheckpoint } from '../audit/checkpoint';
import { inclusionPath, leafHash, verifyInclusion } from '../audit/merkle';
import { formatVerifierKey, NoteInvalid, parseVerifierKey, type VerifierKey } from '../audit/note';
import { auditEvents } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { auditCheckpoints, auditLeaves } from './audit-tree.entity';
import { storedOrigins } from './origins';
import { StoredTree, TreeBroken } from './stored-tree';

/** Public keys under a name of the log that come from outside it: from the configuration, or from whoever asks. */
export type OutsideKeys = (origin: string) => readonly VerifierKey[];

const l = auditLeaves.as('l');
const e = auditEvents.as('e');
const c = auditCheckpoints;

/** Keys change now and then; more events than this are somebody's attempt. */
const mostNamed = 1_000;

const namedKeys = select({ ...l.pick('leafIndex'), leaf: e.leaf }, sql`FROM ${e} JOIN ${l} ON ${l.eventId} = ${e.id}`);
const heads = select(c.pick('treeSize', 'note'), sql`FROM ${c}`);

interface NamedKey {
  readonly key: VerifierKey;
  readonly leafIndex: number;
  readonly hash: Buffer;
}

/** The key that a leaf names; null where it is another event, or names none. */
const keyIn = (leaf: Buffer): VerifierKey | null => {
  try {
    const { action, detail } = JSON.parse(leaf.toString('utf8')) as { action?: unknown; detail?: { key?: unknown } };
    return action === 'log.key' ? parseVerifierKey(String(detail?.key)) : null;
  } catch (error) {
    if (error instanceof NoteInvalid || error instanceof SyntaxError) return null;
    throw error;
  }
};

const namedIn = async (reads: Reads): Promise<readonly NamedKey[]> => {
  const rows = await reads.read(
    namedKeys,
    sql`WHERE ${e.subjectType} = 'LogKey' AND ${e.action} = 'log.key' ORDER BY ${l.leafIndex} LIMIT ${mostNamed}`,
  );
  return rows.flatMap(({ leafIndex, leaf }) => {
    const key = keyIn(leaf);
    return key === null ? [] : [{ key, leafIndex, hash: leafHash(leaf) }];
  });
};

/** A checkpoint that a trusted key signed covers the event, and the event has the place under its root that is stored. */
const isVouchedFor = async (
  reads: Reads,
  tree: StoredTree,
  { leafIndex, hash }: NamedKey,
  trusted: readonly VerifierKey[],
): Promise<boolean> => {
  for (const origin of new Set(trusted.map(({ name }) => name))) {
    const covering = sql`WHERE ${c.origin} = ${origin} AND ${c.treeSize} > ${leafIndex}`;
    // While keys change both sign: the first one that covers the event. Otherwise the latest, which the key of today signed.
    const found = [
      ...(await reads.read(heads, sql`${covering} ORDER BY ${c.treeSize} LIMIT 1`)),
      ...(await reads.read(heads, sql`${covering} ORDER BY ${c.treeSize} DESC LIMIT 1`)),
    ];
    for (const { note, treeSize } of found) {
      try {
        const head = openCheckpoint(note, trusted);
        if (head.origin !== origin || head.size !== treeSize) continue;
        const path = await inclusionPath(head.size, leafIndex, tree.nodeAt);
        if (verifyInclusion(head.size, leafIndex, hash, path, head.root)) return true;
      } catch (error) {
        // What isn't signed or stored as it should be vouches for nothing.
        if (!(error instanceof NoteInvalid || error instanceof TreeBroken)) throw error;
      }
    }
  }
  return false;
};

/**
 * The keys by which the stored log is believed, under all its names: those from outside it, and those that its events name
 * where a checkpoint by a key that was trusted before covers the event. What the log says of its own keys counts for nothing by
 * itself: whoever can write the database can write that too. `untrusted`: how many others it names.
 */
export const trustedKeys = async (
  reads: Reads,
  outside: OutsideKeys,
): Promise<{ readonly keys: readonly VerifierKey[]; readonly untrusted: number }> => {
  const origins = await storedOrigins(reads);
  const trusted = new Map(origins.flatMap(({ name }) => outside(name)).map((key) => [formatVerifierKey(key), key]));
  let waiting = (await namedIn(reads)).filter(({ key }) => !trusted.has(formatVerifierKey(key)));
  const tree = new StoredTree(reads);
  for (let before = -1; trusted.size > 0 && waiting.length > 0 && before !== trusted.size; ) {
    before = trusted.size;
    for (const named of waiting)
      if (await isVouchedFor(reads, tree, named, [...trusted.values()])) trusted.set(formatVerifierKey(named.key), named.key);
    waiting = waiting.filter(({ key }) => !trusted.has(formatVerifierKey(key)));
  }
  return {
    keys: [...trusted.values()],
    untrusted: new Set(waiting.map(({ key }) => formatVerifierKey(key))).size,
  };
};
