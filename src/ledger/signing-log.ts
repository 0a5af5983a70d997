import { parseWitnessKey } from '../audit/cosignature';
import { verifierKeyOf } from '../audit/note';
import type { Database } from '../db/database';
import type { Anchor } from './anchor';
import { FileAnchor } from './anchor.file';
import { WitnessAnchor } from './anchor.witness';
import { Anchors } from './anchors.service';
import { signersOf } from './checkpoints';
import { Sequencer, type SequencerOptions } from './sequencer';
import { signingKeyText } from './signing-key-file';

export type AnchorPlace =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'witness'; readonly name: string; readonly url: string; readonly key: string };

export interface SigningLogOptions extends Pick<SequencerOptions, 'origin' | 'clock' | 'onFault' | 'onCheckpoint'> {
  readonly signingKey: { readonly value: string } | { readonly file: string };
  readonly anchors: readonly AnchorPlace[];
}

/** Throws `NoteInvalid` for a witness's key that isn't one. */
export const anchorOf = (place: AnchorPlace): Anchor =>
  place.kind === 'file'
    ? new FileAnchor(place.name, place.path)
    : new WitnessAnchor(place.name, place.url, parseWitnessKey(place.key));

/** What whoever holds the signing key does: the sequencer, and the anchors that hold it to its history. */
export class SigningLog {
  private constructor(
    readonly sequencer: Sequencer,
    readonly anchors: Anchors,
  ) {}

  /** Throws `LogBroken` where the stored log isn't the one that was signed or anchored. */
  static async open(database: Database, options: SigningLogOptions): Promise<SigningLog> {
    const { origin, clock, onFault, onCheckpoint } = options;
    const signers = signersOf(origin, signingKeyText(options.signingKey));
    const sequencer = new Sequencer(database, {
      origin,
      signers,
      anchored: options.anchors.length > 0,
      clock,
      onFault,
      ...(onCheckpoint ? { onCheckpoint } : {}),
    });
    const anchors = new Anchors(database, sequencer.checkpoints, options.anchors.map(anchorOf), {
      keys: signers.map(verifierKeyOf),
      clock,
      onFault,
    });
    await sequencer.open();
    await anchors.confirm();
    return new SigningLog(sequencer, anchors);
  }

  /** Sequences, signs and anchors until `stop`. */
  start(): void {
    this.sequencer.start();
    this.anchors.start(() => void this.sequencer.stop());
  }

  async stop(): Promise<void> {
    await this.sequencer.stop();
    await this.anchors.stop();
  }
}
