import { openCheckpoint, parseCheckpoint } from '../audit/checkpoint';
import { hashLeaf } from '../audit/event';
import { type Leaf, LeafInvalid, readLeaf } from '../audit/leaf';
import { Frontier } from '../audit/merkle';
import { NoteInvalid, parseNote, type VerifierKey } from '../audit/note';
import { auditEvents, auditPending } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { Column, type Selected, type Selection, select, wholeNumber } from '../db/table';
import type { EventVouchers } from '../privacy/event-vouchers';
import { auditAnchors, auditCheckpoints, auditLeaves, auditNodes } from './audit-tree.entity';
import { Checkpoints, type SignedCheckpoint } from './checkpoints';
import { treeSize } from './integration';
import { storedOrigins } from './origins';
import { rowsWithoutLeaf } from './rows-without-leaf';
import type { PlacedLeaf, SideRows } from './side-rows';
import { tileHeight } from './stored-tree';
import { type Subject, SubjectRows } from './subjects';
import { type OutsideKeys, trustedKeys } from './trusted-keys';
import { VouchedLeaves } from './vouching';

/** One place where the stored log isn't what it should be. */
export interface ScrubFinding {
  readonly what: 'LEAF' | 'COLUMNS' | 'ROWS' | 'ORDER' | 'TREE' | 'CHECKPOINT' | 'ANCHOR' | 'QUEUE' | 'SUBJECT';
  /** Index in the tree; null where it is about none. */
  readonly leaf: number | null;
  readonly message: string;
}

export interface ScrubReport {
  readonly leaves: number;
  readonly checkpoints: number;
  readonly anchored: number;
  /** The first ones, at most `mostFindings`. */
  readonly findings: readonly ScrubFinding[];
  readonly found: number;
  /** Index of the first leaf of which something differs; null where all agree. */
  readonly first: number | null;
}

const mostFindings = 50;
const leavesAtOnce = 1_000;

const l = auditLeaves.as('l');
const e = auditEvents.as('e');
const p = auditPending.as('p');

/** A column of an event as it is stored, whatever stands there: what was altered must not end the search. */
const stored = <T>(column: Column<T>): Column<T | null> => new Column<T | null>(column, null);

const placedEvents = select(
  {
    ...l.pick('leafIndex', 'eventId'),
    placedHash: l.leafHash,
    // An embedded database keeps any type in any column.
    leaf: new Column<Buffer | null>(e.leaf, (value) =>
      value === null || Buffer.isBuffer(value) ? value : Buffer.from(String(value)),
    ),
    leafHash: stored(e.leafHash),
    transactionId: stored(e.transactionId),
    ordinal: stored(e.ordinal),
    at: new Column<number | null>(e.at, null),
    action: stored(e.action),
    outcome: stored(e.outcome),
    ...e.pick('ticketId', 'assistanceId', 'subjectType', 'subjectId'),
    actorId: stored(e.actorId),
    voucher: stored(e.voucher),
  },
  sql`FROM ${l} LEFT JOIN ${e} ON ${e.id} = ${l.eventId}`,
);
type PlacedEvent = Selected<typeof placedEvents>;

const signedHeads = select(auditCheckpoints.pick('treeSize', 'rootHash', 'note'), sql`FROM ${auditCheckpoints}`);
const anchoredHeads = select(auditAnchors.pick('treeSize', 'note', 'anchor'), sql`FROM ${auditAnchors}`);
type StoredHead = Selected<typeof signedHeads> | Selected<typeof anchoredHeads>;

const storedNodes = select(auditNodes.pick('nodeIndex', 'hash'), sql`FROM ${auditNodes}`);

const n = wholeNumber(sql`COUNT(*)`);
const placedTwice = select({ n }, sql`FROM ${p} JOIN ${l} ON ${l.eventId} = ${p.eventId}`);
const waitingForNothing = select({ n }, sql`FROM ${p} LEFT JOIN ${e} ON ${e.id} = ${p.eventId} WHERE ${e.id} IS NULL`);

