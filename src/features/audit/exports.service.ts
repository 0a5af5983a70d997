import type { CustomerUnderDigest, EventDraft } from '../../audit/event';
import {
  csvHeader,
  csvRow,
  type ExportedLeaf,
  type ExportFormat,
  type ExportHeader,
  type ExportTrailer,
  writeExport,
} from '../../audit/export-format';
import { readLeaf } from '../../audit/leaf';
import { compactRange, consistencyPath } from '../../audit/merkle';
import type { Database } from '../../db/database';
import type { Reads } from '../../db/reads';
import { type Sql, sql } from '../../db/sql';
import { Column, optional, select, wholeNumber } from '../../db/table';
import { Failure } from '../../failure';
import { latestAnchored } from '../../ledger/anchored';
import { auditAnchors } from '../../ledger/audit-tree.entity';
import type { Checkpoints } from '../../ledger/checkpoints';
import { LogBroken } from '../../ledger/log-broken';
import { StoredTree } from '../../ledger/stored-tree';
import { c, e, l, placedEvents } from './audit.rows';

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
/** Of leaves that aren't about the customer only the hash. */
const leavesAboutCustomer = select(
  {
    ...l.pick('leafIndex', 'leafHash'),
    leaf: new Column<Buffer | null>(sql`CASE WHEN ${c.eventId} IS NULL THEN NULL ELSE ${e.leaf} END`, null),
  },
  placedEvents,
);
const edges = {
  first: select({ position: optional(wholeNumber(sql`MIN(${l.leafIndex})`)) }, placedEvents),
  last: select({ position: optional(wholeNumber(sql`MAX(${l.leafIndex})`)) }, placedEvents),
};
const anchored = select(auditAnchors.pick('note', 'anchoredAt'), sql`FROM ${auditAnchors}`);

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

  /** The chunks of a plan in its format. */
  write(plan: ExportPlan, format: ExportFormat): AsyncGenerator<Buffer> {
    return format === 'csv' ? this.csv(plan) : this.ndjson(plan);
  }

  /**
   * Which leaves a selection is: from the first that isn't before `from` to the last before `before`, as far as a checkpoint
   * covers them, whatever times lie between. Throws `INVALID`, and `CONFLICT` while nothing is signed.
   */
  async plan({ from, before, customerId, since }: ExportSelection): Promise<ExportPlan> {
    if (from && before && from >= before) throw Failure.invalid('before', 'expected a time after from');
    const latest = await this.checkpoints.latest();
    if (!latest) throw new Failure('CONFLICT', 'The log has no checkpoint yet.', { remedy: 'Ask again in a second.' });
    const wrong = since.find((size) => !Number.isSafeInteger(size) || size < 1 || size > latest.size);
    if (wrong !== undefined || since.length > mostOlder)
      throw Failure.invalid('since', `expected at most ${mostOlder} sizes from 1 to that of the latest checkpoint`);
    const taken = (await latestAnchored(this.database, latest.origin)).filter(({ size }) => size <= latest.size);
    const first = from === null ? 0 : await this.edge('first', sql`${e.at} >= ${from}`);
    const last = before === null ? latest.size - 1 : await this.edge('last', sql`${e.at} < ${before}`);
    const start = Math.min(first ?? latest.size, latest.size);
    return {
      origin: latest.origin,
      from: start,
      to: Math.max(start, Math.min((last ?? -1) + 1, latest.size)),
      size: latest.size,
      customerId,
      since: [...new Set([...since, ...taken.map(({ size }) => size)])].sort((a, b) => a - b),
      anchors: taken.map(({ anchor, size }) => [anchor, size] as const),
    };
  }

  /** The export as NDJSON in chunks: what `counterfoil audit verify` reads. `onLeaf` sees each leaf. Throws `LogBroken`. */
  ndjson(plan: ExportPlan, onLeaf: (leaf: ExportedLeaf) => void = () => {}): AsyncGenerator<Buffer> {
    const leaves = this.leaves(plan);
    const seen = async function* () {
      for await (const leaf of leaves) {
        onLeaf(leaf);
        yield leaf;
      }
    };
    const { database, checkpoints } = this;
    return (async function* () {
      const tree = new StoredTree(database);
      const header: ExportHeader = {
        origin: plan.origin,
        from: plan.from,
        to: plan.to,
        filter: plan.customerId === null ? null : 'events about one customer',
        left: await compactRange(0, plan.from, tree.nodeAt),
      };
      yield* writeExport(header, seen(), () => trailerOf(plan, database, checkpoints));
    })();
  }

  /** The selected leaves as rows of CSV, in chunks. The NDJSON of the same plan is its manifest. */
  async *csv(plan: ExportPlan): AsyncGenerator<Buffer> {
    let rows = [csvHeader()];
    for await (const { index, hash, leaf } of this.leaves(plan)) {
      if (leaf !== null) rows.push(csvRow(index, hash, readLeaf(leaf.toString('utf8'))));
      if (rows.length < leavesAtOnce) continue;
      yield Buffer.concat(rows);
      rows = [];
    }
    if (rows.length > 0) yield Buffer.concat(rows);
  }

  private async *leaves({ from, to, customerId }: ExportPlan): AsyncGenerator<ExportedLeaf> {
    const about = sql`LEFT JOIN ${c} ON ${c.eventId} = ${l.eventId} AND ${c.customerId} = ${customerId}`;
    for (let start = from; start < to; start += leavesAtOnce) {
      const end = Math.min(to, start + leavesAtOnce);
      const inRange = sql`WHERE ${l.leafIndex} >= ${start} AND ${l.leafIndex} < ${end} ORDER BY ${l.leafIndex}`;
      const rows =
        customerId === null
          ? await this.database.read(leavesOfLog, inRange)
          : await this.database.read(leavesAboutCustomer, sql`${about} ${inRange}`);
      if (rows.length !== end - start)
        throw new LogBroken('MISSING', `Of the leaves ${start} to ${end - 1} only ${rows.length} are stored.`);
      for (const row of rows) yield { index: row.leafIndex, hash: Buffer.from(row.leafHash, 'hex'), leaf: row.leaf };
    }
  }

  private async edge(pick: keyof typeof edges, condition: Sql): Promise<number | null> {
    const [row] = await this.database.read(edges[pick], sql`WHERE ${condition}`);
    return row?.position ?? null;
  }
}

