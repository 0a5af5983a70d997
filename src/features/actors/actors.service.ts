import { LRUCache } from 'lru-cache';
import type { SignedInActor } from '../../authz/actor';
import { keptUntil, type LogoutVerifier, type Revocation, RevocationList } from '../../authz/identity/back-channel-logout';
import type { Presented, PresentedTokens } from '../../authz/identity/presented-tokens';
import type { VerifiedToken } from '../../authz/identity/token-verifier';
import type { KeptPerson } from '../../authz/same-person';
import type { SystemChange } from '../../db/change';
import { sql } from '../../db/sql';
import { optional, select } from '../../db/table';
import { denialRemedies, Failure } from '../../failure';
import { ulid } from '../../ulid';
import type { Core } from '../core';
import { personDigest, staffDigests } from '../keys/contact-digests';
import type { SessionUse } from '../signals/session-uses';
import { activeStaffNamed } from '../tickets/staff.rows';
import { actors } from './actor.entity';
import { identityDigest, revocationDigest } from './actor.subject';
import { actorNames } from './actor-name.entity';
import type { KeptNames } from './kept-names';
import { sessionRevocations } from './session-revocation.entity';
import type { StoredProofs } from './used-proofs';

/** For how long, in milliseconds, a person's rows among the helpdesk's staff are remembered. */
const staffMemory = 10_000;
/** For how long, in milliseconds, no token of a session is taken that a rule ended. */
const movedFor = 24 * 3_600_000;

const actorRows = select(
  { ...actors.pick('id', 'personDigest'), nameId: optional(actorNames.id) },
  sql`FROM ${actors} LEFT JOIN ${actorNames} ON ${actorNames.actorId} = ${actors.id}`,
);
const actorIds = select(actors.pick('id'), sql`FROM ${actors}`);
const identities = select(actors.pick('issuer'), sql`FROM ${actors}`);
const revocationRows = select(
  sessionRevocations.pick('issuer', 'subjectDigest', 'sessionDigest', 'issuedAt', 'untilAt'),
  sql`FROM ${sessionRevocations}`,
);

export interface ActorParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly tokens: PresentedTokens;
  readonly used: StoredProofs;
  readonly names: KeptNames;
  readonly logouts: LogoutVerifier;
  /** Milliseconds for which a session goes on at most that gets new tokens by itself. */
  readonly longestSession: number;
  /** False: a session without a second factor counts as one with it. */
  readonly mfaRequired: boolean;
  /** A brake is on every session of theirs. */
  readonly isSignedOut: (person: KeptPerson) => boolean;
  /** Puts brakes that are on a person on this subject of theirs too. Durable before it returns. */
  readonly stopAlso: (person: KeptPerson) => Promise<void>;
  /** Told of each time that one of the staff was identified by a token. Nobody waits for it. */
  readonly noteUse: (use: SessionUse) => void;
}

/** A session that a rule found to be somebody else's by now. */
export interface MovedSession {
  readonly actorId: string;
  /** As signals name it. */
  readonly session: string;
  readonly rule: string;
  /** Names of the signals that say so. */
  readonly restsOn: readonly string[];
}

/** Somebody who has said, and where their token asks for that proven, who they are. */
export interface Arrival {
  readonly actor: SignedInActor;
  /** By which their next proof should be made; null where there is nothing to tell. */
  readonly nextNonce: string | null;
  /**
   * Who they are now, for what goes on in the same connection: a proof is for its beginning, and a token's end is the end of it. Throws
   * `UNAUTHENTICATED`.
   */
  again(): Promise<SignedInActor>;
}

interface Person extends Pick<SignedInActor, 'id' | 'staffIds' | 'helpdesks'> {
  readonly readAt: number;
  /** Nothing that their tokens say of their name is new. */
  readonly isNamed: boolean;
}

const revoked = (): Failure =>
  new Failure('UNAUTHENTICATED', 'The session was ended at the identity provider.', {
    rule: 'token.revoked',
    remedy: 'Sign in again.',
  });

/** Who a request comes from: the token's person as an actor of ours, unless their session was ended. */
export class Actors {
  private readonly revocations: RevocationList;
  private readonly underDigests = new WeakMap<VerifiedToken, VerifiedToken>();
  private readonly people = new LRUCache<string, Person>({ max: 5_000 });

  constructor(private readonly parts: ActorParts) {
    this.revocations = new RevocationList(parts.clock);
  }

  /** By which proofs of possession are made that need one. */
  get proofNonce(): string {
    return this.parts.tokens.nonce;
  }

  /**
   * The actor of a request. `network`: where it comes from, as far as that is known. Throws `UNAUTHENTICATED`, and `UPSTREAM_UNAVAILABLE` when the
   * issuer's keys can't be had. A proof is used up by this.
   */
  async identify(presented: Presented, network: string | null = null): Promise<SignedInActor> {
    return (await this.arrive(presented, network)).actor;
  }