interface Head {
  readonly size: number;
  readonly root: string;
  readonly what: 'CHECKPOINT' | 'ANCHOR';
  readonly name: string;
}

/** What is looked at beside the log itself, as far as there are the keys for it. */
export interface ScrubbedBeside {
  /** What holds the rows beside each leaf against it; without customers' keys that isn't possible. */
  readonly rows?: SideRows;
  readonly subjects?: readonly Subject<unknown>[];
  /** What vouches for the installation's events. */
  readonly vouchers?: EventVouchers;
}

export interface ScrubOptions extends ScrubbedBeside {
  /** Told how many leaves it has read since it was last told. */
  readonly onLeaves?: (count: number) => void;
}

/** Reads the whole stored log once, as `Scrub` does. Keys are trusted from `outside` on (`trustedKeys`). */
export const scrub = async (
  database: Reads,
  outside: OutsideKeys,
  { onLeaves = () => {}, ...beside }: ScrubOptions = {},
): Promise<ScrubReport> => {
  const scrubbing = new Scrub(database, outside, beside);
  for await (const count of scrubbing.leaves(leavesAtOnce)) onLeaves(count);
  for await (const _ of scrubbing.rest(leavesAtOnce));
  return scrubbing.report;
};

/**
 * One pass through the stored log, in its order: all that is derived from a leaf is compared with it. Its hash, the columns and the
 * rows beside it that queries go by, the stored nodes, every checkpoint and every anchored one; then the queue, and what is
 * stored without having a leaf. A few hashes in memory, besides the leaves that are read at once. The log may grow meanwhile.
 */
export class Scrub {
  private readonly held: SubjectRows;
  private readonly types: ReadonlySet<string>;
  private readonly vouched: VouchedLeaves | null;
  private readonly findings: ScrubFinding[] = [];
  private found = 0;
  private first: number | null = null;
  private stored = 0;
  private readonly frontier = new Frontier();
  private nodes: { level: number; index: number; hash: string }[] = [];
  private previous: { transaction: string; ordinal: number } | null = null;
  private heads: Head[] = [];
  private origins: readonly { readonly origin: string; readonly keys: readonly VerifierKey[] }[] | undefined;
  private isWithoutKey = false;
  private checkpoints = 0;
  private anchored = 0;
  /** Where it reads on, and the index that is to come next: they differ where leaves are missing. */
  private position = 0;
  private next = 0;
  /** Leaves about something that has rows of its own. */
  private aboutSubjects = 0;

  constructor(
    private readonly database: Reads,
    private readonly outside: OutsideKeys,
    private readonly beside: ScrubbedBeside = {},
  ) {
    const { subjects = [], vouchers } = beside;
    this.vouched = vouchers ? new VouchedLeaves(vouchers) : null;
    this.held = new SubjectRows(database, subjects);
    this.types = new Set(subjects.map(({ type }) => type));
  }

  /** What it has read and found so far. */
  get report(): ScrubReport {
    return {
      leaves: this.frontier.size,
      checkpoints: this.checkpoints,
      anchored: this.anchored,
      findings: this.findings,
      found: this.found,
      first: this.first,
    };
  }

  /** How many leaves the log had when it was last asked, as its last index says. */
  get size(): number {
    return this.stored;
  }

  /** How many leaves are about something that has rows of its own, as far as those say that were read: as many such things, at most. */
  get subjectLeaves(): number {
    const read = this.frontier.size;
    return read === 0 ? 0 : Math.ceil((this.aboutSubjects / read) * Math.max(read, this.stored));
  }

  /** It has read what there was when it was last asked. */
  get isAtEnd(): boolean {
    return this.position >= this.stored;
  }

