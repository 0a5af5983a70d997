import { openCheckpoint, parseCheckpoint } from '../audit/checkpoint';
import { hashLeaf } from '../audit/event';
import { type Leaf, LeafInvalid, readLeaf } from '../audit/leaf';
import { Frontier } from '../audit/merkle';
import { NoteInvalid, parseNote, type SignerKey, type VerifierKey } from '../audit/note';
import type { Row } from '../db/change';
import type { Reads } from '../db/reads';
import { marks } from '../db/sql';
import { Checkpoints } from './checkpoints';
import { treeSize } from './integration';
import { storedOrigins } from './origins';
import { tileHeight } from './stored-tree';

/** One place where the stored log isn't what it should be. */
export interface ScrubFinding {
  readonly what: 'LEAF' | 'COLUMNS' | 'ORDER' | 'TREE' | 'CHECKPOINT' | 'ANCHOR' | 'QUEUE';
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
}

const mostFindings = 50;
const leavesAtOnce = 1_000;

interface LeafRow extends Row {
  readonly leaf_index: number;
  readonly event_id: string;
  readonly placed_hash: string;
  readonly leaf: Buffer | null;
  readonly leaf_hash: string | null;
  readonly transaction_id: string;
  readonly ordinal: number;
  readonly at: number;
  readonly action: string;
  readonly outcome: string;
  readonly actor_id: string;
  readonly ticket_id: string | null;
  readonly assistance_id: string | null;
  readonly subject_type: string | null;
  readonly subject_id: string | null;
}

interface HeadRow extends Row {
  readonly tree_size: number;
  readonly note: Buffer;
  /** Of a checkpoint. */
  readonly root_hash?: string;
  /** Of an anchored one. */
  readonly anchor?: string;
}

interface Head {
  readonly size: number;
  readonly root: string;
  readonly what: 'CHECKPOINT' | 'ANCHOR';
  readonly name: string;
}

/**
 * Reads the whole stored log and holds all that is derived from a leaf against it: its hash, the columns that queries go by,
 * the stored nodes, every checkpoint and every anchored one; and the queue. One pass in the log's order, a few hashes in
 * memory. `onLeaves` is told how many it has read.
 */
export const scrub = async (
  database: Reads,
  signers: (origin: string) => readonly SignerKey[],
  onLeaves: (count: number) => void = () => {},
): Promise<ScrubReport> => new Scrub(database, signers, onLeaves).run();

class Scrub {
  private readonly findings: ScrubFinding[] = [];
  private found = 0;
  private readonly frontier = new Frontier();
  private nodes: { level: number; index: number; hash: string }[] = [];
  private previous: { transaction: string; ordinal: number } | null = null;
  private heads: Head[] = [];
  private origins: readonly { readonly origin: string; readonly keys: readonly VerifierKey[] }[] | undefined;
  private checkpoints = 0;
  private anchored = 0;

  constructor(
    private readonly database: Reads,
    private readonly signers: (origin: string) => readonly SignerKey[],
    private readonly onLeaves: (count: number) => void,
  ) {}

  async run(): Promise<ScrubReport> {
    const size = await treeSize(this.database.query.bind(this.database));
    let next = 0;
    for (let start = 0; start < size; start += leavesAtOnce) {
      const rows = await this.database.query<LeafRow>(
        `SELECT l.leaf_index, l.event_id, l.leaf_hash AS placed_hash, e.leaf, e.leaf_hash, e.transaction_id, e.ordinal, e.at, e.action,
                e.outcome, e.actor_id, e.ticket_id, e.assistance_id, e.subject_type, e.subject_id
           FROM audit_leaf l LEFT JOIN audit_event e ON e.id = l.event_id WHERE l.leaf_index >= ? AND l.leaf_index < ? ORDER BY l.leaf_index`,
        [start, start + leavesAtOnce],
      );
      await this.readHeads(this.frontier.size, this.frontier.size + rows.length);
      for (const row of rows) {
        const index = row.leaf_index;
        if (index !== next) this.find('LEAF', next, `leaves ${next} to ${index - 1} are missing`);
        next = index + 1;
        this.readLeaf(row, index);
        this.frontier.append(Buffer.from(row.placed_hash, 'hex'), (level, node, hash) => {
          if (level > 0 && level % tileHeight === 0) this.nodes.push({ level, index: node, hash: hash.toString('hex') });
        });
        this.compareHeads();
      }
      await this.compareNodes();
      this.onLeaves(rows.length);
    }
    await this.readHeads(this.frontier.size, Number.MAX_SAFE_INTEGER);
    for (const { what, name, size: wanted } of this.heads)
      this.find(what, null, `${name} is over ${wanted} leaves, and ${this.frontier.size} are stored`);
    await this.compareQueue();
    return {
      leaves: this.frontier.size,
      checkpoints: this.checkpoints,
      anchored: this.anchored,
      findings: this.findings,
      found: this.found,
    };
  }

  private find(what: ScrubFinding['what'], leaf: number | null, message: string): void {
    this.found += 1;
    if (this.findings.length < mostFindings) this.findings.push({ what, leaf, message });
  }

