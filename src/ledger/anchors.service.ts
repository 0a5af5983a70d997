import { consistencyPath } from '../audit/merkle';
import { Loop } from '../background/loop';
import type { Database } from '../db/database';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { type Anchor, AnchorForgot, AnchorUnavailable } from './anchor';
import { FileAnchor } from './anchor.file';
import { expectAnchored, expectStillKept, forgotten, latestAnchored } from './anchored';
import { auditAnchors } from './audit-tree.entity';
import { type Checkpoints, rewritten, type SignedCheckpoint, truncated } from './checkpoints';
import { LogBroken } from './log-broken';
import { StoredTree } from './stored-tree';
import type { OutsideKeys } from './trusted-keys';

/** The pause between two looks at whether there is something to anchor, in milliseconds. */
const lookEvery = 5_000;
/** After an anchor failed: the first pause, and the longest, in milliseconds. */
const firstPause = 10_000;
const longestPause = 600_000;
/** An anchor names another size than was expected; somebody else may be anchoring at the same time. */
const mostCorrections = 3;

const anchors = select(auditAnchors.pick('anchor'), sql`FROM ${auditAnchors}`);

/** When an anchor that failed is asked again. */
interface Retry {
  failures: number;
  /** Monotonic time before which it isn't asked again. */
  notBefore: number;
}

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
      /** Sees to it that a checkpoint is marked before it leaves. */
      readonly mark?: (checkpoint: SignedCheckpoint) => Promise<void>;
      readonly clock: () => Date;
      /** An anchor is out of reach, or (`AnchorForgot`) has less than it took, or (`LogBroken`) another history. */
      readonly onFault: (error: unknown) => void;
    },
  ) {}

  /**
   * Before anything is signed: whether an anchor has a checkpoint that what is stored doesn't reach or doesn't have, or less than it
   * took. An anchor out of reach is reported, and the log goes on. Returns the names of those that have some of this log, and brings
   * nothing to the others. Throws `LogBroken` and `AnchorForgot`.
   */
  async confirm(): Promise<readonly string[]> {
    const { database, checkpoints, options } = this;
    const files = this.anchors.filter((anchor) => anchor instanceof FileAnchor);
    const having = [...(await expectAnchored(database, checkpoints, files, options))];
    for (const anchor of this.anchors) {
      if (anchor instanceof FileAnchor) continue;
      try {
        const latest = await checkpoints.latest();
        // Nothing to ask about, unless it knows more: a checkpoint over nothing can't be submitted.
        if (latest && (await this.bring(anchor, latest, 'what has some'))) having.push(anchor.name);
      } catch (error) {
        if (error instanceof LogBroken || error instanceof AnchorForgot) throw error;
        options.onFault(error);
      }
    }
    return having;
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
    await this.options.mark?.(latest);
    const taken = new Map(
      (await latestAnchored(this.database, this.checkpoints.origin)).map((anchored) => [anchored.anchor, anchored]),
    );
    for (const anchor of this.anchors) {
      const retry = this.retries.get(anchor.name) ?? { failures: 0, notBefore: 0 };
      this.retries.set(anchor.name, retry);
      if (performance.now() < retry.notBefore) continue;
      try {
        const had = taken.get(anchor.name);
        if (had && anchor instanceof FileAnchor) await expectStillKept(anchor, had);
        if (had?.size === latest.size) continue;
        await this.bring(anchor, latest);
        retry.failures = 0;
        retry.notBefore = 0;
      } catch (error) {
        if (!(error instanceof AnchorUnavailable || error instanceof AnchorForgot)) throw error;
        retry.notBefore = performance.now() + Math.min(longestPause, firstPause * 2 ** retry.failures);
        retry.failures += 1;
        this.options.onFault(error);
      }
    }
  }

  /** Whether the anchor has the checkpoint now; `what has some` leaves one that has nothing of this log as it is. */
  private async bring(anchor: Anchor, checkpoint: SignedCheckpoint, to: 'any' | 'what has some' = 'any'): Promise<boolean> {
    const mine = (await latestAnchored(this.database, this.checkpoints.origin)).find((each) => each.anchor === anchor.name);
    // Who has nothing says so where it is asked to have all.
    let from = Math.min(mine?.size ?? (to === 'any' ? 0 : checkpoint.size), checkpoint.size);
    let latest = checkpoint;
    for (let attempt = 0; attempt < mostCorrections; attempt += 1) {
      const tree = new StoredTree(this.database);
      const path = from === 0 ? [] : await consistencyPath(from, latest.size, tree.nodeAt);
      const answer = await anchor.submit({ from, path, checkpoint: latest });
      if (answer.kind === 'TAKEN') {
        await this.keep(anchor.name, latest, answer.note);
        return true;
      }
      if (answer.kind === 'CONTRADICTED') throw rewritten(from);
      if (answer.size < (mine?.size ?? 0)) throw forgotten(anchor.name, mine?.size ?? 0, answer.size);
      if (answer.size === 0 && to === 'what has some') return false;
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
