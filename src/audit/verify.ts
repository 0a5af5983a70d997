import { citedPlan, planAction, readPlan, widthOf } from './access-plan';
import { partOf, standsInHexAt } from './bytes';
import { type Checkpoint, openCheckpoint, unanchoredExtension } from './checkpoint';
import { CitedPlans } from './cited-plans';
import { type Cosignature, cosignatureOn, type WitnessKey } from './cosignature';
import {
  type AnchoredCheckpoint,
  csvHeader,
  csvRow,
  type ExportedPlan,
  type ExportHeader,
  ExportInvalid,
  type ExportTrailer,
  hashAt,
  hashDigits,
  leafIn,
  type OlderTree,
  parseHeader,
  parseTrailer,
} from './export-format';
import { glanceAtLeaf, type LeafFacts } from './glance';
import { expectExactLeaf, type Leaf, LeafInvalid, readStored, timeOf } from './leaf';
import { Lines, LineTooLong, type ReadBytes } from './lines';
import { coverOf, Frontier, leafHash, verifyConsistency, verifyInclusion } from './merkle';
import { formatNote, NoteInvalid, type NoteSignature, parseNote, type VerifierKey } from './note';
import { Sequence } from './sequence';

/**
 * Checks an export with nothing but public keys and, for freshness, a checkpoint that was kept elsewhere. Nothing of what
 * writes the log is used here: docs/audit.md says what is checked and how to write this again.
 */

export type FindingKind =
  /** The file isn't an export of a known format. */
  | 'FORMAT'
  /** A line is missing, added or in another place. */
  | 'ORDER'
  /** The file ends before its last line. */
  | 'CUT'
  /** A leaf's bytes aren't those of the hash beside them. */
  | 'ALTERED'
  /** Leaves, or the hashes around them, aren't those that were signed. */
  | 'ROOT'
  /** The checkpoint isn't one of this log, signed by a given key. */
  | 'SIGNATURE'
  /** The log doesn't continue a checkpoint that was kept. */
  | 'HISTORY'
  /** Whether the log continues it isn't shown. */
  | 'UNSHOWN'
  /** A row of the CSV file isn't what its leaf says. */
  | 'ROW'
  /** A leaf isn't as its version prescribes. */
  | 'LEAF'
  /** What a disclosure names by its plan isn't shown: its leaf is missing, or isn't what it is named by. */
  | 'PLAN'
  | 'TIME'
  | 'DUPLICATE'
  | 'TRANSACTION';

/** One thing that is wrong. */
export interface Finding {
  readonly kind: FindingKind;
  /** Of the NDJSON file, or of the CSV file for `ROW`; from 1. Null where it is about none in particular. */
  readonly line: number | null;
  /** Index in the tree. */
  readonly leaf: number | null;
  readonly what: string;
  readonly means: string;
}

export interface VerifiedAnchor {
  readonly anchor: string;
  readonly anchoredAt: Date;
  readonly size: number;
  /** By a given witness; null where none of them signed it, and all is the export's word. */
  readonly cosignature: Cosignature | null;
}

export interface Verdict {
  /** Nothing is wrong. What isn't shown, or not anchored, is said beside it. */
  readonly ok: boolean;
  /** The first thing that shows that this isn't the log that was signed; nothing behind it was looked at. */
  readonly problem: Finding | null;
  /** What doesn't fit although the tree holds it, in the order of the log; the first 20 of `flagged`. */
  readonly flags: readonly Finding[];
  readonly flagged: number;
  readonly header: Omit<ExportHeader, 'left'> | null;
  /** Lines of leaves that were checked, and how many of them are only hashes. */
  readonly leaves: number;
  readonly withheld: number;
  /** The checkpoint that the export is complete to. */
  readonly checkpoint: Checkpoint | null;
  /** The checkpoint that was given as kept, where the log continues it: how that was shown. */
  readonly since: { readonly size: number; readonly shownBy: 'leaves' | 'proof' } | null;
  /** Anchors as the export names them, all of them continued by its checkpoint. */
  readonly anchors: readonly VerifiedAnchor[];
  readonly unanchored: boolean;
  readonly timeLeaves: number;
  /** Leaves before the first or after the last time leaf. */
  readonly oneSided: number;
  /** Leaves that say that the log went on under a new name after a restore; the first 20 of `forked`. */
  readonly forks: readonly number[];
  readonly forked: number;
}

