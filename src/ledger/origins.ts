import { parseCheckpoint } from '../audit/checkpoint';
import { parseNote } from '../audit/note';
import type { Row } from '../db/change';
import type { Database, GroupCommit } from '../db/database';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';
import type { Query } from './stored-tree';

/** A name under which the log was or is signed. */
export interface Origin {
  readonly name: string;
  /** How many leaves there were when it began. */
  readonly beginsAtSize: number;
  readonly previous: string | null;
  /** The signed note of the last checkpoint that the previous name is known by. */
  readonly previousCheckpoint: string | null;
}

interface OriginRow extends Row {
  readonly name: string;
  readonly begins_at_size: number;
  readonly previous: string | null;
  readonly previous_checkpoint: Buffer | null;
}

/** Every name that the stored log had, the one in use last. */
export const storedOrigins = async (query: Query): Promise<readonly Origin[]> => {
  const rows = await query<OriginRow>('SELECT name, begins_at_size, previous, previous_checkpoint FROM audit_origin');
  const next = new Map(rows.map((row) => [row.previous, row]));
  const chain: Origin[] = [];
  for (let row = next.get(null); row && chain.length < rows.length; row = next.get(row.name))
    chain.push({
      name: row.name,
      beginsAtSize: row.begins_at_size,
      previous: row.previous,
      previousCheckpoint: row.previous_checkpoint?.toString('utf8') ?? null,
    });
  if (chain.length < rows.length)
    throw new LogBroken('ALTERED', 'The names of the stored log don’t follow one from the other: their table was altered.');
  return chain;
};

const insertOrigin = (group: GroupCommit, { name, beginsAtSize, previous, previousCheckpoint }: Origin, at: Date) =>
  group.execute(
    'INSERT INTO audit_origin (name, begins_at_size, previous, previous_checkpoint, created_at) VALUES (?, ?, ?, ?, ?)',
    [name, beginsAtSize, previous, previousCheckpoint === null ? null : Buffer.from(previousCheckpoint, 'utf8'), at.getTime()],
  );

const sequencer = { id: 'system:sequencer', kind: 'system', roles: [] } as const;

/** Whether the stored log has a name, which is this one. Throws `LogBroken` where it is another. */
export const hasOrigin = async (query: Query, name: string): Promise<boolean> => {
  const current = (await storedOrigins(query)).at(-1);
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
  database.appendGroup(async (group) => {
    if (await hasOrigin(group.query, name)) return;
    const size = await treeSize(group.query);
    await insertOrigin(group, { name, beginsAtSize: size, previous: null, previousCheckpoint: null }, at);
    group.append({
      action: 'log.begin',
      actor: sequencer,
      subject: { type: 'LogOrigin', id: name },
      detail: { origin: name, size },
    });
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
  database.appendGroup(async (group) => {
    const origins = await storedOrigins(group.query);
    const previous = origins.at(-1);
    if (!previous || origins.some((origin) => origin.name === name))
      throw new LogBroken(
        'OTHER_ORIGIN',
        previous ? 'The stored log has had this name already.' : 'There is no stored log to go on from.',
        'Set audit.origin to a name that was never used, and run this again.',
      );
    const size = await treeSize(group.query);
    const known = anchored === null ? null : parseCheckpoint(parseNote(anchored).text);
    const missing = Math.max(0, (known?.size ?? 0) - size);
    await insertOrigin(group, { name, beginsAtSize: size, previous: previous.name, previousCheckpoint: anchored }, at);
    group.append({
      action: 'log.fork',
      actor: sequencer,
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
