import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../audit/checkpoint';
import { NoteInvalid, parseNote, type VerifierKey } from '../audit/note';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { type Anchor, AnchorForgot } from './anchor';
import type { FileAnchor, KeptCheckpoint } from './anchor.file';
import { auditAnchors } from './audit-tree.entity';
import { type Checkpoints, rewritten, truncated } from './checkpoints';
import { LogBroken } from './log-broken';
import { StoredTree } from './stored-tree';
import { type OutsideKeys, trustedKeys } from './trusted-keys';

/** A checkpoint that an anchor has. */
export interface AnchoredCheckpoint {
  readonly anchor: string;
  readonly size: number;
  /** With its cosignatures. */
  readonly note: string;
  readonly at: Date;
}

const a = auditAnchors.as('a');
const b = auditAnchors.as('b');
const taken = select(a.pick('anchor', 'treeSize', 'note', 'anchoredAt'), sql`FROM ${a}`);
/** The latest checkpoint that each anchor of this log took, the largest first. */
export const latestAnchored = async (database: Reads, origin: string): Promise<readonly AnchoredCheckpoint[]> => {
  const largest = sql`SELECT MAX(${b.treeSize}) FROM ${b} WHERE ${b.anchor} = ${a.anchor} AND ${b.origin} = ${a.origin}`;
  const rows = await database.read(
    taken,
    sql`WHERE ${a.origin} = ${origin} AND ${a.treeSize} = (${largest}) ORDER BY ${a.treeSize} DESC, ${a.anchor}`,
  );
  return rows.map((row) => ({
    anchor: row.anchor,
    size: row.treeSize,
    note: row.note.toString('utf8'),
    at: row.anchoredAt,
  }));
};

/** The stored log begins with what was anchored. Throws `LogBroken`. */
const expectContinued = async (
  database: Reads,
  checkpoints: Checkpoints,
  keys: readonly VerifierKey[],
  { anchor, note }: { readonly anchor: string; readonly note: string },
): Promise<void> => {
  const anchored = openedAnchored(anchor, note, checkpoints.origin, keys);
  const latest = await checkpoints.latest();
  if (!latest || latest.size < anchored.size) throw truncated(anchored.size, latest?.size ?? 0);
  await checkpoints.continued(new StoredTree(database), anchored, latest.size);
};

const openedAnchored = (anchor: string, note: string, origin: string, keys: readonly VerifierKey[]) => {
  try {
    const opened = openCheckpoint(note, keys);
    if (opened.origin === origin) return opened;
  } catch (error) {
    if (!(error instanceof NoteInvalid)) throw error;
  }
  throw new LogBroken(
    'UNPROVEN_ANCHOR',
    `The checkpoint that the anchor ${anchor} has isn't one that this log's key signed.`,
    'Where keys were rotated, give the old one too (AUDIT_SIGNING_KEY holds several). Otherwise find out who wrote there.',
  );
};

const firstTaken = select(a.pick('note'), sql`FROM ${a}`);

/** What the log has as taken by an anchor, opened with its keys: the first and the latest. Throws `LogBroken`. */
const takenBy = async (
  database: Reads,
  anchor: string,
  origin: string,
  keys: readonly VerifierKey[],
): Promise<{ readonly first: Checkpoint; readonly latest: Checkpoint } | null> => {
  const latest = (await latestAnchored(database, origin)).find((each) => each.anchor === anchor);
  const [first] = await database.read(
    firstTaken,
    sql`WHERE ${a.anchor} = ${anchor} AND ${a.origin} = ${origin} ORDER BY ${a.treeSize} LIMIT 1`,
  );
  if (!latest || !first) return null;
  return {
    first: openedAnchored(anchor, first.note.toString('utf8'), origin, keys),
    latest: openedAnchored(anchor, latest.note, origin, keys),
  };
};

/** A file that the log says took checkpoints has the first and the latest of them. Throws `AnchorForgot` and `AnchorUnavailable`. */
const expectKept = async (
  file: FileAnchor,
  taken: { readonly first: Checkpoint; readonly latest: Checkpoint },
): Promise<void> => {
  const { first, latest } = taken;
  const kept = await file.latest(latest.origin);
  // Another log may share the file, so that its end doesn't say all.
  const hasLatest = kept !== null && kept.checkpoint.size >= latest.size;
  const missing = (await file.missing(hasLatest ? [first] : [first, latest])).at(-1);
  if (missing === undefined) return;
  const has = kept === null ? 'has none of this log' : `has only what is over up to ${kept.checkpoint.size}`;
  throw new AnchorForgot(file.name, missing, missing === latest.size ? has : 'has it no more, whatever came later');
};