  private readLeaf(row: LeafRow, index: number): void {
    const id = row.event_id;
    if (row.leaf === null) {
      this.find('LEAF', index, `event ${id} isn't stored any more`);
      return;
    }
    if (hashLeaf(row.leaf) !== row.placed_hash)
      this.find('LEAF', index, `event ${id} isn't what was signed: its leaf was altered`);
    if (row.leaf_hash !== row.placed_hash) this.find('LEAF', index, `event ${id} has another hash than its place in the tree`);
    let leaf: Leaf;
    try {
      leaf = readLeaf(row.leaf.toString('utf8'));
    } catch (error) {
      if (!(error instanceof LeafInvalid)) throw error;
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
    const expected = this.previous?.transaction === leaf.tx ? this.previous.ordinal + 1 : 0;
    if (leaf.ordinal !== expected)
      this.find('ORDER', index, `event ${id} is number ${leaf.ordinal} of its transaction, and number ${expected} was to come`);
    this.previous = { transaction: leaf.tx, ordinal: leaf.ordinal };
  }

  /** The checkpoints and anchored checkpoints over `start` to `end` leaves, the former excluded, opened with the log's own keys. */
  private async readHeads(start: number, end: number): Promise<void> {
    const heads: Head[] = [];
    for (const { origin, keys } of await this.knownOrigins()) {
      const range = [origin, start, end];
      const signed = await this.database.query<HeadRow>(
        'SELECT tree_size, root_hash, note FROM audit_checkpoint WHERE origin = ? AND tree_size > ? AND tree_size <= ? ORDER BY tree_size',
        range,
      );
      const anchored = await this.database.query<HeadRow>(
        'SELECT tree_size, note, anchor FROM audit_anchor WHERE origin = ? AND tree_size > ? AND tree_size <= ? ORDER BY tree_size',
        range,
      );
      this.checkpoints += signed.length;
      this.anchored += anchored.length;
      for (const row of [...signed, ...anchored]) {
        const head = headOf(row);
        if (isSigned(row, origin, keys)) heads.push(head);
        else this.find(head.what, null, `${head.name} isn't what a key of this log signed`);
      }
    }
    this.heads = heads.sort((a, b) => a.size - b.size);
  }

  private async knownOrigins(): Promise<readonly { readonly origin: string; readonly keys: readonly VerifierKey[] }[]> {
    this.origins ??= await Promise.all(
      (await storedOrigins(this.database.query.bind(this.database))).map(async ({ name: origin }) => ({
        origin,
        keys: await new Checkpoints(this.database, origin).verifierKeys(this.signers(origin)),
      })),
    );
    return this.origins;
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
      const rows = await this.database.query<{ node_index: number; hash: string }>(
        `SELECT node_index, hash FROM audit_node WHERE level = ? AND node_index IN (${marks(expected)})`,
        [level, ...expected.map(({ index }) => index)],
      );
      const stored = new Map(rows.map((row) => [row.node_index, row.hash]));
      for (const { index, hash } of expected)
        if (stored.get(index) !== hash)
          this.find('TREE', null, `the stored node ${index} of level ${level} isn't that of the leaves below it`);
    }
    this.nodes = [];
  }

  private async compareQueue(): Promise<void> {
    const count = async (sql: string): Promise<number> => (await this.database.query<{ n: number }>(sql))[0]?.n ?? 0;
    const twice = await count('SELECT COUNT(*) AS n FROM audit_pending p JOIN audit_leaf l ON l.event_id = p.event_id');
    if (twice > 0) this.find('QUEUE', null, `${twice} events wait for a place in the tree and have one`);
    const lost = await count(
      'SELECT COUNT(*) AS n FROM audit_pending p LEFT JOIN audit_event e ON e.id = p.event_id WHERE e.id IS NULL',
    );
    if (lost > 0) this.find('QUEUE', null, `${lost} events wait for a place in the tree and aren't stored`);
    const forgotten = await count(
      `SELECT COUNT(*) AS n FROM audit_event e LEFT JOIN audit_leaf l ON l.event_id = e.id LEFT JOIN audit_pending p ON p.event_id = e.id
        WHERE l.event_id IS NULL AND p.event_id IS NULL`,
    );
    if (forgotten > 0)
      this.find('QUEUE', null, `${forgotten} events are stored, have no place in the tree and don't wait for one`);
  }
}

const headOf = ({ tree_size: size, root_hash: root, note, anchor }: HeadRow): Head => ({
  size,
  root: root ?? rootIn(note),
  what: anchor === undefined ? 'CHECKPOINT' : 'ANCHOR',
  name: `the checkpoint of size ${size}${anchor === undefined ? '' : ` that ${anchor} took`}`,
});

/** What a note says, believed or not. */
const rootIn = (note: Buffer): string => {
  try {
    return parseCheckpoint(parseNote(note).text).root.toString('hex');
  } catch (error) {
    if (error instanceof NoteInvalid) return '';
    throw error;
  }
};

const isSigned = (row: HeadRow, origin: string, keys: readonly VerifierKey[]): boolean => {
  try {
    const opened = openCheckpoint(row.note, keys);
    const { size, root } = headOf(row);
    return opened.origin === origin && opened.size === size && opened.root.toString('hex') === root;
  } catch (error) {
    if (error instanceof NoteInvalid) return false;
    throw error;
  }
};

const columnsThatDiffer = (row: LeafRow, leaf: Leaf): readonly string[] => {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['id', row.event_id, leaf.id],
    ['transaction_id', row.transaction_id, leaf.tx],
    ['ordinal', row.ordinal, leaf.ordinal],
    ['at', row.at, Date.parse(leaf.at)],
    ['action', row.action, leaf.action],
    ['outcome', row.outcome, leaf.outcome],
    ['actor_id', row.actor_id, leaf.actor?.id],
    ['ticket_id', row.ticket_id, leaf.ticket],
    ['assistance_id', row.assistance_id, leaf.assistance],
    ['subject_type', row.subject_type, leaf.subject?.type ?? null],
    ['subject_id', row.subject_id, leaf.subject?.id ?? null],
  ];
  return pairs.flatMap(([name, stored, stated]) => (stored === stated ? [] : [name]));
};
