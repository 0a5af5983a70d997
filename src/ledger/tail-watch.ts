import type { VerifierKey } from '../audit/note';
import { Loop } from '../background/loop';
import { isLostConnection } from '../db/engine';
import type { Reads } from '../db/reads';
import type { Checkpoints, SignedCheckpoint } from './checkpoints';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';
import { hasOrigin } from './origins';
import { checkTail } from './tail-check';

/** The pause between two looks, in milliseconds. */
const lookEvery = 5_000;

/** The head that was seen before is stored as it was: the database wasn't put back. Throws `LogBroken`. */
export const expectStillThere = async (checkpoints: Checkpoints, known: SignedCheckpoint | null): Promise<void> => {
  if (known === null) return;
  const stored = await checkpoints.at(known.size);
  if (!stored?.root.equals(known.root))
    throw new LogBroken(
      'TRUNCATED',
      `The checkpoint over ${known.size} leaves that was signed here isn't stored any more: the database was put back.`,
      'If a backup was restored, begin a new name with "counterfoil audit fork". Otherwise keep this database as it is for whoever investigates.',
    );
};

/** Looks now and then whether the stored log still ends as it was signed, by a key from outside it; in whatever only reads it, too. */
export class TailWatch {
  private readonly loop: Loop;
  private known: SignedCheckpoint | null = null;

  constructor(
    private readonly database: Reads,
    private readonly checkpoints: Checkpoints,
    private readonly options: {
      readonly keys: readonly VerifierKey[];
      /** Leaves that no checkpoint covers may be those of a signer's first second; whoever only reads takes none for that. */
      readonly reads: boolean;
      /** The latest checkpoint as it was found to be. */
      readonly onSeen?: (checkpoint: SignedCheckpoint) => Promise<void>;
      /** A look failed. It is tried again, unless it is a `LogBroken`, after which nobody looks any more. */
      readonly onFault: (error: unknown) => void;
    },
  ) {
    this.loop = new Loop({
      turn: () => this.turn(),
      every: lookEvery,
      onFault: (error) => {
        if (error instanceof LogBroken) void this.stop();
        if (!this.loop.isStopped || !isLostConnection(error)) this.options.onFault(error);
      },
    });
  }

  /** Throws `LogBroken` where the stored log isn't the one that was signed. */
  async turn(): Promise<void> {
    const { database, checkpoints, options } = this;
    await hasOrigin(database, checkpoints.origin);
    await expectStillThere(checkpoints, this.known);
    const latest = await checkTail(database, checkpoints, options.keys);
    const leaves = latest === null && options.reads ? await treeSize(database) : 0;
    if (leaves > 0)
      throw new LogBroken(
        'UNSIGNED',
        `${leaves} leaves are stored, and no checkpoint of ${checkpoints.origin} that anybody signed.`,
        'Start whoever signs first; where that has run before, keep this database as it is for whoever investigates.',
      );
    this.known = latest;
    if (latest) await options.onSeen?.(latest);
  }

  /** Looks until `stop`. */
  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }
}
