import { citedPlan, planAction, readPlan } from '../../audit/access-plan';
import { CitedPlans } from '../../audit/cited-plans';
import { type CustomerUnderDigest, type EventDraft, erasedCustomer } from '../../audit/event';
import {
  csvHeader,
  csvRow,
  type ExportedLeaf,
  type ExportHeader,
  type ExportTrailer,
  type WriteOptions,
  writeExport,
} from '../../audit/export-format';
import type { ExportFormat } from '../../audit/export-formats';
import { glanceAtLeaf } from '../../audit/glance';
import { type Leaf, LeafInvalid, readLeaf } from '../../audit/leaf';
import { compactRange, consistencyPath, inclusionPath } from '../../audit/merkle';
import type { Database } from '../../db/database';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { optional, select } from '../../db/table';
import { Failure } from '../../failure';
import { latestAnchored } from '../../ledger/anchored';
import { auditAnchors } from '../../ledger/audit-tree.entity';
import type { Checkpoints } from '../../ledger/checkpoints';
import { LogBroken } from '../../ledger/log-broken';
import { expectPlan, type PlacedPlan, placedPlans } from '../../ledger/placed-plans';
import { StoredTree } from '../../ledger/stored-tree';
import { auditSaltBytes } from '../../privacy/digests';
import { c, e, l, placedEvents } from './audit.rows';
import { ExportProgress } from './export-progress';
import { expectAll, inSpan, type LeafSpan, leafInPlace, spanOf } from './leaf-span';

/** What somebody asks for. Times are half-open. */
export interface ExportSelection {
  readonly from: Date | null;
  readonly before: Date | null;
  /** Leaves about this customer only; the others stand in the export as their hashes. */
  readonly customerId: string | null;
  /** Sizes of older checkpoints that the export shall be shown to continue. */
  readonly since: readonly number[];
}

/** What makes an export the same bytes whenever it is written: which leaves, under which checkpoint, with which proofs. */
export interface ExportPlan {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly customerId: string | null;
  readonly since: readonly number[];
  /** Name and size of the anchored checkpoints that it names. */
  readonly anchors: readonly (readonly [string, number])[];
}

const leavesOfLog = select({ ...l.pick('leafIndex', 'leafHash'), leaf: optional(e.leaf) }, placedEvents);
/** With the row that says of a leaf that it is about the customer. */
const leavesAndRows = select({ ...l.pick('leafIndex', 'leafHash'), leaf: e.leaf, row: optional(c.eventId) }, placedEvents);
const anchored = select(auditAnchors.pick('note', 'anchoredAt'), sql`FROM ${auditAnchors}`);

/** An export that somebody takes. */
export interface ExportOrder {
  readonly plan: ExportPlan;
  readonly format: ExportFormat;
  /** The plan's. */
  readonly customer: CustomerUnderDigest | null;
}

/** From where on, and with what was seen before there. */
interface Going extends WriteOptions {
  readonly cited: CitedPlans;
}

/** What an export is told while it is written. */
export interface ExportListener {
  readonly onLeaf?: (leaf: ExportedLeaf) => void;
  /** The leaf of a plan that the last line carries, after the last of the others. */
  readonly onPlan?: (plan: PlacedPlan) => void;
  /** Of this leaf the row beside it says something else about the customer; the export goes by the leaf. */
  readonly onDiffering?: (index: number) => void;
}

/** Leaves read at once: a leaf has 65,535 bytes at most, and usually some hundred. */
const leavesAtOnce = 1_000;
/** Older sizes that one export shows to continue. */
const mostOlder = 32;

/** Exports of the log: a contiguous range of leaves with all that its reader needs to check it without the log. */
export class AuditExports {
  constructor(
    private readonly database: Reads,
    private readonly checkpoints: Checkpoints,
  ) {}

  /**
   * The chunks of a plan in its format, from `byte` on; `customer` is the plan's. Leaves are read from the last known place before that byte
   * on, and what they show of the export is added to `progress`.
   */
  async *write(
    { plan, format, customer }: ExportOrder,
    progress: ExportProgress = new ExportProgress(),
    byte = 0,
  ): AsyncGenerator<Buffer> {
    const place = progress.before(byte);
    const start = place?.bytes ?? 0;
    let told = start;
    const going: Going = {
      cited: progress.cited,
      next: place?.leaf,
      onLine: (leaf, bytes) => {
        told += bytes;
        progress.pass({ leaf, bytes: told });
      },
    };
    let written = start;
    let skip = byte - start;
    const chunks = format === 'csv' ? this.csv(plan, customer, going) : this.ndjson(plan, customer, {}, going);
    for await (const chunk of chunks) {
      written += chunk.length;
      if (chunk.length > skip) yield chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
    }
    progress.length = written;
  }

