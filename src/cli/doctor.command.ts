import type { Command } from 'commander';
import { accountOf, again } from './arguments';
import type { DoctorFlags } from './doctor';

/** `counterfoil doctor`. */
export const doctorCommand = (program: Command): void => {
  program
    .command('doctor')
    .description(
      'Look whether the stored log is what was signed, whether database users may do more than they need, and the link fields.',
    )
    .option('--print-grants', 'print the SQL that gives the database users what they need, and nothing else')
    .option('--user <name@host>', 'with --print-grants: the user of gateways', accountOf, "'counterfoil'@'%'")
    .option(
      '--sequencer <name@host>',
      'with --print-grants: the user of "audit sequence", where another process signs',
      accountOf,
    )
    .option(
      '--key <key>',
      'public key of the log, or a file with it, beside those of the configuration; again for each',
      again,
      [],
    )
    .option('--no-sources', 'ask nothing of the sources')
    .option('--record', 'put on record how much was found in which area, for the console; the log has to be what was signed')
    .option('--json', 'print one JSON object: ok, findings')
    .addHelpText(
      'after',
      '\nExit code 1 where something was found. It reads every leaf, beside a gateway on the embedded database as they were at\none instant, for a minute at most.',
    )
    .action((flags: DoctorFlags) => (require('./doctor') as typeof import('./doctor')).examine(flags));
};
