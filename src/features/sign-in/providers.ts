import type { Configuration } from 'openid-client';
import { z } from 'zod';
import { Failure } from '../../failure';
import type { SignInProviderSection } from './sign-in.section';

/** The OpenID client, which nobody needs before somebody signs in. */
const client = () => require('openid-client') as typeof import('openid-client');

/** Seconds that a provider has for an answer. */
const longestAnswer = 10;
/** Bytes of an answer. */
const largestAnswer = 1_048_576;
/** For how long, in milliseconds, what a provider says of itself is believed. */
const believedFor = 3_600_000;
/** By how many seconds its clock may be behind ours where it says when somebody was authenticated. */
const clockSkew = 5;
/** Minutes between the beginning of a sign-in and its end, at most. */
export const mostMinutes = 10;

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
  /** The person has to be authenticated after it began. */
  asksAnew: z.boolean(),
  /** UTC milliseconds. */
  at: z.number(),
});
export type Beginning = z.output<typeof beginning>;

/** What a provider gave for a code, or for a refresh token. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string | null;
  readonly id: string | null;
  /** Seconds for which the access token is good, as the provider says beside it. */
  readonly expiresIn: number;
}

export interface ProviderParts {
  readonly providers: readonly SignInProviderSection[];
  readonly publicUrl: () => string;
  readonly production: boolean;
  readonly clock: () => Date;
  /** Where an issuer says what it offers: its own address, or that of the document itself (OpenID Connect Discovery 1.0, 4). */
  readonly metadataAddress: (issuer: string) => Promise<string>;
}

/** Where a provider sends the browser back to, before its id. */
export const backPath = '/sign-in/back';

export const providerUnavailable = (): Failure =>
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

/** With no more of an answer read than a provider has to say. */
const boundedFetch = async (url: string, options: object): Promise<Response> => {
  const response = await fetch(url, options as RequestInit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > largestAnswer) throw new TypeError('the identity provider’s answer is too long');
    chunks.push(chunk);
  }
  const { status, headers } = response;
  // Some may have no body (Fetch, null body status).
  return new Response(size === 0 ? null : Buffer.concat(chunks), { status, headers });
};

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
    const url = buildAuthorizationUrl(await this.configuration(provider), {
      redirect_uri: this.backUrl(provider),
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
    return { url: url.href, begun: { issuer, state, nonce, verifier, returnTo, asksAnew, at: this.parts.clock().getTime() } };
  }

  /**
   * What the provider gives for the answer that the browser brought to the address of the provider of this id. `query`: of the address, without
   * its question mark. Throws `SignInRefused`, and `UPSTREAM_UNAVAILABLE`.
   */
  async finish({ issuer, state, nonce, verifier, asksAnew, at }: Beginning, id: string, query: string): Promise<Tokens> {
    const provider = this.provider(issuer);
    // Somebody else's code, which the provider that was asked must not see.
    if (provider.id !== id) throw new SignInRefused('answer');
    const url = new URL(`${this.backUrl(provider)}?${query}`);
    const since = Math.ceil((this.parts.clock().getTime() - at) / 1_000);
    const configuration = await this.configuration(provider);
    const { authorizationCodeGrant, AuthorizationResponseError, ResponseBodyError } = client();
    try {
      return tokensOf(
        await authorizationCodeGrant(
          configuration,
          url,
          {
            expectedState: state,
            expectedNonce: nonce,
            pkceCodeVerifier: verifier,
            idTokenExpected: true,
            ...(asksAnew ? { maxAge: since + clockSkew } : {}),
          },
          this.named(provider),
        ),
      );
    } catch (error) {
      if (error instanceof AuthorizationResponseError) throw new SignInRefused('provider');
      if (error instanceof ResponseBodyError && error.status < 500) throw new SignInRefused('provider');
      throw isUnanswered(error) ? providerUnavailable() : new SignInRefused('answer');
    }
  }

  /** New tokens for a refresh token. Throws `SignInRefused` where the provider says that it isn't good any more, and `UPSTREAM_UNAVAILABLE` for all else. */
  async refresh(issuer: string, refresh: string): Promise<Tokens> {
    const provider = this.provider(issuer);
    const configuration = await this.configuration(provider);
    const { refreshTokenGrant, ResponseBodyError } = client();
    try {
      return tokensOf(await refreshTokenGrant(configuration, refresh, this.named(provider)));
    } catch (error) {
      if (error instanceof ResponseBodyError && error.error === 'invalid_grant') throw new SignInRefused('provider');
      throw providerUnavailable();
    }
  }

  /** Ends what was given (RFC 7009), where the provider has a place for that. */
  async revoke(issuer: string, refresh: string): Promise<void> {
    const configuration = await this.configuration(this.provider(issuer));
    if (configuration.serverMetadata().revocation_endpoint !== undefined)
      await client().tokenRevocation(configuration, refresh, { token_type_hint: 'refresh_token' });
  }

  /**
   * Where the browser goes to so that the provider's own session ends too; null where it has no such place. It names us alone: with `id_token_hint`
   * a token that says who somebody is would stand in the browser's history, and the provider asks them without it.
   */
  async endUrl(issuer: string): Promise<string | null> {
    const configuration = await this.configuration(this.provider(issuer));
    if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
    return client().buildEndSessionUrl(configuration).href;
  }

  private backUrl({ id }: SignInProviderSection): string {
    return `${this.parts.publicUrl()}${backPath}/${id}`;
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
    const { discovery, ClientSecretBasic, allowInsecureRequests, customFetch } = client();
    const configuration = this.parts
      .metadataAddress(provider.issuer)
      .then((address) =>
        discovery(
          new URL(address),
          provider.clientId,
          { client_secret: provider.clientSecret },
          ClientSecretBasic(provider.clientSecret),
          {
            timeout: longestAnswer,
            [customFetch]: boundedFetch,
            // Issuers without TLS are taken in development alone, as those of tokens are.
            ...(this.parts.production ? {} : { execute: [allowInsecureRequests] }),
          },
        ),
      )
      .then((found) => {
        // The client library compares them only where the address is the issuer's own.
        if (new URL(found.serverMetadata().issuer).href !== new URL(provider.issuer).href)
          throw new TypeError('it is another issuer');
        return found;
      })
      .catch(() => {
        this.known.delete(provider.issuer);
        throw providerUnavailable();
      });
    this.known.set(provider.issuer, { at: now, configuration });
    return configuration;
  }
}

/** Where the provider doesn't say for how long, it is asked again soon. */
const shortestLife = 60;

const tokensOf = (given: { access_token: string; refresh_token?: string; id_token?: string; expires_in?: number }): Tokens => ({
  access: given.access_token,
  refresh: given.refresh_token ?? null,
  id: given.id_token ?? null,
  expiresIn: given.expires_in ?? shortestLife,
});

/** There was no answer, or none that the provider meant: the network, a deadline, a server's error. */
const isUnanswered = (error: unknown): boolean => {
  const { code, status, name, cause } = error as { code?: string; status?: number; name?: string; cause?: unknown };
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || name === 'TimeoutError') return true;
  if (error instanceof TypeError && code === undefined) return true;
  if (status !== undefined && status >= 500) return true;
  return cause instanceof Response && cause.status >= 500;
};