  /**
   * Which leaves a selection is: from the first that isn't before `from` to the last before `before`, as far as a checkpoint
   * covers them, whatever times lie between. Throws `INVALID`, and `CONFLICT` while nothing is signed or where the rows that find
   * them were altered.
   */
  async plan({ from, before, customerId, since }: ExportSelection): Promise<ExportPlan> {
    if (from && before && from >= before) throw Failure.invalid('before', 'expected a time after from');
    const latest = await this.checkpoints.latest();
    if (!latest) throw new Failure('CONFLICT', 'The log has no checkpoint yet.', { remedy: 'Ask again in a second.' });
    const wrong = since.find((size) => !Number.isSafeInteger(size) || size < 1 || size > latest.size);
    if (wrong !== undefined || since.length > mostOlder)
      throw Failure.invalid('since', `expected at most ${mostOlder} sizes from 1 to that of the latest checkpoint`);
    const taken = (await latestAnchored(this.database, latest.origin)).filter(({ size }) => size <= latest.size);
    return {
      origin: latest.origin,
      ...(await spanOf(this.database, { from, before }, latest.size)),
      size: latest.size,
      customerId,
      since: [...new Set([...since, ...taken.map(({ size }) => size)])].sort((a, b) => a - b),
      anchors: taken.map(({ anchor, size }) => [anchor, size] as const),
    };
  }

  /** The export as NDJSON in chunks: what `counterfoil audit verify` reads. Throws `LogBroken`. */
  ndjson(
    plan: ExportPlan,
    customer: CustomerUnderDigest | null,
    listener: ExportListener = {},
    { cited, ...options }: Going = { cited: new CitedPlans() },
  ): AsyncGenerator<Buffer> {
    const leaves = this.leaves({ from: options.next ?? plan.from, to: plan.to }, customer, listener);
    const seen = async function* () {
      for await (const leaf of leaves) {
        notePlans(cited, leaf);
        listener.onLeaf?.(leaf);
        yield leaf;
      }
    };
    const { database, checkpoints } = this;
    const trailer = async () => {
      const plans = await lackingPlans(database, cited, plan.size);
      for (const each of plans) listener.onPlan?.(each);
      return trailerOf(plan, database, checkpoints, plans);
    };
    return (async function* () {
      const tree = new StoredTree(database);
      const header: ExportHeader = {
        origin: plan.origin,
        from: plan.from,
        to: plan.to,
        filter:
          plan.customerId === null
            ? null
            : `events about one customer, by what the leaves up to ${plan.to} (excluded) say themselves`,
        left: options.next === undefined ? await compactRange(0, plan.from, tree.nodeAt) : [],
      };
      yield* writeExport(header, seen(), trailer, options);
    })();
  }

  /** The selected leaves as rows of CSV, in chunks. The NDJSON of the same plan is its manifest. */
  private async *csv(
    plan: ExportPlan,
    customer: CustomerUnderDigest | null,
    { cited, next, onLine }: Going,
  ): AsyncGenerator<Buffer> {
    let rows: Buffer[] = [];
    if (next === undefined) {
      rows.push(csvHeader());
      onLine?.(plan.from, csvHeader().length);
    }
    for await (const exported of this.leaves({ from: next ?? plan.from, to: plan.to }, customer)) {
      const { index, hash, leaf } = exported;
      notePlans(cited, exported);
      const row = leaf === null ? null : csvRow(index, hash, readLeaf(leaf.toString('utf8')));
      if (row !== null) rows.push(row);
      onLine?.(index + 1, row?.length ?? 0);
      if (rows.length < leavesAtOnce) continue;
      yield Buffer.concat(rows);
      rows = [];
    }
    for (const { index, hash, leaf } of await lackingPlans(this.database, cited, plan.size)) rows.push(csvRow(index, hash, leaf));
    if (rows.length > 0) yield Buffer.concat(rows);
  }

  /**
   * The leaves of a plan. Which ones are about the customer, their leaves say, by the customer's digest in each: the rows that
   * queries go by may lack some.
   */
  private async *leaves(
    { from, to }: LeafSpan,
    customer: CustomerUnderDigest | null,
    { onDiffering }: ExportListener = {},
  ): AsyncGenerator<ExportedLeaf> {
    const about = sql`LEFT JOIN ${c} ON ${c.eventId} = ${l.eventId} AND ${c.customerId} = ${customer?.id ?? null}`;
    for (let start = from; start < to; start += leavesAtOnce) {
      const end = Math.min(to, start + leavesAtOnce);
      const inRange = inSpan(start, end);
      const rows =
        customer === null
          ? expectAll(await this.database.read(leavesOfLog, inRange), start, end).map((row) => ({ ...row, row: null }))
          : expectAll(await this.database.read(leavesAndRows, sql`${about} ${inRange}`), start, end);
      for (const { leafIndex: index, leafHash, leaf, row } of rows) {
        const isSelected = customer === null || isAbout(customer, leafInPlace(index, leafHash, leaf));
        if (customer !== null && isSelected !== (row !== null)) onDiffering?.(index);
        yield { index, hash: Buffer.from(leafHash, 'hex'), leaf: isSelected ? leaf : null };
      }
    }
  }
}

