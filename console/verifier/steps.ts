/* What is given for the proof of one event, and of a checkpoint that somebody kept; and what comes out of it. */

/** `shown`: so it is. `wrong`: so it isn't. `open`: nothing was given that it could be seen by, or an earlier step failed. */
export type StepState = 'shown' | 'wrong' | 'open';

/** What somebody was told of an event, to be held against its leaf. Null where it is told that there is none. */
export interface ToldEvent {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly actor: { readonly id: string; readonly kind: string; readonly roles: readonly string[] } | null;
  readonly ticketId: string | null;
  readonly assistanceId: string | null;
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly leafIndex: number | null;
  readonly leafHash: string | null;
}

/** An inclusion proof (RFC 9162, 2.1.3) as the graph has it, hashes in hexadecimal. */
export interface ToldInclusion {
  readonly leafIndex: number;
  readonly leafHash: string;
  readonly treeSize: number;
  readonly path: readonly string[];
  readonly rootHash: string;
  /** The signed note of this size. */
  readonly note: string | null;
}

/** A checkpoint that an anchor took, and a proof between its size and the one that it is held against. */
export interface ToldAnchor {
  readonly anchor: string;
  readonly anchoredAt: string;
  readonly note: string;
  readonly path: readonly string[] | null;
}

/** Whose keys count. */
export interface TrustedKeys {
  /** The log's public keys that the reader brought along, `name+hash+base64`, one a line. */
  readonly own: string;
  /** Those that whoever serves the log says it has: they count only where the reader has none. */
  readonly offered: readonly string[];
  /** Witnesses' keys of the reader's, one a line. */
  readonly witnesses: string;
}

export interface Inclusion {
  readonly told: ToldEvent;
  /** Lines of an export that has the leaf. */
  readonly exported: Uint8Array;
  readonly proof: ToldInclusion;
  readonly anchors: readonly ToldAnchor[];
  readonly keys: TrustedKeys;
}

/** One node on the way from the leaf to the root: SHA-256(01 ‖ left ‖ right). */
export interface PathNode {
  readonly side: 'left' | 'right';
  readonly sibling: string;
  readonly node: string;
}

/** Who signed a checkpoint, as it says. */
export interface Signer {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly keyId: string;
}

export interface SignatureStep {
  readonly state: StepState;
  readonly why: 'BY_OWN_KEY' | 'BY_OFFERED_KEY' | 'NOT_SIGNED' | 'NO_KEY' | 'NO_CHECKPOINT';
  readonly signers: readonly Signer[];
  /** Those that were held against it. */
  readonly keys: readonly string[];
  /** What is wrong with it, in the verifier's words. */
  readonly says: string | null;
}

export interface ShownAnchor {
  readonly anchor: string;
  readonly anchoredAt: string;
  readonly size: number | null;
  readonly state: StepState;
  readonly why: 'CONTINUED' | 'NOT_CONTINUED' | 'NO_PROOF' | 'NOT_SIGNED' | 'OTHER_LOG';
  /** A witness whose key was given, and when it saw this. */
  readonly witness: { readonly name: string; readonly at: string } | null;
}

export interface InclusionSteps {
  readonly event: {
    readonly state: StepState;
    /** Names of what the leaf has otherwise. */
    readonly differing: readonly string[];
  };
  readonly leaf: {
    readonly state: StepState;
    readonly why: 'CANONICAL' | 'MISSING' | 'NOT_A_LEAF';
    readonly text: string | null;
    readonly bytes: number;
    readonly says: string | null;
  };
  readonly hash: { readonly state: StepState; readonly computed: string | null; readonly told: string };
  readonly path: {
    readonly state: StepState;
    readonly why: 'LEADS' | 'SHAPE' | 'ELSEWHERE' | null;
    readonly index: number;
    readonly size: number;
    readonly nodes: readonly PathNode[];
  };
  readonly root: {
    readonly state: StepState;
    readonly why: 'SIGNED' | 'TOLD_OTHERWISE' | 'OTHER_ROOT' | 'OTHER_SIZE' | 'NOT_A_CHECKPOINT' | 'NO_CHECKPOINT' | null;
    readonly computed: string | null;
    readonly signed: string | null;
  };
  readonly signature: SignatureStep;
  readonly anchors: {
    readonly state: StepState;
    readonly why: 'HELD' | 'NONE' | 'WRONG' | 'NO_WITNESS';
    readonly unanchored: boolean;
    readonly each: readonly ShownAnchor[];
  };
}

export type InclusionStep = keyof InclusionSteps;

export interface ProvenInclusion {
  /** `OFFERED_KEY`: all fits, by a key that is the word of who serves the log. `OPEN`: something wasn't given. */
  readonly verdict: 'PROVEN' | 'OFFERED_KEY' | 'NOT_PROVEN' | 'OPEN';
  /** The first step that is wrong. */
  readonly failedAt: InclusionStep | null;
  readonly steps: InclusionSteps;
  /** How many signatures WebCrypto has checked as well, with the same outcome; null where it can't. */
  readonly checkedTwice: number | null;
}

export interface Continuation {
  readonly kept: string;
  readonly current: string;
  /** Between both sizes (RFC 9162, 2.1.4), in hexadecimal; null where none was given. */
  readonly path: readonly string[] | null;
  readonly keys: TrustedKeys;
}

export interface ProvenContinuation {
  readonly verdict: 'PROVEN' | 'OFFERED_KEY' | 'NOT_PROVEN' | 'OPEN';
  readonly failedAt: 'kept' | 'current' | 'origin' | 'path' | null;
  readonly steps: {
    readonly kept: SignatureStep;
    readonly current: SignatureStep;
    readonly origin: { readonly state: StepState; readonly kept: string | null; readonly current: string | null };
    readonly path: {
      readonly state: StepState;
      readonly why: 'CONTINUED' | 'NOT_CONTINUED' | 'SHORTER' | 'NO_PROOF' | null;
      readonly from: number | null;
      readonly to: number | null;
    };
  };
  readonly checkedTwice: number | null;
}
