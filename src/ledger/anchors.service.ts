import { openCheckpoint } from '../audit/checkpoint';
import { consistencyPath } from '../audit/merkle';
import { NoteInvalid, type VerifierKey } from '../audit/note';
import { Loop } from '../background/loop';
import type { Database } from '../db/database';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { type Anchor, AnchorUnavailable } from './anchor';
import { FileAnchor } from './anchor.file';
import { auditAnchors } from './audit-tree.entity';
import { type Checkpoints, rewritten, type SignedCheckpoint, truncated } from './checkpoints';
import { LogBroken } from './log-broken';
import { StoredTree } from './stored-tree';
import { type OutsideKeys, trustedKeys } from './trusted-keys';

/** The pause between two looks at whether there is something to anchor, in milliseconds. */
const lookEvery = 5_000;
/** After an anchor failed: the first pause, and the longest, in milliseconds. */
const firstPause = 10_000;
const longestPause = 600_000;
/** An anchor names another size than was expected; somebody else may be anchoring at the same time. */
const mostCorrections = 3;

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
const anchors = select(auditAnchors.pick('anchor'), sql`FROM ${auditAnchors}`);

/** When an anchor that failed is asked again. */
interface Retry {
  failures: number;
  /** Monotonic time before which it isn't asked again. */
  notBefore: number;
}

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

/**
 * Whether what is stored continues what anchors took, as far as that can be read here: from the database, and from files. A file
 * that can't be read is reported. Throws `LogBroken`.
 */
export const expectAnchored = async (
  database: Reads,
  checkpoints: Checkpoints,
  files: readonly FileAnchor[],
  { outside, onFault }: { readonly outside: OutsideKeys; readonly onFault: (error: unknown) => void },
): Promise<void> => {
  const { keys } = await trustedKeys(database, outside);
  for (const anchored of await latestAnchored(database, checkpoints.origin))
    await expectContinued(database, checkpoints, keys, anchored);
  for (const file of files) {
    try {
      const kept = await file.latest(checkpoints.origin);
      if (kept) await expectContinued(database, checkpoints, keys, { anchor: file.name, note: kept.note });
    } catch (error) {
      if (error instanceof LogBroken) throw error;
      onFault(error);
    }
  }
};

/** Brings checkpoints to the places outside their owner's reach, and finds out there whether the stored log went back. */
export class Anchors {
  private readonly retries = new Map<string, Retry>();
  private loop: Loop | undefined;

  constructor(
    private readonly database: Database,
    private readonly checkpoints: Checkpoints,
    private readonly anchors: readonly Anchor[],
    private readonly options: {
      /** By these keys, and those that the log vouches for from there on, what anchors have is believed. */
      readonly outside: OutsideKeys;
      readonly clock: () => Date;
      /** An anchor is out of reach, or (`LogBroken`) has another history. */
      readonly onFault: (error: unknown) => void;
    },
  ) {}

  /**
   * Before anything is signed: whether an anchor has a checkpoint that what is stored doesn't reach or doesn't have. An anchor
   * out of reach is reported, and the log goes on. Throws `LogBroken`.
   */
  async confirm(): Promise<void> {
    const { database, checkpoints, options } = this;
    const files = this.anchors.filter((anchor) => anchor instanceof FileAnchor);
    await expectAnchored(database, checkpoints, files, options);
    for (const anchor of this.anchors) {
      if (anchor instanceof FileAnchor) continue;
      try {
        const latest = await checkpoints.latest();
        // Nothing to ask about, unless it knows more: a checkpoint over nothing can't be submitted.
        if (latest) await this.bring(anchor, latest);
      } catch (error) {
        if (error instanceof LogBroken) throw error;
        options.onFault(error);
      }
    }
  }

  /** Looks now and then, until `stop`. `onBroken` is told of a history that isn't ours; nothing is anchored after that. */
  start(onBroken: (error: LogBroken) => void): void {
    if (this.anchors.length === 0) return;
    this.loop = new Loop({
      turn: () => this.turn(),
      every: lookEvery,
      onFault: (error) => {
        if (error instanceof LogBroken) {
          void this.stop();
          onBroken(error);
        }
        this.options.onFault(error);
      },
    });
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop?.stop();
  }

  /** Brings the latest checkpoint to every anchor that doesn't have it and isn't to be left alone yet. Throws `LogBroken`. */
  async turn(): Promise<void> {
    const latest = await this.checkpoints.latest();
    if (!latest) return;
    const taken = new Map(
      (await latestAnchored(this.database, this.checkpoints.origin)).map(({ anchor, size }) => [anchor, size]),
    );
    for (const anchor of this.anchors) {
      const retry = this.retries.get(anchor.name) ?? { failures: 0, notBefore: 0 };
      this.retries.set(anchor.name, retry);
      if (taken.get(anchor.name) === latest.size || performance.now() < retry.notBefore) continue;
      try {
        await this.bring(anchor, latest);
        retry.failures = 0;
        retry.notBefore = 0;
      } catch (error) {
        if (!(error instanceof AnchorUnavailable)) throw error;
        retry.notBefore = performance.now() + Math.min(longestPause, firstPause * 2 ** retry.failures);
        retry.failures += 1;
        this.options.onFault(error);
      }
    }
  }

  private async bring(anchor: Anchor, checkpoint: SignedCheckpoint): Promise<void> {
    const mine = (await latestAnchored(this.database, this.checkpoints.origin)).find((each) => each.anchor === anchor.name);
    let from = Math.min(mine?.size ?? 0, checkpoint.size);
    let latest = checkpoint;
    for (let attempt = 0; attempt < mostCorrections; attempt += 1) {
      const tree = new StoredTree(this.database);
      const path = from === 0 ? [] : await consistencyPath(from, latest.size, tree.nodeAt);
      const answer = await anchor.submit({ from, path, checkpoint: latest });
      if (answer.kind === 'TAKEN') return this.keep(anchor.name, latest, answer.note);
      if (answer.kind === 'CONTRADICTED') throw rewritten(from);
      from = answer.size;
      if (from > latest.size) {
        // Somebody else may have signed and anchored a later one since.
        latest = (await this.checkpoints.latest()) ?? latest;
        if (from > latest.size) throw truncated(from, latest.size);
      }
    }
    throw new AnchorUnavailable(anchor.name, 'malformed');
  }

  private async keep(anchor: string, checkpoint: SignedCheckpoint, note: string): Promise<void> {
    const { origin, size: treeSize } = checkpoint;
    const anchoredAt = this.options.clock();
    await this.database.sequence(async (commit) => {
      const known = await commit.read(
        anchors,
        sql`WHERE ${auditAnchors.anchor} = ${anchor} AND ${auditAnchors.origin} = ${origin} AND ${auditAnchors.treeSize} = ${treeSize}`,
      );
      if (known.length > 0) return;
      await commit.insert(auditAnchors, [{ anchor, origin, treeSize, note: Buffer.from(note, 'utf8'), anchoredAt }]);
    });
  }
}