/** Whoever takes an export is in the log, before its first byte leaves: it shows what many disclosures showed. */
export const recordExport = (
  database: Database,
  actor: EventDraft['actor'],
  { plan, format }: { readonly plan: ExportPlan; readonly format: ExportFormat },
  customer: CustomerUnderDigest | null,
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

const trailerOf = async (plan: ExportPlan, database: Reads, checkpoints: Checkpoints): Promise<ExportTrailer> => {
  const checkpoint = await checkpoints.at(plan.size);
  if (!checkpoint) throw new LogBroken('MISSING', `The checkpoint of size ${plan.size} isn't stored any more.`);
  const tree = new StoredTree(database);
  const anchors: ExportTrailer['anchors'][number][] = [];
  for (const [anchor, size] of plan.anchors) {
    const [row] = await database.read(
      anchored,
      sql`WHERE ${auditAnchors.anchor} = ${anchor} AND ${auditAnchors.origin} = ${plan.origin} AND ${auditAnchors.treeSize} = ${size}`,
    );
    if (row) anchors.push({ anchor, anchoredAt: row.anchoredAt, checkpoint: row.note.toString('utf8') });
  }
  return {
    checkpoint: checkpoint.note,
    right: await compactRange(plan.to, plan.size, tree.nodeAt),
    consistency: await Promise.all(
      plan.since.map(async (size) => ({ size, path: await consistencyPath(size, plan.size, tree.nodeAt) })),
    ),
    anchors,
  };
};
