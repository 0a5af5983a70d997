import type { CryptoKey, JWTVerifyGetKey } from 'jose';
import * as errors from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import { z } from 'zod';
import { Failure, ProgrammingError } from '../../failure';
import { claimAt } from './claim-path';
import { type Issuer, type IssuerOptions, trustedIssuers } from './issuer';
import { defaultKeySetOptions, givenKeySet, type KeySet, type KeySetOptions, KeySetUnreachable, remoteKeySet } from './key-set';
import { type TokenFault, tokenFailure } from './token-fault';

export interface TrustOptions {
  readonly issuers: readonly IssuerOptions[];
  readonly clock: () => Date;
  /** Allows key sets by http from this machine. Never in production. */
  readonly development?: boolean;
  readonly keySets?: Partial<KeySetOptions>;
  /** Told when an issuer's keys could not be fetched, for logs and readiness; at most once a request made. */
  readonly onKeySetFault?: (issuer: string, why: string) => void;
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** What a kind of token must look like beyond what all must. Types are lower case without `application/`. */
export interface TokenKind {
  readonly types: readonly string[];
  readonly audience: (issuer: Issuer) => readonly string[];
  /** Refuses verified claims of the other kinds. */
  readonly refuse: (claims: Readonly<Record<string, unknown>>) => TokenFault | null;
}

/** Base64url SHA-256 of a key (RFC 7638), as `cnf` names it (RFC 9449, 6.1). */
const thumbprint = z.strictObject({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });

/** The key that a token is bound to by DPoP; undefined where it is to none, or in another way. */
export const boundKeyIn = (claims: Readonly<Record<string, unknown>>): string | undefined =>
  thumbprint.safeParse(claimAt(claims, ['cnf'])).data?.jkt;

/** A binding (RFC 7800) that nobody can be held to here: taking such a token without its proof would make a stolen one usable. */
const bindingFault = (claims: Readonly<Record<string, unknown>>): TokenFault | null => {
  const { cnf } = claims;
  if (!Object.hasOwn(claims, 'cnf') || boundKeyIn(claims) !== undefined) return null;
  return typeof cnf === 'object' && cnf !== null && Object.hasOwn(cnf, 'x5t#S256') ? 'certificate' : 'bound';
};

/**
 * Whether a token says by its claims that it is an ID token (OpenID Connect Core 1.0, 3.1.3.6 and 3.3.2.11; Keycloak says so in words). The `nonce` of
 * a sign-in stands in some providers' access tokens too, which then name their scopes.
 */
const isIdToken = (claims: Readonly<Record<string, unknown>>): boolean => {
  const has = (name: string): boolean => Object.hasOwn(claims, name);
  return has('at_hash') || has('c_hash') || claims.typ === 'ID' || (has('nonce') && !has('scope') && !has('scp'));
};

/**
 * Tokens with `events` are security event tokens (RFC 8417) such as logout tokens, which must not pass for access tokens; nor must ID tokens, whose
 * audience is a client that may be called as this gateway is.
 */
export const accessToken: TokenKind = {
  types: ['jwt', 'at+jwt'],
  audience: (issuer) => issuer.audience,
  refuse: (claims) => (Object.hasOwn(claims, 'events') || isIdToken(claims) ? 'type' : bindingFault(claims)),
};

export const logoutToken: TokenKind = {
  types: ['jwt', 'logout+jwt'],
  audience: (issuer) => issuer.logoutAudience ?? issuer.audience,
  refuse: ({ events }) => {
    if (typeof events !== 'object' || events === null || !Object.hasOwn(events, logoutEvent)) return 'type';
    const event = (events as Record<string, unknown>)[logoutEvent];
    return typeof event === 'object' && event !== null && !Array.isArray(event) ? null : 'logout';
  },
};

const text = z
  .string()
  .min(1)
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: identifiers are compared, stored and logged; none has control characters
  .regex(/^[^\u0000-\u001f\u007f]*$/);

/** Claims with their meaning checked; times in seconds since 1970. */
const registeredClaims = z.looseObject({
  iss: z.string(),
  sub: text.optional(),
  sid: text.optional(),
  jti: text.optional(),
  iat: z.number().min(0),
  exp: z.number().min(0),
  nbf: z.number().optional(),
});
export type RegisteredClaims = z.output<typeof registeredClaims>;

export interface TrustedToken {
  readonly issuer: Issuer;
  readonly claims: RegisteredClaims;
  /** Of the keys that the token was checked by; see `KeySet.edition`. */
  readonly edition: unknown;
}

/** Characters: what a thousand groups need. */
const longestToken = 65_536;
/** Keys of a set that fit a token and are tried: a provider that publishes one twice, or two under one id, has a few. */
const mostKeysTried = 16;

/** The JSON object in a segment, null for anything else, also for base64url that has a second spelling. */
export const objectIn = (segment: string): Readonly<Record<string, unknown>> | null => {
  const bytes = Buffer.from(segment, 'base64url');
  if (bytes.toString('base64url') !== segment) return null;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

const faultOf = (error: unknown): TokenFault => {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud' && error.reason === 'check_failed') return 'audience';
    if (error.claim === 'iss' && error.reason === 'check_failed') return 'issuer';
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'not-yet-valid';
    return 'claims';
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  // No key, several, or one that is too weak or broken: jose throws JWKS errors, but TypeError and DOMException too.
  return 'key';
};

/** By the key that fits; where several do, by whichever has signed it. */
const verifiedByOneOf = async (
  token: string,
  keys: JWTVerifyGetKey,
  options: NonNullable<Parameters<typeof jwtVerify>[2]>,
): Promise<Readonly<Record<string, unknown>>> => {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tried = 0;
    for await (const key of error as AsyncIterable<CryptoKey>) {
      tried += 1;
      if (tried > mostKeysTried) break;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (fault) {
        if (!(fault instanceof errors.JWSSignatureVerificationFailed)) throw fault;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
};

/** The issuers whose tokens count, their keys, and the checks that every kind of token passes. Holds no token. */
export class TrustedIssuers {
  private readonly issuers: ReadonlyMap<string, { readonly issuer: Issuer; readonly keySet: KeySet }>;
  private readonly clock: () => Date;

  /** Throws `ProgrammingError` for options that the configuration's schema would refuse. */
  constructor({ issuers, clock, development = false, keySets = {}, onKeySetFault = () => undefined }: TrustOptions) {
    const parsed = trustedIssuers({ development }).safeParse(issuers);
    if (!parsed.success) throw new ProgrammingError(`issuers: ${z.prettifyError(parsed.error)}`);
    this.clock = clock;
    const options = { ...defaultKeySetOptions, ...keySets };
    this.issuers = new Map(
      parsed.data.map((issuer) => [
        issuer.issuer,
        {
          issuer,
          keySet:
            issuer.jwksUri === undefined
              ? givenKeySet(issuer.keys ?? { keys: [] })
              : remoteKeySet(issuer.jwksUri, options, (why) => onKeySetFault(issuer.issuer, why)),
        },
      ]),
    );
  }

  /** What of an issuer's keys is in force; undefined when none is. */
  edition(issuer: string): unknown {
    return this.issuers.get(issuer)?.keySet.edition();
  }

  /** The configured issuer that a token names, before anything of it is proven; null for any other. */
  issuerNamedIn(token: string): string | null {
    const named = token.length > longestToken ? undefined : objectIn(token.split('.')[1] ?? '')?.iss;
    return typeof named === 'string' && this.issuers.has(named) ? named : null;
  }

  /**
   * The claims of a token whose signature, issuer, audience, times and type are right. Throws `UNAUTHENTICATED`, or
   * `UPSTREAM_UNAVAILABLE` when the issuer's keys are needed and can't be had. Revocation is the caller's to check.
   */
  async authenticate(token: string, kind: TokenKind): Promise<TrustedToken> {
    if (typeof token !== 'string') throw tokenFailure('malformed');
    if (token.length > longestToken) throw tokenFailure('length');
    const segments = token.split('.');
    if (segments.length !== 3) throw tokenFailure('malformed');
    const [header, claims] = segments.map(objectIn);
    if (!header || !claims) throw tokenFailure('malformed');

    // From here to the signature nothing is believed: `iss` only chooses whose algorithms and keys the token is held against.
    const trusted = typeof claims.iss === 'string' ? this.issuers.get(claims.iss) : undefined;
    if (trusted === undefined) throw tokenFailure('issuer');
    const { issuer, keySet } = trusted;
    const { alg, typ, kid } = header;
    const algorithms: readonly unknown[] = issuer.algorithms;
    if (!algorithms.includes(alg)) throw tokenFailure('algorithm');
    if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) throw tokenFailure('header');
    if (kid !== undefined && (typeof kid !== 'string' || kid.length > 512)) throw tokenFailure('malformed');
    if (typ !== undefined) {
      if (typeof typ !== 'string') throw tokenFailure('malformed');
      if (!kind.types.includes(typ.toLowerCase().replace(/^application\//, ''))) throw tokenFailure('type');
    }

    const now = this.clock();
    const { payload: verified, edition } = await this.signed(token, issuer, keySet, kind, now);
    const parsed = registeredClaims.safeParse(verified);
    if (!parsed.success) throw tokenFailure('claims');
    const { iat, exp } = parsed.data;
    const refusal = kind.refuse(verified);
    if (refusal !== null) throw tokenFailure(refusal);
    if (iat > now.getTime() / 1000 + issuer.clockSkewSeconds) throw tokenFailure('issued-in-future');
    if (!(exp > iat && exp - iat <= issuer.maxLifetimeSeconds)) throw tokenFailure('lifetime');
    return { issuer, claims: parsed.data, edition };
  }

  /** The payload of a token that one of the issuer's keys has signed, and the edition of these keys. */
  private async signed(token: string, issuer: Issuer, keySet: KeySet, kind: TokenKind, now: Date) {
    const options = {
      algorithms: [...issuer.algorithms],
      issuer: issuer.issuer,
      audience: [...kind.audience(issuer)],
      clockTolerance: issuer.clockSkewSeconds,
      currentDate: now,
    };
    const verified = async () => {
      const edition = keySet.edition();
      return { payload: await verifiedByOneOf(token, keySet.key, options), edition };
    };
    try {
      return await verified().catch(async (error: unknown) => {
        // The key of that id may be another one by now.
        if (error instanceof errors.JWSSignatureVerificationFailed && (await keySet.renew())) return verified();
        throw error;
      });
    } catch (error) {
      if (error instanceof KeySetUnreachable || error instanceof errors.JWKSTimeout)
        throw new Failure('UPSTREAM_UNAVAILABLE', 'The identity provider’s keys can’t be fetched just now.', {
          rule: 'token.key-set',
          remedy: 'Try again in a few seconds; if it persists, check identity.issuers[].jwksUri from the gateway’s host.',
          retryAfter: 5,
        });
      throw tokenFailure(faultOf(error));
    }
  }
}
