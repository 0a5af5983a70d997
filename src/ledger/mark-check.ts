import { openCheckpoint } from '../audit/checkpoint';
import { NoteInvalid } from '../audit/note';
import type { Reads } from '../db/reads';
import { type Checkpoints, truncated } from './checkpoints';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';
import { type Marked, type MarkPlace, otherLog, unproven } from './mark';
import { StoredTree } from './stored-tree';
import { type OutsideKeys, trustedKeys } from './trusted-keys';

/** The stored log reaches what is marked, and begins with it. `marked` was read before the database. Throws `LogBroken`. */
export const expectMarked = async (
  database: Reads,
  checkpoints: Checkpoints,
  { file }: MarkPlace,
  { marked, outside }: { readonly marked: Marked; readonly outside: OutsideKeys },
): Promise<void> => {
  if (marked.origin !== checkpoints.origin) throw otherLog(file, marked.origin);
  // An empty database names no keys; those from outside count for it all the same.
  const known = [...outside(checkpoints.origin), ...(await trustedKeys(database, outside)).keys];
  const keys = [...new Map(known.map((key) => [`${key.name}+${key.keyId}`, key])).values()];
  try {
    openCheckpoint(marked.note, keys);
  } catch (error) {
    if (!(error instanceof NoteInvalid)) throw error;
    throw unproven(file);
  }
  const latest = await checkpoints.latest();
  const size = await treeSize(database);
  if (marked.size > size) throw truncated(marked.size, size);
  if (marked.size > (latest?.size ?? 0))
    throw new LogBroken(
      'TRUNCATED',
      `A checkpoint over ${marked.size} leaves was signed, and the latest one stored is over ${latest?.size ?? 0}: it was taken away.`,
      'If a backup was restored, begin a new name with "counterfoil audit fork". Otherwise keep this database as it is for whoever investigates.',
    );
  await checkpoints.continued(new StoredTree(database), marked, size);
};

export const unmarked = (leaves: number, file: string): LogBroken =>
  new LogBroken(
    'UNMARKED',
    `The stored log has ${leaves} leaves, and nothing outside the database says how many there should be: there is no mark at ${file}, and no anchor of this log to ask.`,
    'Bring back the mark, or a copy of another signer’s; or name an anchor that has this log. A log that never had either goes on under a new name: "counterfoil audit fork".',
  );
