import type { Command } from 'commander';

/** `counterfoil migrate`. */
export const migrateCommand = (program: Command): void => {
  program
    .command('migrate')
    .description('Bring the tables of DATABASE_URL up to date, and nothing else. A gateway does that by itself where it may.')
    .action(() => (require('./migrate') as typeof import('./migrate')).migrate());
};