  /** Reads the leaves that it hasn't read yet, so many at once, up to where the log ends when it begins; says after each step how many. */
  async *leaves(atOnce: number): AsyncGenerator<number> {
    this.stored = await treeSize(this.database);
    while (this.position < this.stored) yield await this.readLeaves(atOnce);
  }

  /** What lies beyond the last leaf, and what is stored without one. In steps. */
  async *rest(atOnce: number): AsyncGenerator<void> {
    await this.readHeads(this.frontier.size, Number.MAX_SAFE_INTEGER);
    // The log may have grown since: what was signed then is stored by now.
    const stored = this.heads.length === 0 ? 0 : await treeSize(this.database);
    for (const { what, name, size } of this.heads)
      if (size > stored) this.find(what, null, `${name} is over ${size} leaves, and ${stored} are stored`);
    this.heads = [];
    await this.compareQueue();
    await this.compareLatest();
    const vouchers = this.vouched?.isStrict ? (this.beside.vouchers ?? null) : null;
    for await (const { what, message } of rowsWithoutLeaf(this.database, atOnce, vouchers)) {
      if (message === null) yield;
      else this.find(what, null, message);
    }
  }

  /**
   * Holds what events are about against them, so many at once, in steps; where a fault ended it, it goes on there. What differs is a
   * fault of the first leaf about it.
   */
  async *subjects(atOnce: number): AsyncGenerator<void> {
    for await (const { findings } of this.held.steps(atOnce)) {
      for (const { kind, fault, id, leaf } of findings) this.find('SUBJECT', leaf, `${kind} ${fault}: ${id}`);
      yield;
    }
  }

  private async readLeaves(atOnce: number): Promise<number> {
    const { leafIndex } = l;
    // By number and not by index: somebody may have put a leaf behind a gap as long as they like.
    const rows = await this.database.read(
      placedEvents,
      sql`WHERE ${leafIndex} >= ${this.position} AND ${leafIndex} < ${this.stored} ORDER BY ${leafIndex} LIMIT ${atOnce}`,
    );
    const leaves = rows.map((row) => ({ row, index: row.leafIndex, leaf: leafOf(row) }));
    const beside = leaves.filter((each): each is typeof each & PlacedLeaf => each.leaf !== null);
    const differences = (await this.beside.rows?.differences(beside)) ?? [];
    await this.readHeads(this.frontier.size, this.frontier.size + rows.length);
    // From here on nothing is waited for: where a read fails, the same leaves are read again.
    const last = rows.at(-1);
    this.position = last ? last.leafIndex + 1 : this.stored;
    for (const { row, index, leaf } of leaves) {
      if (index !== this.next) this.find('LEAF', this.next, `leaves ${this.next} to ${index - 1} are missing`);
      this.next = index + 1;
      if (this.types.has(leaf?.subject?.type ?? '')) this.aboutSubjects += 1;
      this.compareLeaf(row, index, leaf);
      this.frontier.append(Buffer.from(row.placedHash, 'hex'), (level, node, hash) => {
        if (level > 0 && level % tileHeight === 0) this.nodes.push({ level, index: node, hash: hash.toString('hex') });
      });
      this.compareHeads();
    }
    for (const { index, message } of differences) this.find('ROWS', index, message);
    await this.compareNodes();
    return rows.length;
  }

  private find(what: ScrubFinding['what'], leaf: number | null, message: string): void {
    this.found += 1;
    if (leaf !== null) this.first = Math.min(leaf, this.first ?? leaf);
    if (this.findings.length < mostFindings) this.findings.push({ what, leaf, message });
  }