  /** The same, for a connection that may go on for longer than its request. */
  async arrive(presented: Presented, network: string | null = null): Promise<Arrival> {
    const { token, nextNonce, again } = await this.parts.tokens.verify(presented);
    return {
      actor: await this.actorOf(token, network),
      nextNonce,
      again: async () => this.actorOf(await again(), null),
    };
  }

  private async actorOf(token: VerifiedToken, network: string | null): Promise<SignedInActor> {
    if (this.revocations.isRevoked(this.underDigest(token))) {
      throw revoked();
    }
    const person = await this.personOf(token);
    if (this.parts.isSignedOut({ actorId: person.id, staffIds: person.staffIds })) {
      throw new Failure('UNAUTHENTICATED', 'A brake is on your sessions.', {
        rule: 'session.braked',
        remedy: denialRemedies.BRAKE,
      });
    }
    if (token.kind === 'staff') {
      const { sessionId: session } = this.underDigest(token);
      this.parts.noteUse({ actorId: person.id, session, device: token.device ?? null, key: token.boundTo ?? null, network });
    }
    return {
      kind: token.kind,
      id: person.id,
      roles: token.roles,
      namesRoles: token.namesRoles,
      teams: token.teams,
      ...(token.clientId === undefined ? {} : { clientId: token.clientId }),
      // Where no second factor is asked for (never in production), every session counts as having one.
      mfa: token.mfa || !this.parts.mfaRequired,
      authenticatedAt: token.authenticatedAt,
      expiresAt: token.expiresAt,
      staffIds: person.staffIds,
      helpdesks: person.helpdesks,
    };
  }

  /** How a session is known that goes on past its tokens: keyed digests of who it is of, and of the provider's own session. */
  namesOf(issuer: string, subject: string, sessionId: string | null) {
    const digests = this.digestsOf(issuer, subject, sessionId);
    return { subjectDigest: digests.subject as string, sessionDigest: digests.sessionId };
  }

  /** Whether such a session was ended at the provider, or by a rule, since it began. Throws `UNAUTHENTICATED`. */
  expectNotEnded(session: {
    readonly issuer: string;
    readonly subjectDigest: string;
    readonly sessionDigest: string | null;
    readonly createdAt: Date;
  }): void {
    const { issuer, subjectDigest: subject, sessionDigest: sessionId, createdAt: issuedAt } = session;
    if (this.revocations.isRevoked({ issuer, subject, sessionId, issuedAt })) throw revoked();
  }

  /** The configured issuer that a logout token names, for the log: unproven, and null for any other. */
  issuerNamedIn(logoutToken: string): string | null {
    return this.parts.logouts.issuerNamedIn(logoutToken);
  }

  /** OIDC Back-Channel Logout 1.0. Durable before it returns. Throws `UNAUTHENTICATED` for a token that isn't a logout of a configured issuer. */
  async logout(logoutToken: string): Promise<void> {
    await this.endSessions(await this.parts.logouts.verify(logoutToken));
  }

  /** Ends one session, or, without `sessionId`, all of a subject's, as their identity provider said. Durable before it returns. */
  async endSessions({ issuer, subject, sessionId, issuedAt }: Revocation): Promise<void> {
    const entry = { issuer, issuedAt, ...this.digestsOf(issuer, subject, sessionId) };
    const until = keptUntil(entry, this.parts.longestSession);
    const stored = { issuer, subjectDigest: entry.subject, sessionDigest: entry.sessionId, issuedAt, untilAt: until };
    await this.parts.database.system(
      'logout',
      'session.revoke',
      async (change) => {
        const id = `rev_${ulid()}`;
        await change.insert(sessionRevocations, { id, ...stored });
        change.record('session.revoke', {
          subject: { type: 'SessionRevocation', id },
          detail: { entry: revocationDigest(stored), until: until.toISOString() },
        });
      },
      { idempotent: true },
    );
    await this.revocations.revoke(entry, until);
  }

  /**
   * Part of a change that records a verdict: ends one session of an actor. Its identity provider doesn't know of that, and goes on giving it
   * tokens: none of the next 24 hours is taken. In force in every process once it has read what is stored, some seconds after the commit.
   * False where there is no such actor, or it is ended already.
   */
  async endMoved(change: SystemChange, { actorId, session, rule, restsOn }: MovedSession): Promise<boolean> {
    const [row] = await change.read(identities, sql`WHERE ${actors.id} = ${actorId}`);
    if (!row) return false;
    const isIt = sql`${sessionRevocations.issuer} = ${row.issuer} AND ${sessionRevocations.sessionDigest} = ${session}`;
    const [known] = await change.read(
      revocationRows,
      sql`WHERE ${isIt} AND ${sessionRevocations.issuedAt} > ${change.at} LIMIT 1`,
    );
    if (known) return false;
    const issuedAt = new Date(change.at.getTime() + movedFor);
    const entry = { issuer: row.issuer, subjectDigest: null, sessionDigest: session, issuedAt };
    const until = keptUntil({ issuer: row.issuer, subject: null, sessionId: session, issuedAt });
    const id = `rev_${ulid()}`;
    await change.insert(sessionRevocations, { id, ...entry, untilAt: until });
    change.record('session.revoke', {
      subject: { type: 'SessionRevocation', id },
      detail: { entry: revocationDigest(entry), until: until.toISOString(), rule, restsOn },
    });
    return true;
  }

