import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Role, roles } from '../actor';
import { claimAt, textsAt } from './claim-path';
import type { Issuer } from './issuer';
import { tokenFailure } from './token-fault';
import { accessToken, boundKeyIn, type RegisteredClaims, TrustedIssuers, type TrustOptions } from './trusted-issuers';

export { type IssuerConfiguration, type IssuerOptions, issuerConfiguration, issuersConfiguration } from './issuer';

/** Who a token speaks for, as its issuer says. Nothing here was compared with revocations. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  /** `sid`: the session at the provider. */
  readonly sessionId: string | null;
  /** `jti`. */
  readonly tokenId: string | null;
  /** May be empty: signed in, allowed nothing. A service has at most SERVICE, a person never has it. */
  readonly roles: readonly Role[];
  /** Whether the claim that names roles was in the token at all: where there is no role, that says what to mend. */
  readonly namesRoles: boolean;
  readonly teams: readonly string[];
  readonly mfa: boolean;
  /** `auth_time`, never after `issuedAt`. */
  readonly authenticatedAt: Date | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** By which the person is found among the helpdesk's staff, in lower case; null for services. */
  readonly staffClaim: string | null;
  /** What the person is called, as their provider words it, without what can't be seen; null for services, and where no claim says it. */
  readonly name: string | null;
  readonly kind: 'staff' | 'service';
  /** The device as the configured claim names it; not there where the issuer has no such claim, or the token none. */
  readonly device?: string;
  /** The client that the token was issued to; not there where it names none, or two that differ. */
  readonly clientId?: string;
  /** Thumbprint of the key that it is bound to (`cnf`): it says nothing of whoever sent it before they have proven that it is theirs. */
  readonly boundTo?: string;
}

/** Throws `UNAUTHENTICATED` where there are too many: a list that is cut would say another thing. */
const valuesAt = (claims: RegisteredClaims, path: readonly string[]): readonly string[] => {
  const values = textsAt(claims, path);
  if (values === null) throw tokenFailure('values');
  return values;
};

const rolesIn = (issuer: Issuer, claims: RegisteredClaims): readonly Role[] => {
  const { roleMap, roles: path } = issuer.claims;
  const meaning = new Map<string, Role>(roleMap === undefined ? roles.map((role) => [role, role]) : Object.entries(roleMap));
  return [...new Set(valuesAt(claims, path).flatMap((value) => meaning.get(value) ?? []))];
};

const hasSecondFactor = (issuer: Issuer, claims: RegisteredClaims): boolean => {
  const { amr, acr } = issuer.claims.mfa;
  const [methodsUsed, context] = [claimAt(claims, ['amr']), claimAt(claims, ['acr'])];
  // RFC 8176 has a list; some providers write the one method as a word.
  const used: readonly unknown[] = Array.isArray(methodsUsed) ? methodsUsed : [methodsUsed];
  return (
    amr.some((methods) => methods.split('+').every((method) => used.includes(method))) ||
    (typeof context === 'string' && acr.includes(context))
  );
};

const isAscii = (value: string): boolean => /^[\x20-\x7e]*$/.test(value);

/**
 * The claim in the form that connectors give logins and e-mails. A name that becomes plain ASCII only by lower-casing is
 * none: U+212A (the Kelvin sign) becomes `k`, and whoever registers as `Kate` with it would be taken for Kate.
 */
const staffClaimIn = (issuer: Issuer, claims: RegisteredClaims): string | null => {
  const path = issuer.claims.staff;
  const claim = claimAt(claims, path);
  if (typeof claim !== 'string' || claim.length > 320 || /[\p{Cc}\p{Cf}]/u.test(claim)) return null;
  const name = path[path.length - 1] ?? '';
  if (/(^|\/)email$/i.test(name) && claimAt(claims, [...path.slice(0, -1), `${name}_verified`]) !== true) return null;
  const folded = claim.trim().normalize('NFC').toLowerCase();
  return folded === '' || isAscii(folded) !== isAscii(claim) ? null : folded;
};

/** Characters of a name; a longer one is none. */
const longestName = 200;
/** Control characters, and marks that turn the text around them. */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;
/**
 * What has no width, and halves of a pair: with it somebody's name would look like another's and be none of theirs. Joiners stay where they spell
 * something: behind letters of scripts that have them.
 */