  private compareLeaf(row: PlacedEvent, index: number, leaf: Leaf | null): void {
    const id = row.eventId;
    if (row.leaf === null) {
      this.find('LEAF', index, `event ${id} isn't stored any more`);
      return;
    }
    if (hashLeaf(row.leaf) !== row.placedHash)
      this.find('LEAF', index, `event ${id} isn't what was signed: its leaf was altered`);
    if (row.leafHash !== row.placedHash) this.find('LEAF', index, `event ${id} has another hash than its place in the tree`);
    if (leaf === null) {
      this.find('LEAF', index, `event ${id} has a leaf that isn't one`);
      return;
    }
    const differing = columnsThatDiffer(row, leaf);
    if (differing.length > 0)
      this.find(
        'COLUMNS',
        index,
        `event ${id} stands in the table otherwise than in its leaf (${differing.join(', ')}): queries go by that`,
      );
    if (this.vouched && !this.vouched.next(leaf, row.placedHash, row.voucher))
      this.find(
        'LEAF',
        index,
        `event ${id} was recorded by nobody who has the installation’s key: somebody else put it into the log`,
      );
    const expected = this.previous?.transaction === leaf.tx ? this.previous.ordinal + 1 : 0;
    if (leaf.ordinal !== expected)
      this.find('ORDER', index, `event ${id} is number ${leaf.ordinal} of its transaction, and number ${expected} was to come`);
    this.previous = { transaction: leaf.tx, ordinal: leaf.ordinal };
  }

  /** The checkpoints and anchored checkpoints over `start` to `end` leaves, the former excluded, opened with the log's own keys. */
  private async readHeads(start: number, end: number): Promise<void> {
    const heads: Head[] = [];
    for (const { origin, keys } of await this.knownOrigins()) {
      const within = ({ origin: name, treeSize: size }: Pick<typeof auditCheckpoints, 'origin' | 'treeSize'>) =>
        sql`WHERE ${name} = ${origin} AND ${size} > ${start} AND ${size} <= ${end} ORDER BY ${size}`;
      const signed = await this.database.read(signedHeads, within(auditCheckpoints));
      const anchored = await this.database.read(anchoredHeads, within(auditAnchors));
      this.checkpoints += signed.length;
      this.anchored += anchored.length;
      for (const row of [...signed, ...anchored]) {
        const head = headOf(row);
        // Without any key this is said once, and the roots are compared all the same.
        if (this.isWithoutKey || isSigned(row, origin, keys)) heads.push(head);
        else this.find(head.what, null, `${head.name} isn't what a key of this log signed`);
      }
    }
    this.heads = heads.sort((a, b) => a.size - b.size);
  }

  private async knownOrigins(): Promise<readonly { readonly origin: string; readonly keys: readonly VerifierKey[] }[]> {
    if (this.origins) return this.origins;
    const { keys } = await trustedKeys(this.database, this.outside);
    const origins = await storedOrigins(this.database);
    // A log that hasn't begun was signed by nobody.
    this.isWithoutKey = origins.length > 0 && keys.length === 0;
    this.origins = origins.map(({ name: origin }) => ({
      origin,
      keys: keys.filter(({ name }) => name === origin),
    }));
    return this.origins;
  }

  /** Whoever writes the database can put any checkpoint last: it is by a key from outside, or it says nothing. */
  private async compareLatest(): Promise<void> {
    if (this.isWithoutKey) {
      this.find(
        'CHECKPOINT',
        null,
        'no public key of this log is known from outside it: anybody could have signed what is stored',
      );
      return;
    }
    const origin = (await storedOrigins(this.database)).at(-1)?.name;
    if (origin === undefined || this.frontier.size === 0) return;
    const latest = await new Checkpoints(this.database, origin).latest();
    if (latest === null) this.find('CHECKPOINT', null, `${this.frontier.size} leaves are stored, and no checkpoint of ${origin}`);
    else if (!isOpenedBy(latest, this.outside(origin)))
      this.find('CHECKPOINT', null, `the latest checkpoint, of size ${latest.size}, isn't by a key from outside the log`);
  }

  private compareHeads(): void {
    for (let [head] = this.heads; head && head.size === this.frontier.size; [head] = this.heads) {
      if (this.frontier.root().toString('hex') !== head.root)
        this.find(
          head.what,
          head.size - 1,
          `${head.name} has another root than the leaves that are stored: the log was rewritten`,
        );
      this.heads.shift();
    }
  }