  /** Removes the stored proofs whose time is over. */
  forgetProofs(): Promise<void> {
    return this.parts.used.forget();
  }

  /** Takes over what other processes, or this one before a restart, wrote. */
  async restoreRevocations(): Promise<void> {
    const rows = await this.parts.database.read(revocationRows, sql`WHERE ${sessionRevocations.untilAt} > ${this.parts.clock()}`);
    this.revocations.restore(
      rows.map(({ issuer, subjectDigest, sessionDigest, issuedAt, untilAt }) => ({
        entry: { issuer, subject: subjectDigest, sessionId: sessionDigest, issuedAt },
        until: untilAt,
      })),
    );
  }

  /** The stored revocations hold digests only: neither table nor log tells who was signed in. */
  private digestsOf(issuer: string, subject: string | null, sessionId: string | null) {
    return {
      subject: this.parts.keys.searchDigest(`subject:${issuer}`, subject),
      sessionId: this.parts.keys.searchDigest(`session:${issuer}`, sessionId),
    };
  }

  /** Made once for a token that is remembered. */
  private underDigest(token: VerifiedToken): VerifiedToken {
    const known = this.underDigests.get(token);
    if (known) return known;
    const { subject, sessionId } = this.digestsOf(token.issuer, token.subject, token.sessionId);
    const made = { ...token, subject: subject ?? '', sessionId };
    this.underDigests.set(token, made);
    return made;
  }

  private async personOf(token: VerifiedToken): Promise<Person> {
    const key = JSON.stringify([token.issuer, token.subject, token.staffClaim]);
    const known = this.people.get(key);
    const isNew = known === undefined || (token.name !== null && !known.isNamed);
    if (!isNew && performance.now() - known.readAt < staffMemory) return known;
    const id = isNew ? await this.actorId(token) : known.id;
    const isNamed = known?.isNamed === true || token.name !== null;
    const person = { id, ...(await this.staffOf(token.staffClaim)), readAt: performance.now(), isNamed };
    await this.parts.stopAlso({ actorId: id, staffIds: person.staffIds });
    this.people.set(key, person);
    return person;
  }

  private async actorId(token: VerifiedToken): Promise<string> {
    const digest = this.parts.keys.searchDigest(`subject:${token.issuer}`, token.subject) as string;
    const isTheirs = sql`WHERE ${actors.issuer} = ${token.issuer} AND ${actors.subjectDigest} = ${digest}`;
    const person = personDigest(this.parts.keys, token.staffClaim);
    const [known] = await this.parts.database.read(actorRows, isTheirs);
    if (known) {
      if (person !== null && person !== known.personDigest) {
        const isThis = sql`${actors.id} = ${known.id}`;
        await this.parts.database.bookkeeping(actors, (book) => book.update({ personDigest: person }, isThis));
      }
      if (token.name !== null && known.nameId === null) await this.parts.names.keepLater(known.id, token.name);
      return known.id;
    }
    return this.parts.database.system(
      'identity',
      'actor.first-seen',
      async (change) => {
        const [twin] = await change.read(actorIds, isTheirs, { lock: true });
        if (twin) return twin.id;
        const id = `act_${ulid()}`;
        const row = {
          id,
          issuer: token.issuer,
          subjectDigest: digest,
          createdAt: change.at,
          fence: 0,
          brake: null,
          leaseUntil: null,
          personDigest: person,
        };
        await change.insert(actors, row);
        if (token.name !== null) await this.parts.names.keep(change, id, token.name);
        const named = token.name === null ? {} : { named: true };
        change.record('actor.first-seen', {
          subject: { type: 'Actor', id },
          detail: { identity: identityDigest(row), ...named },
        });
        return id;
      },
      { idempotent: true },
    );
  }

  /** The person's active rows among the staff, by login or e-mail; where a source has two of that name, it is nobody. */
  private async staffOf(claim: string | null): Promise<Pick<SignedInActor, 'staffIds' | 'helpdesks'>> {
    const digests = staffDigests(this.parts.keys, claim);
    const rows = digests.length === 0 ? [] : await activeStaffNamed(this.parts.database, digests);
    const theirs = rows.filter((row) => rows.filter((other) => other.source === row.source).length === 1);
    return { staffIds: theirs.map(({ id }) => id), helpdesks: theirs.map(({ source }) => source) };
  }
}
