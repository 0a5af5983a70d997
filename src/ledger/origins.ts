import { parseCheckpoint } from '../audit/checkpoint';
import { parseNote } from '../audit/note';
import type { Change } from '../db/change';
import type { Database } from '../db/database';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { auditOrigins } from './audit-tree.entity';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';

/** A name under which the log was or is signed. */
export interface Origin {
  readonly name: string;
  /** How many leaves there were when it began. */
  readonly beginsAtSize: number;
  readonly previous: string | null;
  /** The signed note of the last checkpoint that the previous name is known by. */
  readonly previousCheckpoint: string | null;
}

const origins = select(auditOrigins.pick('name', 'beginsAtSize', 'previous', 'previousCheckpoint'), sql`FROM ${auditOrigins}`);

/** Every name that the stored log had, the one in use last. */
export const storedOrigins = async (reads: Reads): Promise<readonly Origin[]> => {
  const rows = await reads.read(origins, sql``);
  const next = new Map(rows.map((row) => [row.previous, row]));
  const chain: Origin[] = [];
  for (let row = next.get(null); row && chain.length < rows.length; row = next.get(row.name))
    chain.push({ ...row, previousCheckpoint: row.previousCheckpoint?.toString('utf8') ?? null });
  if (chain.length < rows.length)
    throw new LogBroken('ALTERED', 'The names of the stored log don’t follow one from the other: their table was altered.');
  return chain;
};

const insertOrigin = (change: Change, { previousCheckpoint: known, ...origin }: Origin, createdAt: Date): Promise<void> =>
  change.insert(auditOrigins, {
    ...origin,
    previousCheckpoint: known === null ? null : Buffer.from(known, 'utf8'),
    createdAt,
  });

/** Whether the stored log has a name, which is this one. Throws `LogBroken` where it is another. */
export const hasOrigin = async (reads: Reads, name: string): Promise<boolean> => {
  const current = (await storedOrigins(reads)).at(-1);
  if (current && current.name !== name)
    throw new LogBroken(
      'OTHER_ORIGIN',
      `The stored log is signed under the name ${current.name}, and audit.origin says another.`,
      'Set audit.origin back, or begin the new name with "counterfoil audit fork".',
    );
  return current !== undefined;
};

/** Gives an empty log its name, once. Throws `LogBroken` where the stored log has another. */
export const claimOrigin = (database: Database, name: string, at: Date): Promise<void> =>
  database.system('sequencer', 'log.begin', async (change) => {
    if (await hasOrigin(change, name)) return;
    const size = await treeSize(change);
    await insertOrigin(change, { name, beginsAtSize: size, previous: null, previousCheckpoint: null }, at);
    change.record('log.begin', { subject: { type: 'LogOrigin', id: name }, detail: { origin: name, size } });
  });

/**
 * Goes on under a new name, from what is stored now: after a restore, when what was signed under the old name is longer. The
 * event says what the old name was last known by and how many leaves are missing. `anchored` is the signed note of its last
 * anchored checkpoint, which the caller has verified; null where there is none. Throws `LogBroken`.
 */
export const forkOrigin = (
  database: Database,
  name: string,
  anchored: string | null,
  at: Date,
): Promise<{ readonly previous: string; readonly size: number; readonly missing: number }> =>
  database.system('sequencer', 'log.fork', async (change) => {
    const stored = await storedOrigins(change);
    const previous = stored.at(-1);
    if (!previous || stored.some((origin) => origin.name === name))
      throw new LogBroken(
        'OTHER_ORIGIN',
        previous ? 'The stored log has had this name already.' : 'There is no stored log to go on from.',
        'Set audit.origin to a name that was never used, and run this again.',
      );
    const size = await treeSize(change);
    const known = anchored === null ? null : parseCheckpoint(parseNote(anchored).text);
    const missing = Math.max(0, (known?.size ?? 0) - size);
    await insertOrigin(change, { name, beginsAtSize: size, previous: previous.name, previousCheckpoint: anchored }, at);
    change.record('log.fork', {
      subject: { type: 'LogOrigin', id: name },
      detail: {
        origin: name,
        size,
        previous: previous.name,
        anchored: known ? { size: known.size, root: known.root.toString('base64') } : null,
        missing,
      },
    });
    return { previous: previous.name, size, missing };
  });
