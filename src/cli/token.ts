import '../deferred';
import { longestLifetimeSeconds } from '../authz/identity/issuer';
import { loadLocalConfig } from '../config/local';
import { CommandFailed } from './report';

const issuers = () =>
  require('../development/issuer/development-issuer') as typeof import('../development/issuer/development-issuer');

export interface TokenFlags {
  readonly user: string;
  readonly mfa: boolean;
  readonly client?: string;
  readonly boundTo?: string;
  readonly json?: boolean;
}

/** `counterfoil token`: needs the key of the development issuer in DATA_DIR, no database and no running gateway. */
export const printToken = async ({ user, mfa, client, boundTo, json }: TokenFlags): Promise<void> => {
  const { production, developmentIssuer, dataFolder } = loadLocalConfig();
  if (production) throw new CommandFailed('There is no development issuer in production. Sign in at your identity provider.');
  if (!developmentIssuer) throw new CommandFailed('The development issuer is switched off: DEVELOPMENT_ISSUER is false.');
  const now = new Date();
  const issuer = await issuers().openDevelopmentIssuer(dataFolder, () => now);
  const token = await issuer.issue(user, {
    mfa,
    ...(client === undefined ? {} : { clientId: client }),
    ...(boundTo === undefined ? {} : { boundTo }),
  });
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
};