/** Whose key was destroyed, nothing finds in the leaves any more, and rows alone could lack some. Throws `CONFLICT`. */
export const expectDigests = (customer: CustomerUnderDigest | null): void => {
  if (customer?.digest(Buffer.alloc(auditSaltBytes)) === erasedCustomer)
    throw new Failure('CONFLICT', 'The customer’s key was destroyed: no leaf can be shown to be about them any more.', {
      remedy: 'Export the log without a customer.',
    });
};

const isAbout = (customer: CustomerUnderDigest, { customers, salt }: Leaf): boolean =>
  customers.length > 0 && customers.includes(customer.digest(Buffer.from(salt, 'base64url')));

/** Whoever takes an export is in the log, before its first byte leaves: it shows what many disclosures showed. */
export const recordExport = (
  database: Database,
  actor: EventDraft['actor'],
  { plan, format, customer }: ExportOrder,
): Promise<void> =>
  database.system('recorder', 'audit.export', async (change) =>
    change.recordFor(actor, 'disclosure', {
      customers: customer ? [customer] : [],
      subject: { type: 'AuditExport', id: format },
      detail: {
        operation: 'audit export',
        fields: [['AuditExport.leaf', 'reveal', plan.to - plan.from]],
        from: plan.from,
        to: plan.to,
        checkpoint: plan.size,
        count: plan.to - plan.from,
      },
    }),
  );

/** Which plan a leaf that is shown names or states. One that was altered does neither: whoever verifies finds it. */
const notePlans = (cited: CitedPlans, { index, leaf: bytes }: ExportedLeaf): void => {
  if (bytes === null) return;
  const glance = glanceAtLeaf(bytes);
  if (glance && glance.action !== planAction) {
    if (glance.plan !== undefined) cited.cite(glance.plan, index, null);
    return;
  }
  try {
    const leaf = readLeaf(bytes.toString('utf8'));
    const named = citedPlan(leaf);
    if (named !== undefined) cited.cite(named, index, null);
    if (leaf.action !== planAction) return;
    const { digest, fields } = readPlan(leaf);
    cited.state(digest, fields.length);
  } catch (error) {
    if (!(error instanceof LeafInvalid)) throw error;
  }
};

/** The leaves of plans that were named and not shown, by index. Throws `LogBroken` where one isn't stored as it was signed. */
const lackingPlans = async (database: Reads, cited: CitedPlans, size: number): Promise<readonly PlacedPlan[]> => {
  const digests = cited.lacking.map(([digest]) => digest);
  const found = await placedPlans(database, digests, size);
  for (const digest of digests) expectPlan(found, digest);
  return [...found.values()].sort((a, b) => a.index - b.index);
};

const trailerOf = async (
  plan: ExportPlan,
  database: Reads,
  checkpoints: Checkpoints,
  plans: readonly PlacedPlan[],
): Promise<ExportTrailer> => {
  const checkpoint = await checkpoints.at(plan.size);
  if (!checkpoint) throw new LogBroken('MISSING', `The checkpoint of size ${plan.size} isn't stored any more.`);
  const tree = new StoredTree(database);
  const anchors: ExportTrailer['anchors'][number][] = [];
  for (const [anchor, size] of plan.anchors) {
    const [row] = await database.read(
      anchored,
      sql`WHERE ${auditAnchors.anchor} = ${anchor} AND ${auditAnchors.origin} = ${plan.origin} AND ${auditAnchors.treeSize} = ${size}`,
    );
    // One tag names these bytes: they don't become others because a row was taken away.
    if (!row) throw new LogBroken('MISSING', `The checkpoint of size ${size} that ${anchor} took isn't stored any more.`);
    anchors.push({ anchor, anchoredAt: row.anchoredAt, checkpoint: row.note.toString('utf8') });
  }
  return {
    checkpoint: checkpoint.note,
    right: await compactRange(plan.to, plan.size, tree.nodeAt),
    consistency: await Promise.all(
      plan.since.map(async (size) => ({ size, path: await consistencyPath(size, plan.size, tree.nodeAt) })),
    ),
    anchors,
    plans: await Promise.all(
      plans.map(async ({ index, bytes }) => ({
        index,
        leaf: bytes.toString('utf8'),
        path: await inclusionPath(plan.size, index, tree.nodeAt),
      })),
    ),
  };
};
