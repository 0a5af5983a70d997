import { LRUCache } from 'lru-cache';
import { type SignedInActor, systemActor } from '../../authz/actor';
import { keptUntil, type LogoutVerifier, RevocationList } from '../../authz/identity/back-channel-logout';
import type { TokenVerifier, VerifiedToken } from '../../authz/identity/token-verifier';
import { action, isSystem } from '../../authz/rule';
import type { Database } from '../../db/database';
import { Failure } from '../../failure';
import { normalForm } from '../../privacy/digests';
import { ulid } from '../../ulid';
import type { Keys } from '../keys/keys.service';
import { actors } from './actor.entity';
import { sessionRevocations } from './session-revocation.entity';

/** For how long, in milliseconds, a person's rows among the helpdesk's staff are remembered. */
const staffMemory = 10_000;

const actorActions = {
  firstSeen: action('actor.first-seen', isSystem),
  revoke: action('session.revoke', isSystem),
};

interface Person {
  readonly id: string;
  readonly staffIds: readonly string[];
  readonly readAt: number;
}

/** Who a request comes from: the token's person as an actor of ours, unless their session was ended. */
export class Actors {
  private readonly revocations: RevocationList;
  private readonly people = new LRUCache<string, Person>({ max: 5_000 });

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly tokens: TokenVerifier,
    private readonly logouts: LogoutVerifier,
    private readonly mfaRequired: boolean,
    private readonly clock: () => Date,
  ) {
    this.revocations = new RevocationList(clock);
  }

  /** The actor of an `Authorization` header. Throws `UNAUTHENTICATED`, and `UPSTREAM_UNAVAILABLE` when the issuer's keys can't be had. */
  async identify(authorization: string | undefined): Promise<SignedInActor> {
    const [, credentials] = /^Bearer +([^\s]+)$/i.exec(authorization ?? '') ?? [];
    if (credentials === undefined) {
      throw new Failure('UNAUTHENTICATED', 'No bearer token was sent.', {
        remedy: 'Send "Authorization: Bearer TOKEN" with a token of your identity provider.',
      });
    }
    const token = await this.tokens.verify(credentials);
    if (this.revocations.isRevoked(this.underDigest(token))) {
      throw new Failure('UNAUTHENTICATED', 'The session was ended at the identity provider.', {
        rule: 'token.revoked',
        remedy: 'Sign in again.',
      });
    }
    const person = await this.personOf(token);
    return {
      kind: token.kind,
      id: person.id,
      roles: token.roles,
      namesRoles: token.namesRoles,
      teams: token.teams,
      // Where no second factor is asked for (never in production), every session counts as having one.
      mfa: token.mfa || !this.mfaRequired,
      authenticatedAt: token.authenticatedAt,
      expiresAt: token.expiresAt,
      staffIds: person.staffIds,
    };
  }

  /** The configured issuer that a logout token names, for the log: unproven, and null for any other. */
  issuerNamedIn(logoutToken: string): string | null {
    return this.logouts.issuerNamedIn(logoutToken);
  }

  /** OIDC Back-Channel Logout 1.0. Durable before it returns. Throws `UNAUTHENTICATED` for a token that isn't a logout of a configured issuer. */
  async logout(logoutToken: string): Promise<void> {
    const { issuer, subject, sessionId, issuedAt } = await this.logouts.verify(logoutToken);
    const entry = { issuer, issuedAt, ...this.digestsOf(issuer, subject, sessionId) };
    const until = keptUntil(entry);
    await this.database.change(
      systemActor('logout'),
      actorActions.revoke,
      async (change) => {
        change.permit(null);
        const id = `rev_${ulid()}`;
        await change.insert(sessionRevocations, {
          id,
          issuer,
          subjectDigest: entry.subject,
          sessionDigest: entry.sessionId,
          issuedAt,
          untilAt: until,
        });
        change.record('session.revoke', { subject: { type: 'SessionRevocation', id } });
      },
      { idempotent: true },
    );
    await this.revocations.revoke(entry, until);
  }

  /** Takes over what other processes, or this one before a restart, wrote. */
  async restoreRevocations(): Promise<void> {
    const now = this.clock().getTime();
    const rows = await this.database.query<{
      issuer: string;
      subject_digest: string | null;
      session_digest: string | null;
      issued_at: number;
      until_at: number;
    }>('SELECT issuer, subject_digest, session_digest, issued_at, until_at FROM session_revocation WHERE until_at > ?', [now]);
    this.revocations.restore(
      rows.map((row) => ({
        entry: {
          issuer: row.issuer,
          subject: row.subject_digest,
          sessionId: row.session_digest,
          issuedAt: new Date(row.issued_at),
        },
        until: new Date(row.until_at),
      })),
    );
  }

  /** The stored revocations hold digests only: neither table nor log tells who was signed in. */
  private digestsOf(issuer: string, subject: string | null, sessionId: string | null) {
    return {
      subject: this.keys.searchDigest(`subject:${issuer}`, subject),
      sessionId: this.keys.searchDigest(`session:${issuer}`, sessionId),
    };
  }

  private underDigest(token: VerifiedToken): VerifiedToken {
    const { subject, sessionId } = this.digestsOf(token.issuer, token.subject, token.sessionId);
    return { ...token, subject: subject ?? '', sessionId };
  }

  private async personOf(token: VerifiedToken): Promise<Person> {
    const key = JSON.stringify([token.issuer, token.subject, token.staffClaim]);
    const known = this.people.get(key);
    if (known && performance.now() - known.readAt < staffMemory) return known;
    const person = {
      id: known?.id ?? (await this.actorId(token)),
      staffIds: await this.staffOf(token.staffClaim),
      readAt: performance.now(),
    };
    this.people.set(key, person);
    return person;
  }

  private async actorId(token: VerifiedToken): Promise<string> {
    const digest = this.keys.searchDigest(`subject:${token.issuer}`, token.subject) as string;
    const find = 'SELECT id FROM actor WHERE issuer = ? AND subject_digest = ?';
    const [known] = await this.database.query<{ id: string }>(find, [token.issuer, digest]);
    if (known) return known.id;
    return this.database.change(
      systemActor('identity'),
      actorActions.firstSeen,
      async (change) => {
        const [twin] = await change.query<{ id: string }>(find, [token.issuer, digest], { lock: true });
        if (twin) return twin.id;
        change.permit(null);
        const id = `act_${ulid()}`;
        await change.insert(actors, { id, issuer: token.issuer, subjectDigest: digest, createdAt: change.at, fence: 0 });
        change.record('actor.first-seen', { subject: { type: 'Actor', id } });
        return id;
      },
      { idempotent: true },
    );
  }

  /** The person's active rows among the staff, by login or e-mail; where a source has two of that name, it is nobody. */
  private async staffOf(claim: string | null): Promise<readonly string[]> {
    const digest = this.keys.searchDigest('staff', claim === null ? null : normalForm(claim));
    if (digest === null) return [];
    const rows = await this.database.query<{ id: string; source: string }>(
      'SELECT id, source FROM helpdesk_staff WHERE active = 1 AND (login_digest = ? OR email_digest = ?)',
      [digest, digest],
    );
    return rows.filter((row) => rows.filter((other) => other.source === row.source).length === 1).map((row) => row.id);
  }
}
