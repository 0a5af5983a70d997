import { longestLifetimeSeconds } from './issuer';
import { tokenFailure } from './token-fault';
import type { VerifiedToken } from './token-verifier';
import { logoutToken, TrustedIssuers, type TrustOptions } from './trusted-issuers';

/** What the provider says has ended: one session, or, without `sessionId`, all sessions of the subject. */
export interface Logout {
  readonly issuer: string;
  readonly subject: string | null;
  readonly sessionId: string | null;
  /** `jti`. A repeated logout token ends nothing that the first didn't, so it may be taken again. */
  readonly tokenId: string;
  /** The instant of the logout: tokens issued up to it are void. */
  readonly issuedAt: Date;
}

/** Reads logout tokens of OpenID Connect Back-Channel Logout 1.0, section 2.6. */
export class LogoutVerifier {
  private readonly trusted: TrustedIssuers;

  constructor(options: TrustOptions) {
    this.trusted = new TrustedIssuers(options);
  }

  /** The configured issuer that a token names, unproven; null for any other. */
  issuerNamedIn(token: string): string | null {
    return this.trusted.issuerNamedIn(token);
  }

  /** Throws `UNAUTHENTICATED`, which the endpoint answers with 400, or `UPSTREAM_UNAVAILABLE`, after which the provider may repeat. */
  async verify(token: string): Promise<Logout> {
    const { issuer, claims } = await this.trusted.authenticate(token, logoutToken);
    const { sub = null, sid = null, jti } = claims;
    // The nonce of an ID token: its absence is what keeps one from being passed off as the other.
    if (Object.hasOwn(claims, 'nonce') || jti === undefined || (sub === null && sid === null)) throw tokenFailure('logout');
    return {
      issuer: issuer.issuer,
      subject: sub,
      sessionId: sid,
      tokenId: jti,
      issuedAt: new Date(Math.floor(claims.iat * 1000)),
    };
  }
}

export type Revocation = Omit<Logout, 'tokenId'>;

/** Sessions that ended before their tokens did. */
export interface SessionRevocations {
  /** `until`: from when on no token that this voids can be accepted any more; see `keptUntil`. */
  revoke(entry: Revocation, until: Date): Promise<void>;
  isRevoked(token: VerifiedToken): boolean | Promise<boolean>;
}

/** The largest configurable clock skew, seconds: a longer memory costs nothing, a shorter one revives sessions. */
const longestSkewSeconds = 120;

/**
 * When a revocation may be forgotten: the tokens it voids have then expired, whatever skew their issuer is allowed, and so have the sessions
 * that began before it and get new ones, each of `longestSession` milliseconds at most.
 */
export const keptUntil = ({ issuedAt }: Revocation, longestSession = 0): Date =>
  new Date(issuedAt.getTime() + Math.max((longestLifetimeSeconds + 2 * longestSkewSeconds) * 1000, longestSession));

const sweepEvery = 60_000;

/**
 * The revocations in force, in memory, in front of the place where they last. Nothing is pushed out before its time, as
 * that would bring a session back. `restore` fills it at the start and from what other processes wrote.
 */
export class RevocationList implements SessionRevocations {
  private readonly entries = new Map<string, { issuedAt: number; until: number }>();
  private sweptAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: () => Date) {}

  async revoke(entry: Revocation, until: Date = keptUntil(entry)): Promise<void> {
    this.add(entry, until);
  }

  restore(revocations: Iterable<{ readonly entry: Revocation; readonly until: Date }>): void {
    for (const { entry, until } of revocations) this.add(entry, until);
  }

  /** How many keys are held. */
  get size(): number {
    return this.entries.size;
  }

  /**
   * True for a token of an ended session, and for one issued up to the logout of all its subject's sessions; so for what began with a token then. A token
   * without `sid` may belong to any session of its subject, so the logout of one of them voids it as well.
   */
  isRevoked({
    issuer,
    subject,
    sessionId,
    issuedAt,
  }: Pick<VerifiedToken, 'issuer' | 'subject' | 'sessionId' | 'issuedAt'>): boolean {
    const keys = [allSessions(issuer, subject), sessionId === null ? sessionless(issuer, subject) : session(issuer, sessionId)];
    const now = this.clock().getTime();
    return keys.some((key) => {
      const entry = this.entries.get(key);
      return entry !== undefined && now < entry.until && issuedAt.getTime() <= entry.issuedAt;
    });
  }

  private add(entry: Revocation, until: Date): void {
    const { issuer, subject, sessionId, issuedAt } = entry;
    this.sweep();
    const keys: string[] = [];
    if (sessionId !== null) keys.push(session(issuer, sessionId));
    if (subject !== null) keys.push(sessionId === null ? allSessions(issuer, subject) : sessionless(issuer, subject));
    // A logout of all sessions also reaches the tokens without one, through the key that every token is asked by.
    for (const key of keys) {
      const earlier = this.entries.get(key);
      this.entries.set(key, {
        // Later wins in both: a repeated or late notice never shortens what is in force.
        issuedAt: Math.max(endOfSecond(issuedAt), earlier?.issuedAt ?? 0),
        until: Math.max(until.getTime(), earlier?.until ?? 0),
      });
    }
  }

  private sweep(): void {
    const now = this.clock().getTime();
    if (Math.abs(now - this.sweptAt) < sweepEvery) return;
    this.sweptAt = now;
    for (const [key, { until }] of this.entries) if (until <= now) this.entries.delete(key);
  }
}

// JSON keeps the parts apart whatever characters they hold.
const session = (issuer: string, sessionId: string): string => JSON.stringify(['session', issuer, sessionId]);
const allSessions = (issuer: string, subject: string): string => JSON.stringify(['subject', issuer, subject]);
const sessionless = (issuer: string, subject: string): string => JSON.stringify(['sessionless', issuer, subject]);

/** `iat` mostly has whole seconds: a token of the same second, written with fractions, was not issued after the logout for sure. */
const endOfSecond = (at: Date): number => Math.floor(at.getTime() / 1000) * 1000 + 999;