const widthless =
  /\u034f|[\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\p{Cs}|(?<![\p{L}\p{M}])[\u200c\u200d]|(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\u200c\u200d]+/gu;
/** Fillers and blanks of other kinds alone. */
const isBlank = (text: string): boolean => !/[^\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
const shownName = (claim: string): string =>
  claim.replace(unseen, ' ').replace(widthless, '').replace(/\s+/gu, ' ').trim().normalize('NFC');

/** What the person is called: by the claim for it, otherwise by what they are found by among the staff. */
const nameIn = ({ claims: { name, staff } }: Issuer, claims: RegisteredClaims): string | null => {
  for (const path of [name, staff]) {
    const claim = claimAt(claims, path);
    const text = typeof claim === 'string' ? shownName(claim) : '';
    if (!isBlank(text) && text.length <= longestName) return text;
  }
  return null;
};

const isService = (issuer: Issuer, claims: RegisteredClaims, claimed: readonly Role[]): boolean => {
  const { service } = issuer.claims;
  return service === 'role'
    ? claimed.includes('SERVICE')
    : valuesAt(claims, service.claim).some((value) => service.values.includes(value));
};

const instant = (seconds: number): Date => new Date(Math.floor(seconds * 1000));

/** Authentication can't follow the token that reports it: a later one would count as recent for longer than it is. */
const authenticatedAtIn = (claims: RegisteredClaims): Date | null => {
  const at = claimAt(claims, ['auth_time']);
  return typeof at === 'number' && at >= 0 ? instant(Math.min(at, claims.iat)) : null;
};

/**
 * The client by `client_id` (RFC 9068, 2.2) or `azp` (OpenID Connect Core, 2), which access tokens of many providers have in its place.
 * Which one to believe where they differ no standard says: such a token names nobody.
 */
const clientIn = (claims: RegisteredClaims): Pick<VerifiedToken, 'clientId'> => {
  const named = [claimAt(claims, ['client_id']), claimAt(claims, ['azp'])].filter((claim) => claim !== undefined);
  const [client] = named;
  return typeof client === 'string' && client !== '' && named.every((each) => each === client) ? { clientId: client } : {};
};

/** Of a person's token. A claim that is no plain text, or a very long one, says nothing. */
const deviceIn = (issuer: Issuer, claims: RegisteredClaims): Pick<VerifiedToken, 'device'> => {
  const { device: path } = issuer.claims;
  const claim = path === undefined ? undefined : claimAt(claims, path);
  return typeof claim === 'string' && claim !== '' && claim.length <= 256 ? { device: claim } : {};
};

/** Whether the configuration asks that such a token is bound to a key. */
const mustBeBound = ({ dpopRequired }: Issuer, held: readonly Role[]): boolean =>
  typeof dpopRequired === 'boolean' ? dpopRequired : held.some((role) => dpopRequired.includes(role));

const verifiedFrom = (issuer: Issuer, claims: RegisteredClaims): VerifiedToken => {
  const { sub, sid, jti } = claims;
  if (sub === undefined) throw tokenFailure('claims');
  const claimed = rolesIn(issuer, claims);
  const service = isService(issuer, claims, claimed);
  // A machine with a supervisor's role would be the second person of every approval.
  const held = claimed.filter((role) => (role === 'SERVICE') === service);
  const boundTo = boundKeyIn(claims);
  if (boundTo === undefined && mustBeBound(issuer, held)) throw tokenFailure('unbound');
  return Object.freeze({
    issuer: issuer.issuer,
    subject: sub,
    sessionId: sid ?? null,
    tokenId: jti ?? null,
    roles: Object.freeze(held),
    namesRoles: claimAt(claims, issuer.claims.roles) !== undefined,
    teams: Object.freeze([...valuesAt(claims, issuer.claims.teams)]),
    mfa: hasSecondFactor(issuer, claims),
    authenticatedAt: authenticatedAtIn(claims),
    issuedAt: instant(claims.iat),
    expiresAt: instant(claims.exp),
    staffClaim: service ? null : staffClaimIn(issuer, claims),
    name: service ? null : nameIn(issuer, claims),
    kind: service ? ('service' as const) : ('staff' as const),
    ...(service ? {} : deviceIn(issuer, claims)),
    ...clientIn(claims),
    ...(boundTo === undefined ? {} : { boundTo }),
  });
};

export interface TokenVerifierOptions extends TrustOptions {
  /** Characters of verified tokens that are remembered, each token counted with what was read out of it. */
  readonly remembered?: number;
}

/** Reads access tokens (RFC 7519, RFC 9068) of the configured issuers. */
export class TokenVerifier {
  private readonly trusted: TrustedIssuers;
  private readonly clock: () => Date;
  /** By SHA-256 of the token, so that no usable token stands in memory longer than its request. */
  private readonly verified: LRUCache<string, { readonly token: VerifiedToken; readonly edition: unknown }>;

  constructor({ remembered = 16_000_000, ...options }: TokenVerifierOptions) {
    this.trusted = new TrustedIssuers(options);
    this.clock = options.clock;
    this.verified = new LRUCache({ maxSize: remembered });
  }

  /**
   * Throws `UNAUTHENTICATED` with the fault as `rule` (`token.expired`), or `UPSTREAM_UNAVAILABLE` when the issuer's keys
   * are needed and can't be had. Whether the session was ended is not known here: ask `SessionRevocations` each time. Nor is whether who sent a
   * bound token has its key: `PresentedTokens` sees to that.
   */
  async verify(token: string): Promise<VerifiedToken> {
    const key = createHash('sha256').update(String(token)).digest('base64url');
    const known = this.verified.get(key);
    if (known !== undefined) {
      // A key that its issuer withdrew takes along what it signed; past its end a token is held against the skew anew.
      const edition = this.trusted.edition(known.token.issuer);
      if (edition !== undefined && edition === known.edition && this.clock() < known.token.expiresAt) return known.token;
      this.verified.delete(key);
    }
    const { issuer, claims, edition } = await this.trusted.authenticate(token, accessToken);
    const verified = verifiedFrom(issuer, claims);
    if (edition !== undefined && this.clock() < verified.expiresAt)
      this.verified.set(key, { token: verified, edition }, { size: token.length });
    return verified;
  }
}
