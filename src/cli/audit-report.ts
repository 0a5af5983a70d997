import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { loadAuditConfig } from '../config';
import { latestAnchored } from '../features/audit/anchors.service';
import { Checkpoints } from '../features/audit/checkpoints';
import { csvOf, markdownOf, minimisationReport } from '../features/audit/minimisation';
import { timeOf } from './audit-export';
import { openAuditDatabase } from './audit-log';
import { CommandFailed } from './report';

interface ReportFlags {
  readonly from: Date;
  readonly to: Date;
  readonly format: 'markdown' | 'csv';
  readonly out?: string;
}

const report = async ({ from, to, format, out }: ReportFlags): Promise<void> => {
  if (from >= to) throw new CommandFailed('--to: expected a time after --from.');
  const config = loadAuditConfig({ signs: false });
  const database = await openAuditDatabase(config);
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

/** `counterfoil audit report`. */
export const auditReportCommand = (audit: Command): void => {
  audit
    .command('report')
    .description('Count, by role, field and purpose, what was revealed, masked and denied; the totals are those of the log.')
    .requiredOption('--from <time>', 'from this day or time on', timeOf)
    .requiredOption('--to <time>', 'up to this day or time, excluded', timeOf)
    .addOption(new Option('--format <format>', 'markdown or csv').choices(['markdown', 'csv']).default('markdown'))
    .option('--out <file>', 'write to this file (default: stdout)')
    .action(report);
};