  private async compareNodes(): Promise<void> {
    for (const level of new Set(this.nodes.map((node) => node.level))) {
      const expected = this.nodes.filter((node) => node.level === level);
      const indexes = expected.map(({ index }) => index);
      const rows = await this.database.read(
        storedNodes,
        sql`WHERE ${auditNodes.level} = ${level} AND ${auditNodes.nodeIndex} IN (${indexes})`,
      );
      const stored = new Map(rows.map((row) => [row.nodeIndex, row.hash]));
      for (const { index, hash } of expected)
        if (stored.get(index) !== hash)
          this.find('TREE', null, `the stored node ${index} of level ${level} isn't that of the leaves below it`);
    }
    this.nodes = [];
  }

  private async compareQueue(): Promise<void> {
    const count = async (of: Selection<{ readonly n: number }>) => (await this.database.read(of, sql``))[0]?.n ?? 0;
    const twice = await count(placedTwice);
    if (twice > 0) this.find('QUEUE', null, `${twice} events wait for a place in the tree and have one`);
    const lost = await count(waitingForNothing);
    if (lost > 0) this.find('QUEUE', null, `${lost} events wait for a place in the tree and aren't stored`);
  }
}

/** What stands in the leaf, altered or not; null where it is none. */
const leafOf = ({ leaf }: PlacedEvent): Leaf | null => {
  if (leaf === null) return null;
  try {
    return readLeaf(leaf.toString('utf8'));
  } catch (error) {
    if (error instanceof LeafInvalid) return null;
    throw error;
  }
};

const headOf = (row: StoredHead): Head => {
  const isAnchored = 'anchor' in row;
  return {
    size: row.treeSize,
    root: isAnchored ? rootIn(row.note) : row.rootHash,
    what: isAnchored ? 'ANCHOR' : 'CHECKPOINT',
    name: `the checkpoint of size ${row.treeSize}${isAnchored ? ` that ${row.anchor} took` : ''}`,
  };
};

/** What a note says, believed or not. */
const rootIn = (note: Buffer): string => {
  try {
    return parseCheckpoint(parseNote(note).text).root.toString('hex');
  } catch (error) {
    if (error instanceof NoteInvalid) return '';
    throw error;
  }
};

const isOpenedBy = (
  { note, origin, size, root }: { readonly note: Uint8Array | string } & Pick<SignedCheckpoint, 'origin' | 'size' | 'root'>,
  keys: readonly VerifierKey[],
): boolean => {
  try {
    const opened = openCheckpoint(note, keys);
    return opened.origin === origin && opened.size === size && opened.root.equals(root);
  } catch (error) {
    if (error instanceof NoteInvalid) return false;
    throw error;
  }
};

const isSigned = (row: StoredHead, origin: string, keys: readonly VerifierKey[]): boolean => {
  const { size, root } = headOf(row);
  return isOpenedBy({ note: row.note, origin, size, root: Buffer.from(root, 'hex') }, keys);
};

const columnsThatDiffer = (row: PlacedEvent, leaf: Leaf): readonly string[] => {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['id', row.eventId, leaf.id],
    ['transaction_id', row.transactionId, leaf.tx],
    ['ordinal', row.ordinal, leaf.ordinal],
    ['at', row.at, Date.parse(leaf.at)],
    ['action', row.action, leaf.action],
    ['outcome', row.outcome, leaf.outcome],
    ['actor_id', row.actorId, leaf.actor?.id],
    ['ticket_id', row.ticketId, leaf.ticket],
    ['assistance_id', row.assistanceId, leaf.assistance],
    ['subject_type', row.subjectType, leaf.subject?.type ?? null],
    ['subject_id', row.subjectId, leaf.subject?.id ?? null],
  ];
  return pairs.flatMap(([name, stored, stated]) => (stored === stated ? [] : [name]));
};