export interface VerifyOptions {
  readonly keys: readonly VerifierKey[];
  /** A checkpoint (signed note) that was kept outside the owner's reach. */
  readonly since?: Uint8Array | string | undefined;
  /** Witnesses of which at least one must have cosigned an anchored checkpoint. */
  readonly witnesses?: readonly WitnessKey[] | undefined;
  /** Every leaf is held against each rule of its version, and its bytes against canonical JSON. */
  readonly strict?: boolean | undefined;
  /** The CSV file whose manifest is read. */
  readonly csv?: ReadBytes | undefined;
}

const mostFlags = 20;
const mostForks = 20;
/** A header has at most 53 hashes, a name and what was selected in words. */
const mostHeaderBytes = 1_048_576;
/** So much of a line says what it is. */
const lineStart = 100;

const notAnExport =
  'The file isn’t an export as Counterfoil writes it, or it was changed on its way (an editor, another encoding, other line ends).';
const cutShort = 'The file isn’t complete: a download that broke off, or its end was taken away.';
const missing = 'At least one leaf is missing before it, or the lines were put in another order.';
const outOfPlace = 'A line was added or repeated, or the lines were put in another order.';
const altered = 'The event was changed after its hash was recorded, in the file or in the log’s database.';
const rootMeans = 'Either leaves were changed, added or removed together with their hashes, or the hashes around the range were.';
const notSigned =
  'Nobody vouches for this export: the log’s key is another one (after a change of keys give each with --key), or somebody else made the file.';
const keptUnusable = 'Nothing was compared with it. Give the signed note as it was kept, and the key that signed it.';
const anotherLog =
  'They can’t be compared. A log that goes on under a new name after a restore names its former checkpoint in a log.fork event.';
const unwitnessed =
  'What the export says of anchors is its owner’s word. Ask the witness for the checkpoint that it has, and give it as --since.';
const unfaithful = 'Line 1 isn’t what the export holds.';
const notAsPrescribed = 'The log’s owner signed it, but it isn’t an event as this version writes them.';
const planUnknown =
  'Which fields it showed, and under which verdicts, can’t be said: the plan’s leaf was left out, or never written. Ask for an export that has it.';
const planUnfit = 'The log’s owner signed both, but they don’t belong together: what was shown can’t be read from them.';
const planNotInTree = 'It was changed, or never was in this log: what the disclosures showed that name it isn’t known.';
const rowAltered = 'The CSV file was changed after it was exported; what its manifest says is what the log holds.';

class Wrong extends Error {
  constructor(readonly finding: Finding) {
    super(finding.what);
  }
}

/** `read` gives the NDJSON file. Whatever the file holds comes out as a verdict; only what `read` throws is thrown. */
export const verifyExport = (read: ReadBytes, options: VerifyOptions): Verdict => new Verification(read, options).run();

/** What a glance finds, of a leaf that was parsed. */
const factsOf = (leaf: Leaf): LeafFacts => ({
  action: leaf.action,
  at: timeOf(leaf.at),
  id: partOf(leaf.id),
  ordinal: leaf.ordinal,
  tx: partOf(leaf.tx),
  plan: citedPlan(leaf),
});

