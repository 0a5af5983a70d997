import { parseWitnessKey } from '../audit/cosignature';
import { distinctKeys, verifierKeyOf } from '../audit/note';
import type { Database } from '../db/database';
import type { Anchor } from './anchor';
import { FileAnchor } from './anchor.file';
import { WitnessAnchor } from './anchor.witness';
import { Anchors } from './anchors.service';
import { signersOf } from './checkpoints';
import { LogBroken } from './log-broken';
import { Sequencer, type SequencerOptions } from './sequencer';
import { signingKeyText } from './signing-key-file';
import { TailWatch } from './tail-watch';

export type AnchorPlace =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'witness'; readonly name: string; readonly url: string; readonly key: string };

export interface SigningLogOptions extends Pick<SequencerOptions, 'origin' | 'keys' | 'clock' | 'onFault' | 'onCheckpoint'> {
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
    private readonly watch: TailWatch,
  ) {}

  /** Throws `LogBroken` where the stored log isn't the one that was signed or anchored. */
  static async open(database: Database, options: SigningLogOptions): Promise<SigningLog> {
    const { origin, keys = [], clock, onFault, onCheckpoint } = options;
    const text = signingKeyText(options.signingKey);
    const signers = signersOf(origin, text);
    const sequencer = new Sequencer(database, {
      origin,
      signers,
      keys,
      anchored: options.anchors.length > 0,
      clock,
      onFault,
      ...(onCheckpoint ? { onCheckpoint } : {}),
    });
    const anchors = new Anchors(database, sequencer.checkpoints, options.anchors.map(anchorOf), {
      outside: (name) => distinctKeys([...signersOf(name, text).map(verifierKeyOf), ...keys.filter((key) => key.name === name)]),
      clock,
      onFault,
    });
    await sequencer.open();
    await anchors.confirm();
    const watch = new TailWatch(database, sequencer.checkpoints, {
      keys: sequencer.keys,
      reads: false,
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
