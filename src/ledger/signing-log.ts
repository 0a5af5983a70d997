import { signCheckpoint } from '../audit/checkpoint';
import { parseWitnessKey } from '../audit/cosignature';
import { emptyRoot } from '../audit/merkle';
import { distinctKeys, type SignerKey, verifierKeyOf } from '../audit/note';
import type { Database } from '../db/database';
import type { Reads } from '../db/reads';
import type { Anchor } from './anchor';
import { FileAnchor } from './anchor.file';
import { WitnessAnchor } from './anchor.witness';
import { Anchors } from './anchors.service';
import { type Checkpoints, signersOf } from './checkpoints';
import { treeSize } from './integration';
import { LogBroken } from './log-broken';
import { Mark, type MarkPlace } from './mark';
import { expectMarked, unmarked } from './mark-check';
import { hasOrigin } from './origins';
import { Sequencer, type SequencerOptions } from './sequencer';
import { signingKeyText } from './signing-key-file';
import { TailWatch } from './tail-watch';
import type { OutsideKeys } from './trusted-keys';

export type AnchorPlace =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'witness'; readonly name: string; readonly url: string; readonly key: string };

export interface SigningLogOptions
  extends Pick<SequencerOptions, 'origin' | 'keys' | 'clock' | 'onFault' | 'onClockBack' | 'onCheckpoint'> {
  readonly signingKey: { readonly value: string } | { readonly file: string };
  readonly anchors: readonly AnchorPlace[];
  /** Where the high-water mark is kept; null for a log that is none of a deployment's. */
  readonly mark?: MarkPlace | null;
}

/** Throws `NoteInvalid` for a witness's key that isn't one. */
export const anchorOf = (place: AnchorPlace): Anchor =>
  place.kind === 'file'
    ? new FileAnchor(place.name, place.path)
    : new WitnessAnchor(place.name, place.url, parseWitnessKey(place.key));

const hasNothing = async (database: Reads, checkpoints: Checkpoints): Promise<boolean> =>
  (await treeSize(database)) === 0 && (await checkpoints.latest()) === null;

/** A signed head over no leaves: the mark of a log that begins. */
export const headOfNothing = (origin: string, signers: readonly SignerKey[]) => ({
  size: 0,
  note: signCheckpoint({ origin, size: 0, root: emptyRoot, extensions: [] }, signers),
});

/** Whether there is a mark; the stored log is held against it. In development an empty database begins anew. Throws `LogBroken` and `MarkUnavailable`. */
const expectMark = async (
  database: Database,
  checkpoints: Checkpoints,
  { mark, outside, isNew }: { readonly mark: Mark; readonly outside: OutsideKeys; readonly isNew: boolean },
): Promise<boolean> => {
  // Another name is said before all that follows from it.
  await hasOrigin(database, checkpoints.origin);
  await mark.prove();
  const marked = await mark.read();
  if (marked === null || (isNew && mark.place.isDefault)) return false;
  await expectMarked(database, checkpoints, mark.place, { marked, outside });
  return true;
};

/** What whoever holds the signing key does: the sequencer, and the anchors that hold it to its history. */
export class SigningLog {
  private constructor(
    readonly sequencer: Sequencer,
    readonly anchors: Anchors,
    private readonly watch: TailWatch,
  ) {}

  /** Throws `LogBroken` where the stored log isn't the one that was signed, marked or anchored, `AnchorForgot` and `MarkUnavailable`. */
  static async open(database: Database, options: SigningLogOptions): Promise<SigningLog> {
    const { origin, keys = [], clock, onFault, onClockBack, onCheckpoint } = options;
    const text = signingKeyText(options.signingKey);
    const signers = signersOf(origin, text);
    const mark = options.mark ? new Mark(options.mark) : null;
    const sequencer = new Sequencer(database, {
      origin,
      signers,
      keys,
      mark,
      anchored: options.anchors.length > 0,
      clock,
      onFault,
      ...(onClockBack ? { onClockBack } : {}),
      ...(onCheckpoint ? { onCheckpoint } : {}),
    });
    const outside: OutsideKeys = (name) =>
      distinctKeys([...signersOf(name, text).map(verifierKeyOf), ...keys.filter((key) => key.name === name)]);
    const anchors = new Anchors(database, sequencer.checkpoints, options.anchors.map(anchorOf), {
      outside,
      ...(mark ? { mark: (checkpoint) => mark.cover(checkpoint, sequencer.keys) } : {}),
      clock,
      onFault,
    });
    const isNew = await hasNothing(database, sequencer.checkpoints);
    const isMarked = mark ? await expectMark(database, sequencer.checkpoints, { mark, outside, isNew }) : false;
    await sequencer.open();
    const having = await anchors.confirm();
    if (mark) {
      if (!isMarked && !isNew && !mark.place.isDefault && having.length === 0)
        throw unmarked(await treeSize(database), mark.place.file);
      const latest = await sequencer.checkpoints.latest();
      if (latest) await mark.cover(latest, sequencer.keys);
      // A new log is marked before its first leaf: who finds leaves and no mark has found a fault.
      else if (!isMarked) await mark.replace(headOfNothing(origin, signers));
    }
    const watch = new TailWatch(database, sequencer.checkpoints, {
      keys: sequencer.keys,
      reads: false,
      ...(mark ? { onSeen: (checkpoint) => mark.cover(checkpoint, sequencer.keys) } : {}),
      onFault: (error) => {
        if (error instanceof LogBroken) void Promise.all([sequencer.stop(), anchors.stop()]);
        onFault(error);
      },
    });
    return new SigningLog(sequencer, anchors, watch);
  }

  /** Sequences, signs, anchors, and looks whether what is stored is still what was signed, until `stop`. */
  start(): void {
    this.sequencer.start();
    this.anchors.start(() => void this.sequencer.stop());
    this.watch.start();
  }

  async stop(): Promise<void> {
    await this.watch.stop();
    await this.sequencer.stop();
    await this.anchors.stop();
  }
}
