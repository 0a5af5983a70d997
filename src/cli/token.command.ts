import type { Command } from 'commander';
import type { TokenFlags } from './token';

const people = () =>
  require('../development/issuer/development-people') as typeof import('../development/issuer/development-people');
const names = (): string =>
  people()
    .developmentPeople.map(({ user }) => user)
    .join(', ');

/** `counterfoil token`. */
export const tokenCommand = (program: Command): void => {
  program
    .command('token')
    .description('Print a token of one of the demo people (development only); it is the last line.')
    .requiredOption('--user <name>', 'one of the demo people')
    .option('--no-mfa', 'a session without a second factor')
    .option('--client <id>', 'the client that the token is for (client_id); development unless told otherwise')
    .option('--bound-to <thumbprint>', 'bound to the key with this thumbprint (RFC 7638), to be sent with proofs of it (DPoP)')
    .option('--json', 'print one JSON object: user, roles, teams, mfa, expiresAt, token')
    .addHelpText(
      'after',
      () =>
        `\nThe demo people: ${names()}. The gateway must use the same DATA_DIR.\n\nExample:\n  curl -s http://127.0.0.1:4000/graphql -H "authorization: Bearer $(npx counterfoil token --user ana | tail -1)" \\\n    -H "content-type: application/json" -d '{"query":"{ viewer { id roles mfa } }"}'`,
    )
    .action((flags: TokenFlags) => (require('./token') as typeof import('./token')).printToken(flags));
};
