import type { SignedCheckpoint } from './checkpoints';

/** What is brought to an anchor: a checkpoint, and the proof that it continues the one over `from` leaves that the anchor has. */
export interface Submission {
  /** Size of the checkpoint that the anchor is taken to have; 0 for none, and only then it makes what it keeps them in. */
  readonly from: number;
  /** RFC 9162, 2.1.4.1; empty for `from` 0 and for the same size. */
  readonly path: readonly Buffer[];
  readonly checkpoint: SignedCheckpoint;
}

export type AnchorAnswer =
  /** It holds the checkpoint now, as this note. */
  | { readonly kind: 'TAKEN'; readonly note: string }
  /** Its latest checkpoint of this log has another size than `from`. */
  | { readonly kind: 'OTHER_SIZE'; readonly size: number }
  /** It holds a checkpoint that this one doesn't continue. */
  | { readonly kind: 'CONTRADICTED' };

/** The anchor can't be reached, or doesn't do what anchors do. It is tried again. */
export class AnchorUnavailable extends Error {
  constructor(
    readonly anchor: string,
    readonly why: 'timeout' | 'unreachable' | 'refused' | 'malformed' | 'failed',
  ) {
    super(`The anchor ${anchor} took no checkpoint: ${why}.`);
    this.name = 'AnchorUnavailable';
  }
}

/** An anchor has less than it took. What it was for, that nobody can take it back, is gone. */
export class AnchorForgot extends Error {
  readonly code = 'ANCHOR_FORGOT';
  readonly remedy =
    'Bring back what it had (a share that is mounted again, the file that was moved) and find out who took it away. What is lost for good gets a new name among audit.anchors; nothing is written to this one.';

  constructor(
    readonly anchor: string,
    /** What the log has as taken by it, in leaves. */
    readonly taken: number,
    readonly has: string,
  ) {
    super(`The anchor ${anchor} took a checkpoint over ${taken} leaves and ${has}.`);
    this.name = 'AnchorForgot';
  }
}

/** A place where checkpoints are kept from whoever may write the database. */
export interface Anchor {
  readonly name: string;
  /** Throws `AnchorUnavailable`. */
  submit(submission: Submission): Promise<AnchorAnswer>;
}