/** While it runs: a file hasn't shrunk, and has what it took last. Throws `AnchorForgot` and `AnchorUnavailable`. */
export const expectStillKept = async (file: FileAnchor, { size, note }: AnchoredCheckpoint): Promise<void> => {
  if (await file.hasShrunk()) throw new AnchorForgot(file.name, size, 'is shorter than it was, or gone');
  const [latest] = headIn(note);
  if (!latest) return;
  const kept = await file.latest(latest.origin);
  if (kept === null || kept.checkpoint.size < size) await expectKept(file, { first: latest, latest });
};

/**
 * Whether what is stored continues what anchors took, as far as that can be read here: from the database, and from files; and whether files
 * still have what they took. A file that can't be read is reported. Returns the names of the files that have some of this log. Throws
 * `LogBroken` and `AnchorForgot`.
 */
export const expectAnchored = async (
  database: Reads,
  checkpoints: Checkpoints,
  files: readonly FileAnchor[],
  {
    outside,
    onFault,
    latestIn = (file) => file.latest(checkpoints.origin),
  }: {
    readonly outside: OutsideKeys;
    readonly onFault: (error: unknown) => void;
    /** Where the database is a snapshot, what files had before it was taken. */
    readonly latestIn?: (file: FileAnchor) => Promise<KeptCheckpoint | null>;
  },
): Promise<readonly string[]> => {
  const { keys } = await trustedKeys(database, outside);
  for (const anchored of await latestAnchored(database, checkpoints.origin))
    await expectContinued(database, checkpoints, keys, anchored);
  const having: string[] = [];
  for (const file of files) {
    try {
      const kept = await latestIn(file);
      if (kept) {
        await expectContinued(database, checkpoints, keys, { anchor: file.name, note: kept.note });
        having.push(file.name);
      }
      const taken = await takenBy(database, file.name, checkpoints.origin, keys);
      if (taken) await expectKept(file, taken);
    } catch (error) {
      if (error instanceof LogBroken || error instanceof AnchorForgot) throw error;
      onFault(error);
    }
  }
  return having;
};

/** Rows of one look through a file. */
const takenAtOnce = 100_000;

/** A file has each checkpoint that the log says it took: all of it is read. Throws `AnchorForgot` and `AnchorUnavailable`. */
export const expectAllKept = async (database: Reads, file: FileAnchor, origin: string): Promise<void> => {
  for (let above = 0; ; ) {
    const rows = await database.read(
      taken,
      sql`WHERE ${a.anchor} = ${file.name} AND ${a.origin} = ${origin} AND ${a.treeSize} > ${above} ORDER BY ${a.treeSize} LIMIT ${takenAtOnce}`,
    );
    const last = rows.at(-1);
    if (!last) return;
    above = last.treeSize;
    const missing = await file.missing(rows.flatMap(({ note }) => headIn(note)));
    const largest = missing.at(-1);
    if (largest !== undefined)
      throw new AnchorForgot(
        file.name,
        largest,
        missing.length === 1 ? 'has it no more' : `has neither that one nor ${missing.length - 1} others any more`,
      );
  }
};

/** What a note says; that it is signed is looked at elsewhere. */
const headIn = (note: Buffer | string): readonly Checkpoint[] => {
  try {
    return [parseCheckpoint(parseNote(note).text)];
  } catch (error) {
    if (error instanceof NoteInvalid) return [];
    throw error;
  }
};

/**
 * Asks a witness whether it has what it took, by bringing it that once more, which changes nothing there. Returns how many
 * leaves it says it knows of; null where it took nothing. Throws `AnchorForgot`, `AnchorUnavailable`, and `LogBroken` for another history.
 */
export const askWitness = async (database: Reads, checkpoints: Checkpoints, witness: Anchor): Promise<number | null> => {
  const mine = (await latestAnchored(database, checkpoints.origin)).find(({ anchor }) => anchor === witness.name);
  const checkpoint = mine && (await checkpoints.at(mine.size));
  if (!checkpoint) return null;
  const { size } = checkpoint;
  const answer = await witness.submit({ from: size, path: [], checkpoint });
  if (answer.kind === 'CONTRADICTED') throw rewritten(size);
  if (answer.kind === 'TAKEN') return size;
  if (answer.size < size) throw forgotten(witness.name, size, answer.size);
  return answer.size;
};

/** An anchor that says it has a checkpoint over so many leaves, and took one over more. */
export const forgotten = (anchor: string, taken: number, size: number): AnchorForgot =>
  new AnchorForgot(anchor, taken, size === 0 ? 'has none of this log' : `has only one over ${size}`);