class Verification {
  private readonly lines: Lines;
  private readonly rows: Lines | undefined;
  private readonly flags: Finding[] = [];
  private flagged = 0;
  private header: ExportHeader | undefined;
  private leaves = 0;
  private withheld = 0;
  private checkpoint: Checkpoint | undefined;
  private older: Checkpoint | undefined;
  /** The root over the first `older.size` leaves, where the export has them. */
  private olderRoot: Buffer | undefined;
  private since: Verdict['since'] = null;
  private anchors: Verdict['anchors'] = [];
  /** What was found of anchored checkpoints, by what was signed and by whom. */
  private readonly anchored = new Map<string, Pick<VerifiedAnchor, 'size' | 'cosignature'>>();
  private proofs: Map<number, OlderTree[]> | undefined;
  private sequence: Sequence | undefined;
  private readonly forks: number[] = [];
  private forked = 0;
  private readonly plans = new CitedPlans();

  constructor(
    read: ReadBytes,
    private readonly options: VerifyOptions,
  ) {
    this.lines = new Lines(read);
    this.rows = options.csv && new Lines(options.csv);
  }

  run(): Verdict {
    let problem: Finding | null = null;
    try {
      this.verify();
    } catch (error) {
      if (error instanceof Wrong) problem = error.finding;
      else if (error instanceof LineTooLong)
        problem = {
          kind: 'FORMAT',
          line: this.lines.number + 1,
          leaf: null,
          what: `the line is too long to be ${this.header === undefined ? 'the header of an export' : 'a leaf'}`,
          means: notAnExport,
        };
      else throw error;
    }
    const { header } = this;
    return {
      ok: problem === null && this.flagged === 0,
      problem,
      flags: this.flags,
      flagged: this.flagged,
      header: header ? { origin: header.origin, from: header.from, to: header.to, filter: header.filter } : null,
      leaves: this.leaves,
      withheld: this.withheld,
      checkpoint: this.checkpoint ?? null,
      since: this.since,
      anchors: this.anchors,
      unanchored: this.anchors.length === 0 || (this.checkpoint?.extensions.includes(unanchoredExtension) ?? false),
      timeLeaves: this.sequence?.timeLeaves ?? 0,
      oneSided: this.sequence?.oneSided ?? 0,
      forks: this.forks,
      forked: this.forked,
    };
  }

  private verify(): void {
    this.older = this.keptCheckpoint();
    const header = this.readHeader();
    this.header = header;
    this.sequence = new Sequence((oddity) => this.flag({ ...oddity, line: this.lineOf(oddity.leaf) }), header.from > 0);
    const tree = this.restoreLeft(header);
    this.noteOlderRoot(tree);
    if (this.rows) this.expectRow(csvHeader(), null);
    for (let index = header.from; index < header.to; index += 1) {
      tree.append(this.readLeaf(index));
      this.noteOlderRoot(tree);
    }
    this.sequence.finish();
    const trailer = this.readTrailer(header);
    const checkpoint = this.signedCheckpoint(header, trailer);
    this.expectRoot(tree, header, trailer, checkpoint);
    for (const plan of trailer.plans ?? []) this.expectPlan(plan, checkpoint);
    for (const [, leaf] of this.plans.lacking)
      this.flag({
        kind: 'PLAN',
        line: this.lineOf(leaf),
        leaf,
        what: 'it names a plan whose leaf isn’t in this export',
        means: planUnknown,
      });
    if (this.rows?.next() !== undefined) this.wrongRow('there is a row that no leaf is selected for', null);
    this.checkpoint = checkpoint;
    this.since = this.expectContinues(trailer, checkpoint);
    this.anchors = trailer.anchors.map((anchored) => this.expectAnchor(anchored, trailer, checkpoint));
    if (this.options.witnesses?.length && this.anchors.every(({ cosignature }) => cosignature === null))
      this.wrong('UNSHOWN', this.lines.number, null, 'no given witness cosigned a checkpoint in this export', unwitnessed);
    if (header.filter === null && this.withheld > 0)
      this.wrong('FORMAT', 1, null, `it says that nothing was left out, and ${this.withheld} leaves are withheld`, unfaithful);
  }

  /** Of a leaf in the file: the header is line 1. */
  private lineOf(leaf: number): number {
    return leaf - (this.header?.from ?? 0) + 2;
  }

