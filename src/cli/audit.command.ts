import { type Command, Option } from 'commander';
import { exportFormats } from '../audit/export-formats';
import { again, sizeOf, timeOf } from './arguments';
import type { ExportFlags } from './audit-export';
import type { KeyFlags } from './audit-log';
import type { ReportFlags } from './audit-report';
import type { VerifyFlags } from './audit-verify';

const log = () => require('./audit-log') as typeof import('./audit-log');

/** `counterfoil audit …` */
export const auditCommand = (program: Command): void => {
  const audit = program.command('audit').description('Sign, prove, export and check the audit log.');
  audit
    .command('sequence')
    .description('Sequence, sign and anchor the log as a process of its own, until it is told to stop.')
    .addHelpText(
      'after',
      '\nNeeds DATABASE_URL, AUDIT_SIGNING_KEY_FILE and the part audit of CONFIG_FILE; no other secret. Gateways beside it run with\nAUDIT_SEQUENCER=process and hold no signing key. Several may run at once. The log goes to stderr.',
    )
    .action(() => log().sequence());
  audit
    .command('key')
    .description('Print the public keys that sign the log, as "counterfoil audit verify --key" takes them.')
    .option(
      '--all',
      'those too that signed it earlier, as far as a checkpoint by a key that was trusted before covers their event',
    )
    .option('--json', 'print one JSON object: origin, keys')
    .action((flags: KeyFlags) => log().printKey(flags));
  audit
    .command('export')
    .description('Write events and disclosures with all that is needed to check them without the log ("audit verify").')
    .option('--from <time>', 'from this day or time on (default: the beginning)', timeOf)
    .option('--to <time>', 'up to this day or time, excluded (default: the latest checkpoint)', timeOf)
    .addOption(new Option('--format <format>', 'ndjson, or csv with its manifest').choices(exportFormats).default('ndjson'))
    .option('--customer <id>', 'only what is about this customer; the other leaves stand there as their hashes')
    .option('--since <size>', 'show that it continues the checkpoint of this size; may be repeated', sizeOf, [])
    .option('--out <file>', 'write to this file (default: stdout)')
    .option('--json', 'print one JSON object about what was written to --out')
    .addHelpText(
      'after',
      '\nEvery leaf in between is in the export, whatever was selected. Beside a gateway on the embedded database, the\ngateway writes it. The export itself is an event of the log.',
    )
    .action((flags: ExportFlags) => (require('./audit-export') as typeof import('./audit-export')).exportLog(flags));
  audit
    .command('report')
    .description('Count, by role, field and purpose, what was revealed, masked and denied; the totals are those of the log.')
    .requiredOption('--from <time>', 'from this day or time on', timeOf)
    .requiredOption('--to <time>', 'up to this day or time, excluded', timeOf)
    .addOption(new Option('--format <format>', 'markdown or csv').choices(['markdown', 'csv']).default('markdown'))
    .option('--out <file>', 'write to this file (default: stdout)')
    .action((flags: ReportFlags) => (require('./audit-report') as typeof import('./audit-report')).report(flags));
  audit
    .command('fork')
    .description('After a restore: go on under a new name, which says what is missing of the former one. Set audit.origin first.')
    .option(
      '--checkpoint <file>',
      'the last checkpoint of the former name that is known (default: what the mark, file anchors and database have)',
    )
    .option('--no-checkpoint', 'none was ever anchored')
    .option('--json', 'print one JSON object: origin, previous, size, missing')
    .addHelpText('after', '\nStop whoever signs before. Nothing that is stored is changed; the new name is an event of the log.')
    .action(({ checkpoint, ...flags }: { checkpoint?: string | boolean; json?: boolean }) =>
      (require('./audit-fork') as typeof import('./audit-fork')).fork({
        ...flags,
        // Without either option commander says true.
        checkpoint: checkpoint === true ? undefined : checkpoint,
      }),
    );
  audit
    .command('verify')
    .description(
      'Check an export by the log’s public key alone. Exit code 0: nothing is wrong; 1: the first thing that is, and where.',
    )
    .argument('<export>', 'the NDJSON file; or a CSV file, beside which its manifest (.manifest.ndjson) lies')
    .option(
      '--key <key>',
      'public key of the log as "counterfoil audit key" prints it, or a file with it; again for each key after a rotation (default: audit.keys of the configuration)',
      again,
      [],
    )
    .option(
      '--witness <key>',
      'public key of a witness: its cosignature in the export shows what the log was at that time; again for each',
      again,
      [],
    )
    .option(
      '--since <checkpoint>',
      'file with a checkpoint that was kept outside the log’s reach: shows that nothing before it was changed',
    )
    .option('--strict', 'hold every leaf against all rules of its version, and its bytes against canonical JSON (RFC 8785)')
    .option('--json', 'print one JSON object')
    .action((file: string, flags: VerifyFlags) =>
      (require('./audit-verify') as typeof import('./audit-verify')).verify(file, flags),
    );
};
