import { join } from 'node:path';
import type { Command } from 'commander';
import { developmentAudience, developmentIssuerName } from '../app';
import { DevelopmentIssuer, developmentPeople } from '../authz/identity/development-issuer';
import { longestLifetimeSeconds } from '../authz/identity/issuer';
import { loadLocalConfig } from '../config';
import { CommandFailed } from './report';

interface TokenOptions {
  readonly user: string;
  readonly mfa: boolean;
  readonly json?: boolean;
}

/** `counterfoil token`: needs the key of the development issuer in DATA_DIR, no database and no running gateway. */
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
    .action(async ({ user, mfa, json }: TokenOptions) => {
      const { production, developmentIssuer, dataFolder } = loadLocalConfig();
      if (production) throw new CommandFailed('There is no development issuer in production. Sign in at your identity provider.');
      if (!developmentIssuer) throw new CommandFailed('The development issuer is switched off: DEVELOPMENT_ISSUER is false.');
      const now = new Date();
      const issuer = await DevelopmentIssuer.open({
        keyFile: join(dataFolder, 'keys', 'development-issuer.json'),
        issuer: developmentIssuerName,
        audience: developmentAudience,
        clock: () => now,
      });
      const token = await issuer.issue(user, { mfa });
      const person = issuer.people.find((each) => each.user === user);
      const expiresAt = new Date((Math.floor(now.getTime() / 1_000) + longestLifetimeSeconds) * 1_000);
      if (json) {
        process.stdout.write(`${JSON.stringify({ ...person, mfa, expiresAt, token })}\n`);
        return;
      }
      // What explains goes to stderr, so that the token alone can be taken by a shell.
      process.stderr.write(
        `${user}: ${person?.roles.join(', ')}${person?.teams.length ? `, teams ${person.teams.join(', ')}` : ''}, ${mfa ? 'with' : 'without'} a second factor, until ${expiresAt.toISOString()}\n`,
      );
      process.stdout.write(`${token}\n`);
    });
};
