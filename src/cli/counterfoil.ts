#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { auditVerifyCommand } from './audit';
import { auditExportCommand } from './audit-export';
import { auditForkCommand } from './audit-fork';
import { auditLogCommands } from './audit-log';
import { auditReportCommand } from './audit-report';
import { doctorCommand } from './doctor';
import { migrateCommand } from './migrate';
import { policyCommand } from './policy';
import { reportFailure } from './report';
import { schemaCommand } from './schema';
import { start } from './start';
import { syncCommand } from './sync';
import { tokenCommand } from './token';

const program = new Command('counterfoil')
  .description('The graph between a helpdesk and its payment providers. Configured by environment and counterfoil.yaml.')
  .showHelpAfterError('(--help tells what is accepted)')
  .addHelpText('after', '\nFailures go to stderr with exit code 1; DEBUG=1 adds their stack.');
program
  .command('start')
  .description('Migrate the database, load the demo merchant where nothing else is configured, and serve the graph.')
  .addHelpText(
    'after',
    '\nPORT (4000), HOST (127.0.0.1), DATABASE_URL, DATA_DIR (.data) and CONFIG_FILE (counterfoil.yaml) say how.',
  )
  .action(start);
tokenCommand(program);
syncCommand(program);
policyCommand(program);
schemaCommand(program);
doctorCommand(program);
migrateCommand(program);
const audit = program.command('audit').description('Sign, prove, export and check the audit log.');
auditLogCommands(audit);
auditExportCommand(audit);
auditReportCommand(audit);
auditForkCommand(audit);
auditVerifyCommand(audit);

program.parseAsync().catch(reportFailure);
