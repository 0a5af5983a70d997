import type { Configuration } from 'openid-client';
import { z } from 'zod';
import { Failure } from '../../failure';
import type { SignInProviderSection } from './sign-in.section';

/** The OpenID client, which nobody needs before somebody signs in. */
const client = () => require('openid-client') as typeof import('openid-client');

/** Seconds that a provider has for an answer. */
const longestAnswer = 10;
/** For how long, in milliseconds, what a provider says of itself is believed. */
const believedFor = 3_600_000;

/** What a person lacks: a second factor, or having signed in a moment ago. */
export const stepUps = ['second-factor', 'recent'] as const;
export type SignInStepUp = (typeof stepUps)[number];

/** A sign-in that has begun, as the browser that began it brings it back, sealed. */
export const beginning = z.strictObject({
  issuer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  maxAge: z.number().nullable(),
  /** UTC milliseconds. */
  at: z.number(),
});
export type Beginning = z.output<typeof beginning>;

/** What a provider gave for a code, or for a refresh token. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string | null;
  readonly id: string | null;
}

export interface ProviderParts {
  readonly providers: readonly SignInProviderSection[];
  readonly publicUrl: () => string;
  readonly production: boolean;
  readonly clock: () => Date;
}

/** Where the provider sends the browser back to. */
export const backPath = '/sign-in/back';

const unavailable = (): Failure =>
  new Failure('UPSTREAM_UNAVAILABLE', 'The identity provider can’t be reached just now.', {
    rule: 'sign-in.provider',
    remedy: 'Try again in a few seconds.',
    retryAfter: 5,
  });

/** The answer isn't one to what was asked, or the provider says no. The message says which, and nothing of it. */
export class SignInRefused extends Error {
  constructor(readonly why: 'provider' | 'answer' | 'token') {
    super(`The sign-in was refused (${why}).`);
    this.name = 'SignInRefused';
  }
}

/** The identity providers, as the gateway is their confidential client: authorization code with PKCE (RFC 6749, RFC 7636; OpenID Connect Core 1.0). */
export class SignInProviders {
  private readonly known = new Map<string, { readonly at: number; readonly configuration: Promise<Configuration> }>();

  constructor(private readonly parts: ProviderParts) {}

  get all(): readonly Pick<SignInProviderSection, 'issuer' | 'name'>[] {
    return this.parts.providers;
  }

  /** Where the browser goes to, and what it brings back. Throws `UPSTREAM_UNAVAILABLE`. */
  async begin(issuer: string, returnTo: string, stepUp: SignInStepUp | null): Promise<{ url: string; begun: Beginning }> {
    const provider = this.provider(issuer);
    const { randomPKCECodeVerifier, randomNonce, randomState, calculatePKCECodeChallenge, buildAuthorizationUrl } = client();
    const verifier = randomPKCECodeVerifier();
    const [nonce, state] = [randomNonce(), randomState()];
    const classes = stepUp === 'second-factor' ? provider.secondFactor : [];
    const asksAnew = stepUp === 'recent' || (stepUp === 'second-factor' && classes.length === 0);
    const maxAge = asksAnew ? 0 : null;
    const url = buildAuthorizationUrl(await this.configuration(provider), {
      redirect_uri: this.backUrl,
      response_type: 'code',
      scope: provider.scope.join(' '),
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...(provider.resource === undefined ? {} : { resource: provider.resource }),
      ...(classes.length === 0 ? {} : { acr_values: classes.join(' ') }),
      ...(asksAnew ? { max_age: '0', prompt: 'login' } : {}),
    });
    const begun = { issuer, state, nonce, verifier, returnTo, maxAge, at: this.parts.clock().getTime() };
    return { url: url.href, begun };
  }

  /** What the provider gives for the answer that the browser brought. `query`: of the address, without its question mark. Throws `SignInRefused`. */
  async finish({ issuer, state, nonce, verifier, maxAge }: Beginning, query: string): Promise<Tokens> {
    const provider = this.provider(issuer);
    const url = new URL(`${this.backUrl}?${query}`);
    return this.asked(provider, (configuration) =>
      client().authorizationCodeGrant(
        configuration,
        url,
        {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
          // Counted from when the provider was asked; what it allows beside that is the difference of two clocks.
          ...(maxAge === null ? {} : { maxAge: maxAge + mostMinutes * 60 }),
        },
        this.named(provider),
      ),
    );
  }

  /** New tokens for a refresh token. Throws `SignInRefused` where it isn't good any more, and `UPSTREAM_UNAVAILABLE`. */
  async refresh(issuer: string, refresh: string): Promise<Tokens> {
    const provider = this.provider(issuer);
    return this.asked(provider, (configuration) => client().refreshTokenGrant(configuration, refresh, this.named(provider)));
  }

  /** Where the browser goes to so that the provider's own session ends too; null where it has no such place. */
  async endUrl(issuer: string, idToken: string | null): Promise<string | null> {
    const configuration = await this.configuration(this.provider(issuer));
    if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
    const hint = idToken === null ? {} : { id_token_hint: idToken };
    return client().buildEndSessionUrl(configuration, hint).href;
  }

  private get backUrl(): string {
    return `${this.parts.publicUrl()}${backPath}`;
  }

  private named({ resource }: SignInProviderSection): Record<string, string> {
    return resource === undefined ? {} : { resource };
  }

  private provider(issuer: string): SignInProviderSection {
    const found = this.parts.providers.find((each) => each.issuer === issuer);
    if (!found) throw new SignInRefused('provider');
    return found;
  }

  private async configuration(provider: SignInProviderSection): Promise<Configuration> {
    const now = this.parts.clock().getTime();
    const known = this.known.get(provider.issuer);
    if (known && now - known.at < believedFor) return known.configuration;
    const { discovery, ClientSecretBasic, allowInsecureRequests } = client();
    const configuration = discovery(
      new URL(provider.issuer),
      provider.clientId,
      { client_secret: provider.clientSecret },
      ClientSecretBasic(provider.clientSecret),
      // Issuers without TLS are taken in development alone, as those of tokens are.
      { timeout: longestAnswer, ...(this.parts.production ? {} : { execute: [allowInsecureRequests] }) },
    ).catch(() => {
      this.known.delete(provider.issuer);
      throw unavailable();
    });
    this.known.set(provider.issuer, { at: now, configuration });
    return configuration;
  }

  private async asked(
    provider: SignInProviderSection,
    ask: (configuration: Configuration) => Promise<{ access_token: string; refresh_token?: string; id_token?: string }>,
  ): Promise<Tokens> {
    const configuration = await this.configuration(provider);
    const { AuthorizationResponseError, ResponseBodyError } = client();
    try {
      const { access_token: access, refresh_token: refresh, id_token: id } = await ask(configuration);
      return { access, refresh: refresh ?? null, id: id ?? null };
    } catch (error) {
      if (error instanceof AuthorizationResponseError) throw new SignInRefused('provider');
      if (error instanceof ResponseBodyError && error.status < 500) throw new SignInRefused('provider');
      if (isUnanswered(error)) throw unavailable();
      throw new SignInRefused('answer');
    }
  }
}

/** Minutes between the beginning of a sign-in and its end, at most. */
export const mostMinutes = 10;

/** There was no answer, or none that the provider meant: the network, a deadline, a server's error. */
const isUnanswered = (error: unknown): boolean => {
  const { code, status, name, cause } = error as { code?: string; status?: number; name?: string; cause?: unknown };
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || name === 'TimeoutError') return true;
  if (error instanceof TypeError && code === undefined) return true;
  if (status !== undefined && status >= 500) return true;
  return cause instanceof Response && cause.status >= 500;
};
