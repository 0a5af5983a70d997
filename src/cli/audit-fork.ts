import '../deferred';
import { readFileSync } from 'node:fs';
import { openCheckpoint } from '../audit/checkpoint';
import { NoteInvalid, verifierKeyOf } from '../audit/note';
import { type AuditProcessConfig, loadAuditConfig } from '../config/load';
import type { Database } from '../db/database';
import { FileAnchor } from '../ledger/anchor.file';
import { latestAnchored } from '../ledger/anchored';
import { Checkpoints, signersOf } from '../ledger/checkpoints';
import { Mark, type Marked } from '../ledger/mark';
import { forkOrigin, type Origin, storedOrigins } from '../ledger/origins';
import { signingKeyText } from '../ledger/signing-key-file';
import { headOfNothing } from '../ledger/signing-log';
import { openAuditDatabase } from './audit-database';
import { CommandFailed } from './report';

export interface ForkFlags {
  readonly checkpoint: string | false | undefined;
  readonly json?: boolean;
}

/** The mark's checkpoint of this name, if it is of this name. The mark of development lies beside the database and goes back with it. */
const markedOf = async (mark: Mark | null, origin: string): Promise<Marked | null> => {
  const marked = mark === null || mark.place.isDefault ? null : await mark.read();
  return marked?.origin === origin ? marked : null;
};

/** The note of the largest checkpoint that is known of the former name, from a file, or from the mark, the file anchors and the database. */
const lastKnown = async (
  flags: ForkFlags,
  { audit }: AuditProcessConfig,
  database: Database,
  { origin, mark }: { readonly origin: string; readonly mark: Mark | null },
): Promise<string | null> => {
  if (flags.checkpoint === false) return null;
  const notes: string[] = [];
  if (flags.checkpoint === undefined) {
    const marked = await markedOf(mark, origin);
    if (marked && marked.size > 0) notes.push(marked.note);
    notes.push(...(await latestAnchored(database, origin)).map(({ note }) => note));
    for (const anchor of audit.anchors) {
      if (anchor.kind !== 'file') continue;
      const kept = await new FileAnchor(anchor.name, anchor.path).latest(origin);
      if (kept) notes.push(kept.note);
    }
  } else {
    try {
      notes.push(readFileSync(flags.checkpoint, 'utf8'));
    } catch {
      throw new CommandFailed('--checkpoint: expected a file that can be read.');
    }
  }
  const signingKey = audit.signingKey === null ? '' : signingKeyText(audit.signingKey);
  const keys = signersOf(origin, signingKey).map(verifierKeyOf);
  const opened = notes.map((note) => {
    try {
      return { note, size: openCheckpoint(note, keys).size };
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
      throw new CommandFailed(`A checkpoint of the former name can't be used: ${error.message}. Give the key that signed it.`);
    }
  });
  const [largest] = opened.sort((a, b) => b.size - a.size);
  if (!largest)
    throw new CommandFailed(
      'No marked or anchored checkpoint of the former name is known here. Get the latest one from where it was anchored and name its file with --checkpoint; or say --no-checkpoint where there never was one.',
    );
  return largest.note;
};

/**
 * The new name begins with a head and a mark: whoever finds leaves and neither has found a fault. Where a fork was cut off before
 * it had both, this is what is left to do.
 */
const beginName = async ({ audit }: AuditProcessConfig, database: Database, mark: Mark | null): Promise<void> => {
  const { origin, signingKey, anchors } = audit;
  if (signingKey === null) return;
  const signers = signersOf(origin, signingKeyText(signingKey));
  const checkpoints = new Checkpoints(database, origin);
  await checkpoints.sign(database, signers, { anchored: anchors.length > 0, at: new Date() });
  await mark?.replace((await checkpoints.latest()) ?? headOfNothing(origin, signers));
};

/**
 * The name is the one that is wanted, and nothing was signed under it since it began. Throws `CommandFailed` where it went on, and only the
 * database says otherwise: that one was put back, and takes a name of its own.
 */
const isHalfForked = async (
  { name, previous, beginsAtSize }: Origin,
  { audit }: AuditProcessConfig,
  database: Database,
  mark: Mark | null,
): Promise<boolean> => {
  if (name !== audit.origin || previous === null) return false;
  const latest = await new Checkpoints(database, name).latest();
  if (latest !== null && latest.size !== beginsAtSize) return false;
  const sizes = [(await markedOf(mark, name))?.size ?? 0];
  for (const anchor of audit.anchors)
    if (anchor.kind === 'file') sizes.push((await new FileAnchor(anchor.name, anchor.path).latest(name))?.checkpoint.size ?? 0);
  const signed = Math.max(...sizes);
  if (signed > beginsAtSize)
    throw new CommandFailed(
      `Under the name ${name} a checkpoint over ${signed} leaves was signed, and the stored log ends at ${beginsAtSize}: it was put back. Set audit.origin to a name that was never used, and run this again.`,
    );
  return true;
};

/** `counterfoil audit fork`. */
export const fork = async (flags: ForkFlags): Promise<void> => {
  const config = loadAuditConfig({ signs: true, marks: true });
  const { origin } = config.audit;
  const mark = config.audit.mark ? new Mark(config.audit.mark) : null;
  const database = await openAuditDatabase(config);
  try {
    const former = (await storedOrigins(database)).at(-1);
    if (!former) throw new CommandFailed('There is no stored log to go on from.');
    await mark?.prove();
    if (await isHalfForked(former, config, database, mark)) {
      await beginName(config, database, mark);
      process.stdout.write(`The log went on as ${origin} already; what was cut off of that is done.\n`);
      return;
    }
    const anchored = await lastKnown(flags, config, database, { origin: former.name, mark });
    const forked = await forkOrigin(database, origin, anchored, new Date());
    await beginName(config, database, mark);
    if (flags.json) {
      process.stdout.write(`${JSON.stringify({ origin, ...forked })}\n`);
      return;
    }
    process.stdout.write(
      `The log goes on as ${origin}, from ${forked.size} leaves of ${forked.previous}; ${forked.missing} leaves that are known of it are missing.\nTell whoever checks it: "counterfoil audit key" prints the public key under the new name.\n`,
    );
  } finally {
    await database.close();
  }
};
