import type { Command } from 'commander';
import type { SyncFlags } from './sync';

/** `counterfoil sync`. */
export const syncCommand = (program: Command): void => {
  program
    .command('sync')
    .description('Read every configured source to its end: backfill where it is not finished, then what changed since.')
    .option('--json', 'print one JSON object at the end: milliseconds and sources; progress stays on stderr')
    .addHelpText('after', '\nBeside a gateway that runs on the same embedded database, the gateway does it.')
    .action((flags: SyncFlags) => (require('./sync') as typeof import('./sync')).sync(flags));
};
