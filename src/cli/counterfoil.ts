#!/usr/bin/env node
import { Command } from 'commander';
import { auditCommand } from './audit.command';
import { doctorCommand } from './doctor.command';
import { migrateCommand } from './migrate.command';
import { operationsCommand } from './operations.command';
import { policyCommand } from './policy.command';
import { redactCommand } from './redact.command';
import { endWithoutReader, reportFailure } from './report';
import { rulesCommand } from './rules.command';
import { schemaCommand } from './schema.command';
import { startCommand } from './start.command';
import { syncCommand } from './sync.command';
import { tokenCommand } from './token.command';

// What a command takes stands in its *.command.ts, what it does in a file that is loaded when it runs: help, and commands
// that need neither database nor graph, shouldn't wait for both.
const program = new Command('counterfoil')
  .description('The graph between a helpdesk and its payment providers. Configured by environment and counterfoil.yaml.')
  .showHelpAfterError('(--help tells what is accepted)')
  .addHelpText('after', '\nFailures go to stderr with exit code 1; DEBUG=1 adds their stack.');
startCommand(program);
tokenCommand(program);
syncCommand(program);
policyCommand(program);
schemaCommand(program);
rulesCommand(program);
operationsCommand(program);
doctorCommand(program);
migrateCommand(program);
auditCommand(program);
redactCommand(program);

endWithoutReader();
program.parseAsync().catch(reportFailure);
