import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CustomerUnderDigest } from '../audit/event';
import { csvHeader, csvRow, type ExportFormat, manifestOf } from '../audit/export-format';
import { readLeaf } from '../audit/leaf';
import { keyEncryptionOf } from '../config/key-encryption';
import { type AuditProcessConfig, loadAuditConfig, loadConfig } from '../config/load';
import type { Database } from '../db/database';
import { Failure } from '../failure';
import { AuditExports, type ExportPlan, recordExport } from '../features/audit/exports.service';
import { Keys } from '../features/keys/keys.service';
import { Checkpoints } from '../ledger/checkpoints';
import { openAuditDatabase } from './audit-database';
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

const write = (stream: Writable, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));

const finish = (stream: Writable): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.end(() => resolve());
  });

/** CSV and its manifest in one reading, so that both are of the same leaves. */
const writeCsv = async (exports: AuditExports, plan: ExportPlan, file: string, onLeaf: () => void): Promise<void> => {
  const [rows, manifest] = [createWriteStream(file), createWriteStream(manifestOf(file))];
  let waiting = [csvHeader()];
  const ndjson = exports.ndjson(plan, ({ index, hash, leaf }) => {
    if (leaf !== null) waiting.push(csvRow(index, hash, readLeaf(leaf.toString('utf8'))));
    onLeaf();
  });
  for await (const chunk of ndjson) {
    await write(manifest, chunk);
    const ready = waiting;
    waiting = [];
    if (ready.length > 0) await write(rows, Buffer.concat(ready));
  }
  if (waiting.length > 0) await write(rows, Buffer.concat(waiting));
  await Promise.all([finish(rows), finish(manifest)]);
};

const run = async (
  flags: ExportFlags,
  database: Database,
  { audit }: Pick<AuditProcessConfig, 'audit'>,
  customer: CustomerUnderDigest | null,
): Promise<void> => {
  const exports = new AuditExports(database, new Checkpoints(database, audit.origin));
  const plan = await exports.plan({
    from: flags.from ?? null,
    before: flags.to ?? null,
    customerId: flags.customer ?? null,
    since: flags.since,
  });
  await recordExport(
    database,
    { id: 'system:command-line', kind: 'system', roles: [] },
    { plan, format: flags.format },
    customer,
  );
  const progress = new ProgressLine(process.stderr, 'leaves', plan.to - plan.from);
  let withheld = 0;
  if (flags.format === 'csv' && flags.out !== undefined) await writeCsv(exports, plan, flags.out, () => progress.add(1));
  else {
    const ndjson = exports.ndjson(plan, ({ leaf }) => {
      if (leaf === null) withheld += 1;
      progress.add(1);
    });
    // The process's own stdout is not to be ended.
    if (flags.out === undefined) for await (const chunk of ndjson) await write(process.stdout, chunk);
    else await pipeline(ndjson, createWriteStream(flags.out));
  }
  progress.finish();
  const summary = { from: plan.from, to: plan.to, checkpoint: plan.size, withheld, out: flags.out ?? null };
  if (flags.json && flags.out !== undefined) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else if (flags.out !== undefined)
    process.stdout.write(
      `Leaves ${plan.from} to ${plan.to} (excluded) under the checkpoint of size ${plan.size}: ${flags.out}${flags.format === 'csv' ? ` and ${manifestOf(flags.out)}` : ''}.\n`,
    );
};

/** `counterfoil audit export`. */
export const exportLog = async (flags: ExportFlags): Promise<void> => {
  if (flags.format === 'csv' && flags.out === undefined)
    throw new CommandFailed('--format csv needs --out: its manifest, by which it is checked, stands beside it.');
  if (flags.customer === undefined) {
    const config = loadAuditConfig({ signs: false });
    const database = await openAuditDatabase(config);
    try {
      return await run(flags, database, config, null);
    } finally {
      await database.close();
    }
  }
  // That somebody exported what is about a customer names the customer, under their key.
  const config = loadConfig();
  const database = await openAuditDatabase(config);
  try {
    const keys = await Keys.open(database, keyEncryptionOf(config));
    const customer = await keys.customerUnderDigest(database, flags.customer);
    if (!customer) throw Failure.notFound('customer');
    return await run(flags, database, config, customer);
  } finally {
    await database.close();
  }
};
