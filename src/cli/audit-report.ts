import '../deferred';
import { writeFileSync } from 'node:fs';
import { loadAuditConfig } from '../config/load';
import { csvOf, markdownOf, minimisationReport } from '../features/audit/minimisation';
import { latestAnchored } from '../ledger/anchored';
import { Checkpoints } from '../ledger/checkpoints';
import { readAuditDatabase } from './audit-database';
import { CommandFailed } from './report';

export interface ReportFlags {
  readonly from: Date;
  readonly to: Date;
  readonly format: 'markdown' | 'csv';
  readonly out?: string;
}

/** `counterfoil audit report`. */
export const report = async ({ from, to, format, out }: ReportFlags): Promise<void> => {
  if (from >= to) throw new CommandFailed('--to: expected a time after --from.');
  const config = loadAuditConfig({ signs: false });
  const database = await readAuditDatabase(config);
  try {
    const checkpoint = await new Checkpoints(database, config.audit.origin).latest();
    const ground = {
      origin: config.audit.origin,
      checkpoint: checkpoint && {
        size: checkpoint.size,
        root: checkpoint.root.toString('base64'),
        unanchored: checkpoint.extensions.length > 0,
      },
      anchors: await latestAnchored(database, config.audit.origin),
    };
    const found = await minimisationReport(database, from, to);
    const text = format === 'csv' ? csvOf(found, ground) : markdownOf(found, ground);
    if (out === undefined) process.stdout.write(text);
    else writeFileSync(out, text);
  } finally {
    await database.close();
  }
};