  private wrong(kind: FindingKind, line: number | null, leaf: number | null, what: string, means: string): never {
    throw new Wrong({ kind, line, leaf, what, means });
  }

  private flag(finding: Finding): void {
    this.flagged += 1;
    if (this.flags.length < mostFlags) this.flags.push(finding);
  }

  private keptCheckpoint(): Checkpoint | undefined {
    if (this.options.since === undefined) return undefined;
    try {
      return openCheckpoint(this.options.since, this.options.keys);
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
      return this.wrong('SIGNATURE', null, null, `the checkpoint you kept can’t be used: ${error.message}`, keptUnusable);
    }
  }

  private readHeader(): ExportHeader {
    const line = this.lines.next(mostHeaderBytes);
    if (line === undefined) return this.wrong('CUT', 1, null, 'the file is empty', cutShort);
    if (!this.lines.isEnded) this.endedHere(null);
    try {
      return parseHeader(line);
    } catch (error) {
      if (!(error instanceof ExportInvalid)) throw error;
      return this.wrong('FORMAT', 1, null, error.message, notAnExport);
    }
  }

  private restoreLeft({ from, left }: ExportHeader): Frontier {
    try {
      return Frontier.restore(from, left);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.wrong('FORMAT', 1, null, `left: ${error.message}`, notAnExport);
    }
  }

  /** Checks the line of one leaf and returns its hash. */
  private readLeaf(index: number): Buffer {
    const line = this.lines.next();
    if (line === undefined) return this.wrong('CUT', this.lines.number + 1, index, 'the file ends here', cutShort);
    if (!this.lines.isEnded) this.endedHere(index);
    const digits = hashAt(line, index);
    if (digits < 0) this.wrongPlace(line, index);
    this.leaves += 1;
    const bytes = leafIn(line, digits);
    if (bytes === null) {
      this.withheld += 1;
      this.sequence?.withheld(index);
      return Buffer.from(line.toString('latin1', digits, digits + hashDigits), 'hex');
    }
    if (bytes === undefined) this.wrongLine(index, 'expected index, hash and, unless it is withheld, leaf');
    const computed = leafHash(bytes);
    if (!standsInHexAt(line, digits, computed))
      this.wrong('ALTERED', this.lines.number, index, 'the leaf’s bytes don’t have the hash beside them', altered);
    this.look(index, bytes, computed);
    return computed;
  }

