import { type Checkpoint, openCheckpoint, parseCheckpoint, unanchoredExtension } from '../../src/audit/checkpoint';
import { cosignatureOn, parseWitnessKey, type WitnessKey } from '../../src/audit/cosignature';
import { hashAt, hashDigits, leafIn } from '../../src/audit/export-format';
import { expectExactLeaf, type Leaf, LeafInvalid, readStored } from '../../src/audit/leaf';
import { leafHash, rootFromInclusion, verifyConsistency } from '../../src/audit/merkle';
import {
  distinctKeys,
  formatVerifierKey,
  NoteInvalid,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
} from '../../src/audit/note';
import { isDigest } from '../../src/audit/shapes';
import { takeChecked } from './crypto';
import type {
  Continuation,
  Inclusion,
  InclusionStep,
  InclusionSteps,
  PathNode,
  ProvenContinuation,
  ProvenInclusion,
  ShownAnchor,
  SignatureStep,
  Signer,
  StepState,
  ToldAnchor,
  ToldEvent,
  ToldInclusion,
  TrustedKeys,
} from './steps';
import { checkAgain, InputInvalid, keysIn } from './verifier';

/**
 * Shows that one event is in the log, step by step, and that a log continues a checkpoint that somebody kept: the checks of
 * `counterfoil audit verify` on a single leaf, for whoever wants to see each of them. What is given may come from anybody: nothing of it is
 * believed, and whatever it holds comes out as a verdict.
 */

const inclusionSteps: readonly InclusionStep[] = ['event', 'leaf', 'hash', 'path', 'root', 'signature', 'anchors'];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (digits: readonly string[]): Uint8Array[] | undefined =>
  digits.every(isDigest) ? digits.map((each) => Buffer.from(each, 'hex')) : undefined;

interface Keys {
  readonly areOwn: boolean;
  readonly keys: readonly VerifierKey[];
  readonly witnesses: readonly WitnessKey[];
}

/** Throws `InputInvalid` for a key of the reader's that isn't one. */
const keysOf = ({ own, offered, witnesses }: TrustedKeys): Keys => {
  const given = distinctKeys(keysIn(own, 'keys', parseVerifierKey));
  const others = offered.flatMap((text) => {
    try {
      return [parseVerifierKey(text)];
    } catch {
      return [];
    }
  });
  const areOwn = given.length > 0;
  return {
    areOwn,
    keys: areOwn ? given : distinctKeys(others),
    witnesses: keysIn(witnesses, 'witnesses', parseWitnessKey),
  };
};

const newline = 0x0a;

/** The leaf's bytes in an export's lines; undefined where none has it. */
const leafOf = (lines: Uint8Array, index: number): Buffer | undefined => {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    const digits = hashAt(line, index);
    if (digits >= 0 && line.length > digits + hashDigits) return leafIn(line, digits) ?? undefined;
    start = end + 1;
  }
  return undefined;
};

const sameList = (a: readonly string[], b: unknown): boolean =>
  Array.isArray(b) && a.length === b.length && a.every((each, at) => each === b[at]);

/** Names of what somebody was told of an event otherwise than its leaf says. */
const differingIn = (told: ToldEvent, leaf: Leaf, proof: ToldInclusion): string[] => {
  const { actor, subject } = told;
  const fits: Readonly<Record<string, boolean>> = {
    id: told.id === leaf.id,
    at: Date.parse(told.at) === Date.parse(leaf.at),
    action: told.action === leaf.action,
    outcome: told.outcome === leaf.outcome,
    actor: actor !== null && actor.id === leaf.actor?.id && actor.kind === leaf.actor.kind,
    roles: actor !== null && sameList(actor.roles, leaf.actor?.roles),
    ticket: told.ticketId === leaf.ticket,
    assistance: told.assistanceId === leaf.assistance,
    subject: subject === null ? leaf.subject === null : subject.type === leaf.subject?.type && subject.id === leaf.subject.id,
    leafIndex: told.leafIndex === proof.leafIndex,
    leafHash: told.leafHash === proof.leafHash,
  };
  return Object.keys(fits).filter((name) => !fits[name]);
};

/** What stands in a note, whoever signed it. */
const readCheckpoint = (note: string): { readonly checkpoint: Checkpoint; readonly signers: readonly Signer[] } | null => {
  try {
    const { text, signatures } = parseNote(note);
    const signers = signatures.map(({ name, keyId }) => ({ name, keyId: keyId.toString(16).padStart(8, '0') }));
    return { checkpoint: parseCheckpoint(text), signers };
  } catch (error) {
    if (error instanceof NoteInvalid) return null;
    throw error;
  }
};

