import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Role } from '../../src/authz/actor';
import type { IssuerConfiguration } from '../../src/authz/identity/token-verifier';

export interface Person {
  readonly roles: readonly Role[];
  readonly teams: readonly string[];
  readonly mfa?: boolean;
  /** The identity provider's own name for them, where it isn't their name at the helpdesk. */
  readonly subject?: string;
  /** What else the token says. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A merchant's identity provider with whatever people a test needs, beside the development issuer and its fixed ones. */
export class OtherIssuer {
  private constructor(
    private readonly key: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'],
    readonly configuration: IssuerConfiguration,
  ) {}

  static async open(issuer = 'https://other.example.com'): Promise<OtherIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const published = { ...(await exportJWK(publicKey)), kid: 'other', alg: 'ES256', use: 'sig' };
    const configuration = {
      issuer,
      audience: ['counterfoil'],
      logoutAudience: 'counterfoil-client',
      algorithms: ['ES256'],
      // The keys themselves in place of their address: nothing has to listen.
      keys: { keys: [published] },
    } as unknown as IssuerConfiguration;
    return new OtherIssuer(privateKey, configuration);
  }

  token(user: string, { roles, teams, mfa = true, subject = user, claims = {} }: Person, at: Date): Promise<string> {
    const now = Math.floor(at.getTime() / 1_000);
    return new SignJWT({
      roles: [...roles],
      teams: [...teams],
      amr: mfa ? ['pwd', 'mfa'] : ['pwd'],
      auth_time: now,
      preferred_username: user,
      sid: randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'other' })
      .setIssuer(this.configuration.issuer)
      .setAudience('counterfoil')
      .setSubject(subject)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + 900)
      .sign(this.key);
  }
  /** What the identity provider sends when it ends somebody's session (OpenID Connect Back-Channel Logout 1.0, 2.4). */
  logoutToken(subject: string, session: string, at: Date): Promise<string> {
    const now = Math.floor(at.getTime() / 1_000);
    return new SignJWT({ sid: session, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
      .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt', kid: 'other' })
      .setIssuer(this.configuration.issuer)
      .setAudience('counterfoil-client')
      .setSubject(subject)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + 120)
      .sign(this.key);
  }
}
