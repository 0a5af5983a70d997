import '../deferred';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { CustomerUnderDigest, EventDraft } from '../audit/event';
import { csvHeader, csvRow, manifestOf } from '../audit/export-format';
import type { ExportFormat } from '../audit/export-formats';
import { readLeaf } from '../audit/leaf';
import { keyEncryptionOf } from '../config/key-encryption';
import { loadAuditConfig, loadConfig } from '../config/load';
import type { Database } from '../db/database';
import { Failure } from '../failure';
import { AuditExports, expectDigests, recordExport } from '../features/audit/exports.service';
import { Checkpoints } from '../ledger/checkpoints';
import { openAuditDatabase } from './audit-database';
import { ownerOf, runBeside } from './command-client';
import type { ExportRequest, Outputs } from './command-protocol';
import { ProgressLine } from './progress-line';
import { CommandFailed } from './report';

export interface ExportFlags {
  readonly from?: Date;
  readonly to?: Date;
  readonly format: ExportFormat;
  readonly customer?: string;
  readonly since: readonly number[];
  readonly out?: string;
  readonly json?: boolean;
}

/** What an export is made from: a database of this process's own, and how an event names a customer. */
export interface ExportGround {
  readonly database: Database;
  readonly origin: string;
  customer(id: string): Promise<CustomerUnderDigest | null>;
}

export interface ExportSummary {
  readonly from: number;
  readonly to: number;
  readonly checkpoint: number;
  readonly withheld: number;
  /** Leaves of which the rows say something else about the customer, and the first of them: the export goes by the leaves. */
  readonly rowsDiffering: number;
  readonly firstDiffering: number | null;
}

const dateOf = (time: string | null): Date | null => (time === null ? null : new Date(time));

/**
 * Records the export as `actor`'s and writes it: lines of NDJSON and, for CSV, its rows, both in one reading, so that both are of
 * the same leaves. Throws `NOT_FOUND`, and whatever planning and reading throw.
 */
export const exportTo = async (
  { database, origin, customer }: ExportGround,
  actor: EventDraft['actor'],
  request: ExportRequest,
  outputs: Outputs,
): Promise<ExportSummary> => {
  // That somebody exported what is about a customer names the customer, under their key.
  const about = request.customer === null ? null : await customer(request.customer);
  if (request.customer !== null && about === null) throw Failure.notFound('customer');
  expectDigests(about);
  const exports = new AuditExports(database, new Checkpoints(database, origin));
  const plan = await exports.plan({
    from: dateOf(request.from),
    before: dateOf(request.to),
    customerId: request.customer,
    since: request.since,
  });
  await recordExport(database, actor, { plan, format: request.format, customer: about });
  const progress = new ProgressLine(outputs.progress, 'leaves', plan.to - plan.from);
  let withheld = 0;
  let rows = [csvHeader()];
  const writeRows = async () => {
    const ready = rows;
    rows = [];
    if (request.format === 'csv' && ready.length > 0) await outputs.write('rows', Buffer.concat(ready));
  };
  const differing: { count: number; first: number | null } = { count: 0, first: null };
  const lines = exports.ndjson(plan, about, {
    onLeaf: ({ index, hash, leaf }) => {
      if (leaf === null) withheld += 1;
      else if (request.format === 'csv') rows.push(csvRow(index, hash, readLeaf(leaf.toString('utf8'))));
      progress.add(1);
    },
    onPlan: ({ index, hash, leaf }) => {
      if (request.format === 'csv') rows.push(csvRow(index, hash, leaf));
    },
    onDiffering: (index) => {
      differing.count += 1;
      differing.first ??= index;
    },
  });
  for await (const chunk of lines) {
    await outputs.write('export', chunk);
    await writeRows();
  }
  await writeRows();
  progress.finish();
  return {
    from: plan.from,
    to: plan.to,
    checkpoint: plan.size,
    withheld,
    rowsDiffering: differing.count,
    firstDiffering: differing.first,
  };
};

const write = (stream: Writable, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));

const finish = (stream: Writable): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.end(() => resolve());
  });

/** This process's files, made when the first byte for them is there, or its stdout. */
const ownOutputs = ({ format, out }: ExportFlags): Outputs & { finish(): Promise<void> } => {
  const files = new Map<string, WriteStream>();
  const fileOf = (path: string): WriteStream => {
    const known = files.get(path) ?? createWriteStream(path);
    files.set(path, known);
    return known;
  };
  return {
    write: (kind, bytes) => {
      if (out === undefined) return write(process.stdout, bytes);
      return write(fileOf(format === 'csv' && kind === 'export' ? manifestOf(out) : out), bytes);
    },
    progress: process.stderr,
    // The process's own stdout is not to be ended.
    finish: async () => {
      await Promise.all([...files.values()].map(finish));
    },
  };
};

/** In a process that owns the database, or reaches its server. */
const exportHere = async (flags: ExportFlags, request: ExportRequest, outputs: Outputs): Promise<ExportSummary> => {
  const config = flags.customer === undefined ? loadAuditConfig({ signs: false }) : loadConfig();
  const database = await openAuditDatabase(config);
  try {
    return await exportTo(
      {
        database,
        origin: config.audit.origin,
        customer: async (id) => {
          const { Keys } = require('../features/keys/keys.service') as typeof import('../features/keys/keys.service');
          return (await Keys.open(database, keyEncryptionOf(loadConfig()))).customerUnderDigest(database, id);
        },
      },
      { id: 'system:command-line', kind: 'system', roles: [] },
      request,
      outputs,
    );
  } finally {
    await database.close();
  }
};

/** `counterfoil audit export`: by itself, or by the gateway that owns the embedded database. */
export const exportLog = async (flags: ExportFlags): Promise<void> => {
  const { format, out } = flags;
  if (format === 'csv' && out === undefined)
    throw new CommandFailed('--format csv needs --out: its manifest, by which it is checked, stands beside it.');
  const request: ExportRequest = {
    command: 'audit export',
    from: flags.from?.toISOString() ?? null,
    to: flags.to?.toISOString() ?? null,
    format,
    customer: flags.customer ?? null,
    since: [...flags.since],
    isTerminal: process.stderr.isTTY === true,
  };
  const outputs = ownOutputs(flags);
  const owner = ownerOf(loadAuditConfig({ signs: false }).database);
  const done = owner ? ((await runBeside(owner, request, outputs)) as ExportSummary) : await exportHere(flags, request, outputs);
  await outputs.finish();
  if (done.rowsDiffering > 0)
    process.stderr.write(
      `! ROWS: beside ${done.rowsDiffering} leaves, first ${done.firstDiffering}, the rows say something else about the customer than the leaves: they were altered. This export goes by the leaves; "counterfoil doctor" names every place.\n`,
    );
  if (out === undefined) return;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ...done, out })}\n`);
    return;
  }
  const files = `${out}${format === 'csv' ? ` and ${manifestOf(out)}` : ''}`;
  process.stdout.write(
    `Leaves ${done.from} to ${done.to} (excluded) under the checkpoint of size ${done.checkpoint}: ${files}.\n${
      flags.customer === undefined
        ? ''
        : `Selected by the leaves themselves; rows held against them up to leaf ${done.to} (excluded): ${
            done.rowsDiffering === 0 ? 'they say the same' : `${done.rowsDiffering} differ`
          }.\n`
    }`,
  );
};