  private wrongPlace(line: Buffer, index: number): never {
    const start = line.toString('latin1', 0, lineStart);
    const found = /^\{"index":(0|[1-9][0-9]{0,15}),/.exec(start)?.[1];
    const { number } = this.lines;
    if (found !== undefined)
      this.wrong(
        'ORDER',
        number,
        index,
        `leaf ${found} stands here, where leaf ${index} belongs`,
        Number(found) > index ? missing : outOfPlace,
      );
    if (start.startsWith('{"trailer":'))
      this.wrong('ORDER', number, index, `the last line stands here, where leaf ${index} belongs`, missing);
    return this.wrongLine(index, `expected leaf ${index}`);
  }

  private wrongLine(index: number | null, what: string): never {
    return this.wrong('FORMAT', this.lines.number, index, what, notAnExport);
  }

  private endedHere(index: number | null): never {
    return this.wrong('CUT', this.lines.number, index, 'the file ends in the middle of this line', cutShort);
  }

  private look(index: number, bytes: Buffer, hash: Buffer): void {
    const { strict } = this.options;
    let facts: LeafFacts | undefined = strict || this.rows ? undefined : glanceAtLeaf(bytes);
    let width: number | null = null;
    if (facts === undefined) {
      let leaf: Leaf | undefined;
      try {
        leaf = readStored(bytes);
        if (this.rows) this.expectRow(csvRow(index, hash, leaf), index);
        if (strict) expectExactLeaf(leaf, bytes);
        facts = factsOf(leaf);
        if (strict && facts.plan !== undefined) width = widthOf(leaf);
      } catch (error) {
        if (!(error instanceof LeafInvalid)) throw error;
        // It has a row, and which one nobody can say.
        if (leaf === undefined) this.rows?.next();
        this.flag({ kind: 'LEAF', line: this.lineOf(index), leaf: index, what: error.message, means: notAsPrescribed });
        return;
      }
    }
    this.sequence?.see(index, facts);
    if (facts.action === 'log.fork') this.seeFork(index);
    if (facts.action === planAction) this.seePlan(index, bytes);
    if (facts.plan !== undefined && !this.plans.cite(facts.plan, index, width))
      this.flag({
        kind: 'PLAN',
        line: this.lineOf(index),
        leaf: index,
        what: 'it doesn’t fit the plan that it names',
        means: planUnfit,
      });
  }

  private seeFork(index: number): void {
    this.forked += 1;
    if (this.forks.length < mostForks) this.forks.push(index);
  }

  private seePlan(index: number, bytes: Buffer): void {
    try {
      const { digest, fields } = readPlan(readStored(bytes));
      if (this.plans.state(digest, fields.length)) return;
      this.flag({
        kind: 'PLAN',
        line: this.lineOf(index),
        leaf: index,
        what: 'a disclosure that names it doesn’t fit it',
        means: planUnfit,
      });
    } catch (error) {
      if (!(error instanceof LeafInvalid)) throw error;
      this.flag({ kind: 'PLAN', line: this.lineOf(index), leaf: index, what: error.message, means: notAsPrescribed });
    }
  }

  /** A plan from outside what is shown: in the tree, what it is named by, and named by some disclosure here. */
  private expectPlan({ index, leaf: text, path }: ExportedPlan, { size, root }: Checkpoint): void {
    const { number } = this.lines;
    const bytes = Buffer.from(text, 'utf8');
    const hash = leafHash(bytes);
    if (!verifyInclusion(size, index, hash, path, root))
      this.wrong('ROOT', number, index, 'the leaf of this plan isn’t in the tree that was signed', planNotInTree);
    let leaf: Leaf;
    try {
      leaf = readStored(bytes);
      if (this.options.strict) expectExactLeaf(leaf, bytes);
      const { digest, fields } = readPlan(leaf);
      if (!this.plans.isOpen(digest))
        this.wrongLine(index, 'expected plans that a disclosure names and no leaf here states, each once');
      if (!this.plans.state(digest, fields.length))
        this.wrong('PLAN', number, index, 'a disclosure that names it doesn’t fit it', planUnfit);
    } catch (error) {
      if (!(error instanceof LeafInvalid)) throw error;
      this.wrong('PLAN', number, index, error.message, notAsPrescribed);
    }
    if (this.rows) this.expectRow(csvRow(index, hash, leaf), index);
  }

  private expectRow(row: Buffer, leaf: number | null): void {
    const found = this.rows?.next();
    if (found === undefined) this.wrongRow('the file ends, and a row belongs here', leaf);
    if (Buffer.compare(found, row.subarray(0, -1)) !== 0)
      this.wrongRow(leaf === null ? 'expected the names of the columns' : 'the row isn’t what its leaf says', leaf);
  }

  private wrongRow(what: string, leaf: number | null): never {
    const rows = this.rows as Lines;
    return this.wrong('ROW', Math.max(1, rows.number), leaf, what, rowAltered);
  }

  /** Where this is the tree that the kept checkpoint is of, its root can be had from the leaves themselves. */
  private noteOlderRoot(tree: Frontier): void {
    if (tree.size === this.older?.size) this.olderRoot = tree.root();
  }

  private readTrailer(header: ExportHeader): ExportTrailer {
    const line = this.lines.next();
    const { number, isEnded } = this.lines;
    if (line === undefined)
      return this.wrong('CUT', number + 1, null, 'the last line, with the checkpoint, isn’t there', cutShort);
    if (line.toString('latin1', 0, 9) === '{"index":')
      this.wrong(
        'ORDER',
        number,
        null,
        `a leaf stands here, beyond the ${header.to - header.from} that line 1 announces`,
        outOfPlace,
      );
    if (!isEnded) this.endedHere(null);
    let trailer: ExportTrailer;
    try {
      trailer = parseTrailer(line, header.format);
    } catch (error) {
      if (!(error instanceof ExportInvalid) && !(error instanceof NoteInvalid)) throw error;
      return this.wrongLine(null, error.message);
    }
    if (this.lines.next() !== undefined)
      this.wrong('ORDER', number + 1, null, 'something follows the last line', 'It belongs to no leaf: it was added.');
    return trailer;
  }

  private signedCheckpoint(header: ExportHeader, trailer: ExportTrailer): Checkpoint {
    const { number } = this.lines;
    const checkpoint = this.opened(trailer.checkpoint, 'the checkpoint');
    if (checkpoint.origin !== header.origin)
      this.wrong('SIGNATURE', number, null, 'the checkpoint is of another log than line 1 names', notSigned);
    if (checkpoint.size < header.to)
      this.wrong(
        'SIGNATURE',
        number,
        null,
        `the checkpoint covers ${checkpoint.size} leaves, fewer than are exported`,
        notSigned,
      );
    return checkpoint;
  }

  private opened(note: string, which: string): Checkpoint {
    try {
      return openCheckpoint(note, this.options.keys);
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
      return this.wrong('SIGNATURE', this.lines.number, null, `${which}: ${error.message}`, notSigned);
    }
  }

  /** Adds what stands right of the range and compares the root with the signed one. */
  private expectRoot(tree: Frontier, { from, to }: ExportHeader, { right }: ExportTrailer, { size, root }: Checkpoint): void {
    const cover = coverOf(to, size);
    if (right.length !== cover.length)
      this.wrong(
        'FORMAT',
        this.lines.number,
        null,
        `right: expected ${cover.length} hashes for the leaves from ${to} to ${size}`,
        notAnExport,
      );
    cover.forEach(({ level }, position) => {
      tree.appendSubtree(level, right[position] as Buffer);
    });
    if (tree.root().equals(root)) return;
    const kept = this.older;
    const range = from === 0 ? `0 to ${size - 1}` : `${from} to ${to - 1}, or the hashes on either side of them,`;
    const where =
      kept === undefined || kept.size === 0 || this.olderRoot === undefined
        ? `One of leaves ${range} isn’t what was signed.`
        : this.olderRoot.equals(kept.root)
          ? `The first ${kept.size} leaves are still those of the checkpoint you kept: what was changed comes after them.`
          : `The first ${kept.size} leaves aren’t those of the checkpoint you kept: what was changed is among them.`;
    this.wrong('ROOT', this.lines.number, null, 'the leaves don’t make up the root that was signed', `${where} ${rootMeans}`);
  }

  /** How `older` is shown to be the beginning of `checkpoint`; undefined where nothing shows it, null where it is shown not to be. */
  private continuation(
    older: Checkpoint,
    checkpoint: Checkpoint,
    trailer: ExportTrailer,
    leavesRoot: Buffer | undefined,
  ): 'leaves' | 'proof' | null | undefined {
    const known = older.size === checkpoint.size ? checkpoint.root : leavesRoot;
    if (known !== undefined) return known.equals(older.root) ? 'leaves' : null;
    if (older.size === 0) return 'leaves';
    const proofs = this.proofsOf(trailer).get(older.size);
    if (proofs === undefined) return undefined;
    return proofs.some(({ size, path }) => verifyConsistency(size, checkpoint.size, older.root, checkpoint.root, path))
      ? 'proof'
      : null;
  }

  private proofsOf({ consistency }: ExportTrailer): ReadonlyMap<number, readonly OlderTree[]> {
    if (this.proofs === undefined) {
      this.proofs = new Map();
      for (const proof of consistency) {
        const known = this.proofs.get(proof.size);
        if (known) known.push(proof);
        else this.proofs.set(proof.size, [proof]);
      }
    }
    return this.proofs;
  }

  private expectContinues(trailer: ExportTrailer, checkpoint: Checkpoint): Verdict['since'] {
    const { older } = this;
    if (older === undefined) return null;
    const { size } = older;
    if (older.origin !== checkpoint.origin)
      this.wrong('HISTORY', null, null, 'the checkpoint you kept is of another log than this export', anotherLog);
    if (size > checkpoint.size)
      this.wrong(
        'HISTORY',
        this.lines.number,
        null,
        `the checkpoint you kept covers ${size} leaves, this export’s only ${checkpoint.size}`,
        'The end of the log was cut off since, or this export was made from an older state of it. Ask for one that reaches further.',
      );
    const shownBy = this.continuation(older, checkpoint, trailer, this.olderRoot);
    if (shownBy === undefined)
      this.wrong(
        'UNSHOWN',
        this.lines.number,
        null,
        `nothing shows whether the log continues the ${size} leaves of the checkpoint you kept`,
        `The export has neither those leaves nor a proof for that size. Ask for one whose range holds leaf ${size}, or with that proof.`,
      );
    if (shownBy === null)
      this.wrong(
        'HISTORY',
        this.lines.number,
        null,
        `the log doesn’t begin with the ${size} leaves of the checkpoint you kept`,
        'Two histories were signed with the same key: the log was rewritten after that checkpoint. Keep both files; they prove it.',
      );
    return { size, shownBy };
  }

  private expectAnchor(anchored: AnchoredCheckpoint, trailer: ExportTrailer, checkpoint: Checkpoint): VerifiedAnchor {
    const { anchor, anchoredAt, checkpoint: note } = anchored;
    const known = this.withoutStrangers(note);
    const found = this.anchored.get(known) ?? this.expectAnchored(note, trailer, checkpoint);
    this.anchored.set(known, found);
    return { anchor, anchoredAt, ...found };
  }

  /** The note with the signatures by given keys only: the others say nothing, and anybody can add some. */
  private withoutStrangers(note: string): string {
    const given: readonly { readonly name: string; readonly keyId: number }[] = [
      ...this.options.keys,
      ...(this.options.witnesses ?? []),
    ];
    const { text, signatures } = parseNote(note);
    const isGiven = (by: NoteSignature) => given.some(({ name, keyId }) => name === by.name && keyId === by.keyId);
    return formatNote({ text, signatures: signatures.filter(isGiven) });
  }

  private expectAnchored(
    note: string,
    trailer: ExportTrailer,
    checkpoint: Checkpoint,
  ): Pick<VerifiedAnchor, 'size' | 'cosignature'> {
    const { number } = this.lines;
    const older = this.opened(note, 'an anchored checkpoint');
    if (older.origin !== checkpoint.origin)
      this.wrong('HISTORY', number, null, 'an anchored checkpoint is of another log', anotherLog);
    if (older.size > checkpoint.size)
      this.wrong(
        'HISTORY',
        number,
        null,
        `an anchor has a checkpoint over ${older.size} leaves, this export’s covers only ${checkpoint.size}`,
        'The end of the log was cut off since, or this export was made from an older state of it.',
      );
    const shownBy = this.continuation(older, checkpoint, trailer, undefined);
    if (shownBy === undefined)
      this.wrong(
        'UNSHOWN',
        number,
        null,
        `no proof ties the anchored checkpoint over ${older.size} leaves to the export’s`,
        notAnExport,
      );
    if (shownBy === null)
      this.wrong(
        'HISTORY',
        number,
        null,
        `the log doesn’t begin with the ${older.size} leaves that were anchored`,
        'It was rewritten after that checkpoint went to the anchor, or the proof was altered.',
      );
    return { size: older.size, cosignature: this.cosignature(note) };
  }

  private cosignature(note: string): Cosignature | null {
    try {
      return this.options.witnesses?.map((key) => cosignatureOn(note, key)).find((each) => each !== null) ?? null;
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
      return this.wrong('SIGNATURE', this.lines.number, null, `an anchored checkpoint: ${error.message}`, notSigned);
    }
  }
}