const signatureOn = (note: string | null, { keys, areOwn }: Keys): SignatureStep => {
  const signers = (note === null ? null : readCheckpoint(note))?.signers ?? [];
  const held = { signers, keys: keys.map(formatVerifierKey) };
  if (note === null) return { ...held, state: 'open', why: 'NO_CHECKPOINT', says: null };
  if (keys.length === 0) return { ...held, state: 'open', why: 'NO_KEY', says: null };
  try {
    openCheckpoint(note, keys);
    return { ...held, state: 'shown', why: areOwn ? 'BY_OWN_KEY' : 'BY_OFFERED_KEY', says: null };
  } catch (error) {
    if (!(error instanceof NoteInvalid)) throw error;
    return { ...held, state: 'wrong', why: 'NOT_SIGNED', says: error.message };
  }
};

/** Whether a proof shows that the larger of two trees continues the other. */
const continues = (one: Checkpoint, other: Checkpoint, path: readonly string[]): boolean => {
  const hashes = bytesOf(path);
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one];
  return hashes !== undefined && verifyConsistency(older.size, newer.size, older.root, newer.root, hashes);
};

const witnessOf = (note: string, witnesses: readonly WitnessKey[]): ShownAnchor['witness'] | undefined => {
  for (const key of witnesses) {
    try {
      const found = cosignatureOn(note, key);
      if (found) return { name: found.witness, at: found.at.toISOString() };
    } catch (error) {
      if (error instanceof NoteInvalid) return undefined;
      throw error;
    }
  }
  return null;
};

const anchorOf = (
  { anchor, anchoredAt, note, path }: ToldAnchor,
  against: Checkpoint | null,
  { keys, witnesses }: Keys,
): ShownAnchor => {
  const read = readCheckpoint(note);
  const witness = read === null ? null : witnessOf(note, witnesses);
  const found = { anchor, anchoredAt, size: read?.checkpoint.size ?? null, witness: witness ?? null };
  const signature = signatureOn(note, { keys, areOwn: true, witnesses });
  // A cosignature that isn't over this text is as wrong as the log's own.
  if (read === null || signature.state === 'wrong' || witness === undefined)
    return { ...found, state: 'wrong', why: 'NOT_SIGNED' };
  if (against === null || signature.state === 'open') return { ...found, state: 'open', why: 'NO_PROOF' };
  if (read.checkpoint.origin !== against.origin) return { ...found, state: 'wrong', why: 'OTHER_LOG' };
  if (path === null) return { ...found, state: 'open', why: 'NO_PROOF' };
  return continues(read.checkpoint, against, path)
    ? { ...found, state: 'shown', why: 'CONTINUED' }
    : { ...found, state: 'wrong', why: 'NOT_CONTINUED' };
};

const anchorsOf = (told: readonly ToldAnchor[], against: Checkpoint | null, keys: Keys): InclusionSteps['anchors'] => {
  const each = told.map((anchor) => anchorOf(anchor, against, keys));
  const unanchored = against?.extensions.includes(unanchoredExtension) ?? false;
  const is = (state: StepState, why: InclusionSteps['anchors']['why']) => ({ state, why, unanchored, each });
  if (each.some(({ state }) => state === 'wrong')) return is('wrong', 'WRONG');
  if (keys.witnesses.length > 0 && each.every(({ witness }) => witness === null)) return is('wrong', 'NO_WITNESS');
  return each.some(({ state }) => state === 'shown') ? is('shown', 'HELD') : is('open', 'NONE');
};

