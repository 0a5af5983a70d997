import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JWK } from 'jose';
import { SignJWT } from 'jose/jwt/sign';
import { exportJWK } from 'jose/key/export';
import { generateKeyPair } from 'jose/key/generate/keypair';
import { z } from 'zod';
import { type IssuerOptions, longestLifetimeSeconds } from '../../authz/identity/issuer';
import { Failure } from '../../failure';
import { developmentPeople } from './development-people';

const developmentAudience = 'counterfoil';
/** The client that the demo people's tokens name. */
export const developmentClient = 'development';
/** The gateway, as the client at which they sign in with a browser. */
export const browserClient = 'console';
const developmentIssuerName = 'https://development.counterfoil.invalid';

export interface DevelopmentIssuerOptions {
  /** Holds the private key, for this user of the machine only; made when it doesn't exist. */
  readonly keyFile: string;
  readonly issuer: string;
  readonly audience: string;
  readonly clock: () => Date;
}

export interface IssueOptions {
  /** Whether the session was opened with a second factor; it was unless told otherwise. */
  readonly mfa?: boolean;
  /** 1 to 900 seconds, 900 unless told otherwise. */
  readonly lifetimeSeconds?: number;
  /** When the person signed in, now unless told otherwise. */
  readonly authenticatedAt?: Date;
  /** The session at the issuer, a new one unless told otherwise. */
  readonly sessionId?: string;
  /** The client that asked for the token, `development` unless told otherwise. */
  readonly clientId?: string;
  /** The device that the person is on; the token names none unless told. */
  readonly device?: string;
  /** Thumbprint of the key that the token is bound to (RFC 9449, 6.1); to none unless told. */
  readonly boundTo?: string;
}

const privateKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string(),
});
export type PrivateKey = z.output<typeof privateKey>;

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
const exists = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';

/** Null when there is no file. Throws when others may read or change it, or when it holds something else. */
const readKey = async (file: string): Promise<PrivateKey | null> => {
  // A link would let whoever may write the folder choose the key.
  const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (isAbsent(error)) return null;
    throw error;
  });
  if (opened === null) return null;
  try {
    const { mode } = await opened.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new Error(`${file} may be read by others: set its mode to 600, or delete it to get a new key`);
    const parsed = privateKey.safeParse(jsonIn(await opened.readFile('utf8')));
    if (!parsed.success) throw new Error(`${file} holds no key of the development issuer: delete it to get a new one`);
    return parsed.data;
  } finally {
    await opened.close();
  }
};

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Written aside and linked into place, so that of two processes that start together one wins and none reads half a file. */
const makeKey = async (file: string): Promise<void> => {
  const { privateKey: made } = await generateKeyPair('ES256', { extractable: true });
  const text = JSON.stringify({ ...(await exportJWK(made)), kid: `development-${randomUUID()}` });
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${randomUUID()}`;
  const opened = await open(aside, 'wx', 0o600);
  try {
    await opened.writeFile(text);
    await opened.sync();
    await opened.close();
    await link(aside, file).catch((error: unknown) => {
      if (!exists(error)) throw error;
    });
  } finally {
    await opened.close();
    await unlink(aside);
  }
};

/** An identity provider of the gateway's own for the demo people. Whoever may run it is anybody: never in production. */
export class DevelopmentIssuer {
  readonly people = developmentPeople;

  private constructor(
    private readonly options: DevelopmentIssuerOptions,
    /** The private one. */
    readonly key: PrivateKey,
  ) {}

  /** As its tokens have it. */
  get name(): string {
    return this.options.issuer;
  }

  get audience(): string {
    return this.options.audience;
  }

  static async open(options: DevelopmentIssuerOptions): Promise<DevelopmentIssuer> {
    let key = await readKey(options.keyFile);
    if (key === null) {
      await makeKey(options.keyFile);
      key = await readKey(options.keyFile);
    }
    if (key === null) throw new Error(`${options.keyFile} vanished while it was made`);
    return new DevelopmentIssuer(options, key);
  }

  /** An access token of one of the people. Throws `INVALID` for anybody else and for a life that is not 1 to 900 seconds. */
  async issue(
    user: string,
    {
      mfa = true,
      lifetimeSeconds = longestLifetimeSeconds,
      authenticatedAt,
      sessionId = randomUUID(),
      clientId = developmentClient,
      device,
      boundTo,
    }: IssueOptions = {},
  ): Promise<string> {
    const person = this.people.find((each) => each.user === user);
    if (person === undefined) throw Failure.invalid('user', `one of ${this.people.map((each) => each.user).join(', ')}`);
    if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > longestLifetimeSeconds)
      throw Failure.invalid('lifetimeSeconds', `a whole number from 1 to ${longestLifetimeSeconds}`);
    if (boundTo !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(boundTo))
      throw Failure.invalid('boundTo', 'the base64url SHA-256 thumbprint of a key, 43 characters');
    const now = Math.floor(this.options.clock().getTime() / 1000);
    return new SignJWT({
      roles: [...person.roles],
      teams: [...person.teams],
      amr: mfa ? ['pwd', 'otp', 'mfa'] : ['pwd'],
      auth_time: authenticatedAt === undefined ? now : Math.floor(authenticatedAt.getTime() / 1000),
      preferred_username: person.user,
      sid: sessionId,
      client_id: clientId,
      ...(device === undefined ? {} : { device }),
      ...(boundTo === undefined ? {} : { cnf: { jkt: boundTo } }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: this.key.kid })
      .setIssuer(this.options.issuer)
      .setAudience(this.options.audience)
      .setSubject(person.user)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(this.key);
  }

  /** By which a `TokenVerifier` trusts this issuer; holds the public half only. */
  issuerOptions(): IssuerOptions & { readonly keys: { keys: (JWK & { kty: string })[] } } {
    const { d: _secret, ...published } = this.key;
    return {
      issuer: this.options.issuer,
      audience: this.options.audience,
      logoutAudience: browserClient,
      algorithms: ['ES256'],
      claims: { device: 'device' },
      keys: { keys: [{ ...published, alg: 'ES256', use: 'sig' }] },
    };
  }
}

/** The issuer of this data folder, as its gateway trusts it. */
export const openDevelopmentIssuer = (dataFolder: string, clock: () => Date): Promise<DevelopmentIssuer> =>
  DevelopmentIssuer.open({
    keyFile: join(dataFolder, 'keys', 'development-issuer.json'),
    issuer: developmentIssuerName,
    audience: developmentAudience,
    clock,
  });
