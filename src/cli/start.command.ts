import type { Command } from 'commander';

/** `counterfoil start`. */
export const startCommand = (program: Command): void => {
  program
    .command('start')
    .description('Migrate the database, load the demo merchant where nothing else is configured, and serve the graph.')
    .addHelpText(
      'after',
      '\nPORT (4000), HOST (127.0.0.1), DATABASE_URL, DATA_DIR (.data) and CONFIG_FILE (counterfoil.yaml) say how.',
    )
    .action(() => (require('./start') as typeof import('./start')).start());
};