const stepsOf = ({ told, exported, proof, anchors }: Inclusion, keys: Keys): InclusionSteps => {
  const bytes = leafOf(exported, proof.leafIndex);
  let leaf: Leaf | null = null;
  let says: string | null = null;
  if (bytes !== undefined)
    try {
      const read = readStored(bytes);
      expectExactLeaf(read, bytes);
      leaf = read;
    } catch (error) {
      if (!(error instanceof LeafInvalid)) throw error;
      says = error.message;
    }
  const differing = leaf === null ? [] : differingIn(told, leaf, proof);
  const computed = bytes === undefined ? null : leafHash(bytes);
  const isHash = computed !== null && hex(computed) === proof.leafHash;

  const signed = proof.note === null ? null : (readCheckpoint(proof.note)?.checkpoint ?? null);
  const nodes: PathNode[] = [];
  const path = bytesOf(proof.path);
  const found =
    isHash && path !== undefined
      ? rootFromInclusion(proof.treeSize, proof.leafIndex, computed, path, (side, sibling, node) =>
          nodes.push({ side, sibling: hex(sibling), node: hex(node) }),
        )
      : undefined;
  const root = found === undefined ? null : hex(found);
  const signedRoot = signed === null ? null : hex(signed.root);
  // Of two hashes that differ from it, neither vouches for the path.
  const leads = root !== null && (root === proof.rootHash || root === signedRoot);
  const pathWhy = !isHash ? null : root === null ? 'SHAPE' : leads ? 'LEADS' : 'ELSEWHERE';

  const rootWhy = !leads
    ? null
    : proof.note === null
      ? 'NO_CHECKPOINT'
      : signed === null
        ? 'NOT_A_CHECKPOINT'
        : signed.size !== proof.treeSize
          ? 'OTHER_SIZE'
          : root !== signedRoot
            ? 'OTHER_ROOT'
            : root !== proof.rootHash
              ? 'TOLD_OTHERWISE'
              : 'SIGNED';
  return {
    event: { state: leaf === null ? 'open' : differing.length === 0 ? 'shown' : 'wrong', differing },
    leaf: {
      state: leaf === null ? 'wrong' : 'shown',
      why: bytes === undefined ? 'MISSING' : leaf === null ? 'NOT_A_LEAF' : 'CANONICAL',
      text: bytes === undefined ? null : bytes.toString('utf8'),
      bytes: bytes?.length ?? 0,
      says,
    },
    hash: {
      state: computed === null ? 'open' : isHash ? 'shown' : 'wrong',
      computed: computed === null ? null : hex(computed),
      told: proof.leafHash,
    },
    path: {
      state: pathWhy === null ? 'open' : pathWhy === 'LEADS' ? 'shown' : 'wrong',
      why: pathWhy,
      index: proof.leafIndex,
      size: proof.treeSize,
      nodes,
    },
    root: {
      state: rootWhy === null || rootWhy === 'NO_CHECKPOINT' ? 'open' : rootWhy === 'SIGNED' ? 'shown' : 'wrong',
      why: rootWhy,
      computed: root,
      signed: signedRoot,
    },
    signature: signatureOn(proof.note, keys),
    anchors: anchorsOf(anchors, signed, keys),
  };
};

/** Each step of the proof that an event is in the log. Throws `InputInvalid` where a key that the reader gave isn't one. */
export const proveInclusion = async (given: Inclusion): Promise<ProvenInclusion> => {
  const keys = keysOf(given.keys);
  takeChecked();
  const steps = stepsOf(given, keys);
  const checkedTwice = await checkAgain(takeChecked());
  const failedAt = inclusionSteps.find((name) => steps[name].state === 'wrong') ?? null;
  // That nobody else holds the log is said beside the verdict: what it proves is something else.
  const isOpen = inclusionSteps.some((name) => name !== 'anchors' && steps[name].state === 'open');
  const verdict = failedAt !== null ? 'NOT_PROVEN' : isOpen ? 'OPEN' : keys.areOwn ? 'PROVEN' : 'OFFERED_KEY';
  return { verdict, failedAt, steps, checkedTwice };
};

/** Which tree a checkpoint is of that somebody kept, as it says. Throws `InputInvalid`. */
export const keptTree = (note: string): { readonly origin: string; readonly size: number } => {
  const read = readCheckpoint(note);
  if (read === null)
    throw new InputInvalid(
      'Expected a checkpoint as it was kept: the name of the log, its size, its root, an empty line and signatures, with each line’s end.',
    );
  return { origin: read.checkpoint.origin, size: read.checkpoint.size };
};

/** Whether the log goes on from a checkpoint that somebody kept. Throws `InputInvalid` where a key that the reader gave isn't one. */
export const proveContinuation = async ({ kept, current, path, keys: given }: Continuation): Promise<ProvenContinuation> => {
  const keys = keysOf(given);
  takeChecked();
  const [older, newer] = [readCheckpoint(kept)?.checkpoint ?? null, readCheckpoint(current)?.checkpoint ?? null];
  const isSameLog = older !== null && newer !== null && older.origin === newer.origin;
  const why = !isSameLog
    ? null
    : older.size > newer.size
      ? 'SHORTER'
      : path === null
        ? 'NO_PROOF'
        : continues(older, newer, path)
          ? 'CONTINUED'
          : 'NOT_CONTINUED';
  const steps: ProvenContinuation['steps'] = {
    kept: signatureOn(kept, keys),
    current: signatureOn(current, keys),
    origin: {
      state: older === null || newer === null ? 'open' : isSameLog ? 'shown' : 'wrong',
      kept: older?.origin ?? null,
      current: newer?.origin ?? null,
    },
    path: {
      state: why === null || why === 'NO_PROOF' ? 'open' : why === 'CONTINUED' ? 'shown' : 'wrong',
      why,
      from: older?.size ?? null,
      to: newer?.size ?? null,
    },
  };
  const checkedTwice = await checkAgain(takeChecked());
  const names = ['kept', 'current', 'origin', 'path'] as const;
  const failedAt = names.find((name) => steps[name].state === 'wrong') ?? null;
  const isOpen = names.some((name) => steps[name].state === 'open');
  const verdict = failedAt !== null ? 'NOT_PROVEN' : isOpen ? 'OPEN' : keys.areOwn ? 'PROVEN' : 'OFFERED_KEY';
  return { verdict, failedAt, steps, checkedTwice };
};
