import type { Command } from 'commander';
import { developmentPeople } from '../development/issuer/development-people';
import type { TokenFlags } from './token';

/** `counterfoil token`. */
export const tokenCommand = (program: Command): void => {
  program
    .command('token')
    .description('Print a token of one of the demo people (development only); it is the last line.')
    .requiredOption('--user <name>', `one of ${developmentPeople.map(({ user }) => user).join(', ')}`)
    .option('--no-mfa', 'a session without a second factor')
    .option('--json', 'print one JSON object: user, roles, teams, mfa, expiresAt, token')
    .addHelpText(
      'after',
      '\nThe gateway must use the same DATA_DIR.\n\nExample:\n  curl -s http://127.0.0.1:4000/graphql -H "authorization: Bearer $(npx counterfoil token --user ana | tail -1)" \\\n    -H "content-type: application/json" -d \'{"query":"{ viewer { id roles mfa } }"}\'',
    )
    .action((flags: TokenFlags) => (require('./token') as typeof import('./token')).printToken(flags));
};
