import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { SystemChange } from '../../db/change';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { Failure } from '../../failure';
import { failureIn } from '../../graphql/errors';
import { open, seal } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import type { Actors, Arrival } from '../actors/actors.service';
import type { Core } from '../core';
import { BrowserSession, browserSessions } from './browser-session.entity';
import { sessionDigest } from './browser-session.subject';
import { type SignInProviders, SignInRefused, type Tokens } from './providers';

/** Why a session ended, as its event says. */
export type SessionEnd = 'signed-out' | 'renewed' | 'idle' | 'time' | 'provider' | 'revoked';

export interface BrowserSessionParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly actors: Pick<Actors, 'arrive'>;
  readonly providers: SignInProviders;
  readonly idleMinutes: number;
  readonly hours: number;
}

const rows = select(
  browserSessions.pick('id', 'actorId', 'issuer', 'endsAt', 'usedAt', 'endedAt', 'tokensSealed', 'accessUntil', 'refreshUntil'),
  sql`FROM ${browserSessions}`,
);
type SessionRow = Selected<typeof rows>;

/** How exactly the last use is known, milliseconds: not every request writes. */
const useStep = 30_000;
/** Milliseconds before the end of an access token from which on the next one is asked for. */
const aheadOfEnd = 30_000;
/** For how long, in milliseconds, one process has asking for new tokens to itself: longer than the provider has for an answer. */
const refreshLease = 20_000;
/** How often, in milliseconds, those who wait for it look. */
const lookEvery = 100;
/** Ended ones are kept so long, milliseconds. */
const keptFor = 24 * 3_600_000;
/** Of one turn. */
const mostOfTurn = 200;

const tokens = z.strictObject({ access: z.string(), refresh: z.string().nullable(), id: z.string().nullable() });

const gone = (rule: string, message: string): Failure =>
  new Failure('UNAUTHENTICATED', message, { rule, remedy: 'Sign in again.' });

/** Sessions of browsers: no token reaches them, only a cookie that means nothing elsewhere. */
export class BrowserSessions {
  constructor(private readonly parts: BrowserSessionParts) {}

  /**
   * Begins a session for whom the tokens speak, and ends the one that the browser had. Returns the new cookie's value. Throws
   * `UNAUTHENTICATED` where the gateway doesn't take the access token, and `SignInRefused` where it is a service's.
   */
  async begin(issuer: string, given: Tokens, former: string | null): Promise<{ readonly cookie: string; readonly endsAt: Date }> {
    const { actor } = await this.arrive(given);
    if (actor.kind !== 'staff') throw new SignInRefused('token');
    const cookie = randomBytes(32).toString('base64url');
    const before = former === null ? undefined : await this.find(former);
    const id = `ses_${ulid()}`;
    const endsAt = await this.parts.database.system('sign-in', 'browser-session.begin', async (change) => {
      if (before && before.endedAt === null) await this.endIn(change, before.id, 'renewed');
      const until = new Date(change.at.getTime() + this.parts.hours * 3_600_000);
      const row = {
        id,
        cookieDigest: this.digestOf(cookie),
        actorId: actor.id,
        issuer,
        createdAt: change.at,
        endsAt: until,
        usedAt: change.at,
        endedAt: null,
        tokensSealed: this.seal(id, given),
        accessUntil: actor.expiresAt,
        refreshUntil: null,
      };
      await change.insert(browserSessions, row);
      change.record('browser-session.begin', {
        subject: { type: 'BrowserSession', id },
        detail: { person: actor.id, entry: sessionDigest(row), until: until.toISOString() },
      });
      return until;
    });
    return { cookie, endsAt };
  }

  /** Who a cookie speaks for, now. Throws `UNAUTHENTICATED`, and `UPSTREAM_UNAVAILABLE` where new tokens are needed and can't be had. */
  async arriveBy(cookie: string, network: string | null): Promise<Arrival> {
    const found = await this.find(cookie);
    if (!found || found.endedAt !== null || found.tokensSealed === null)
      throw gone('session.none', 'There is no such session, or it was ended.');
    const end = this.overBy(found);
    if (end !== null) {
      await this.end(found.id, end);
      throw gone(`session.${end}`, end === 'idle' ? 'The session was idle for too long.' : 'The session’s time is over.');
    }
    const row = await this.withFreshTokens(found);
    try {
      const arrival = await this.arrive(this.tokensOf(row), network);
      await this.noteUse(row);
      return arrival;
    } catch (error) {
      // What the gateway takes no more it won't take later either; a brake ends when two people release it.
      const rule = failureIn(error)?.details.rule ?? '';
      if (rule.startsWith('token.') && rule !== 'token.key-set') await this.end(row.id, 'revoked');
      throw error;
    }
  }

  /** Ends a session by its cookie. Returns where the browser may end the provider's own one; null where there is no such place. */
  async signOut(cookie: string): Promise<string | null> {
    const found = await this.find(cookie);
    if (!found || found.endedAt !== null) return null;
    const { id } = found.tokensSealed === null ? { id: null } : this.tokensOf(found);
    await this.end(found.id, 'signed-out');
    return this.parts.providers.endUrl(found.issuer, id).catch(() => null);
  }

  /** Ends what is over and removes what ended long ago. */
  async sweep(): Promise<void> {
    const now = this.parts.clock();
    const { endedAt, usedAt, endsAt, id } = browserSessions;
    const idleSince = new Date(now.getTime() - this.idle - useStep);
    const over = await this.parts.database.read(
      rows,
      sql`WHERE ${endedAt} IS NULL AND (${usedAt} < ${idleSince} OR ${endsAt} <= ${now}) LIMIT ${mostOfTurn}`,
    );
    for (const row of over) await this.end(row.id, row.endsAt <= now ? 'time' : 'idle');
    const before = new Date(now.getTime() - keptFor);
    const old = await this.parts.database.read(rows, sql`WHERE ${endedAt} < ${before} LIMIT ${mostOfTurn}`);
    if (old.length === 0) return;
    await this.parts.database.system('worker', 'browser-session.forget', async (change) => {
      const count = await change.remove(browserSessions, sql`${id} IN (${old.map((row) => row.id)}) AND ${endedAt} < ${before}`);
      if (count > 0) change.record('browser-session.forget', { detail: { sessions: count } });
    });
  }

  private get idle(): number {
    return this.parts.idleMinutes * 60_000;
  }

  private overBy({ endsAt, usedAt }: SessionRow): 'time' | 'idle' | null {
    const now = this.parts.clock().getTime();
    if (now >= endsAt.getTime()) return 'time';
    return now - usedAt.getTime() >= this.idle + useStep ? 'idle' : null;
  }

  private digestOf(cookie: string): string {
    return this.parts.keys.searchDigest('browser-session', cookie) as string;
  }

  private async find(cookie: string): Promise<SessionRow | undefined> {
    const digest = this.digestOf(cookie);
    const [row] = await this.parts.database.read(rows, sql`WHERE ${browserSessions.cookieDigest} = ${digest}`);
    return row;
  }

  private place(id: string) {
    return { table: 'browser_session', column: 'tokens_sealed', row: id };
  }

  private seal(id: string, given: Tokens): Buffer {
    return seal(this.parts.keys.sessionKey, this.place(id), JSON.stringify(given));
  }

  private tokensOf({ id, tokensSealed }: SessionRow): Tokens {
    return tokens.parse(JSON.parse(open(this.parts.keys.sessionKey, this.place(id), tokensSealed as Buffer)));
  }

  private arrive({ access }: Tokens, network: string | null = null): Promise<Arrival> {
    return this.parts.actors.arrive({ authorization: `Bearer ${access}` }, network);
  }

  /** The session with an access token that is good for a while yet. Of all processes that see that it isn't, one asks the provider. */
  private async withFreshTokens(row: SessionRow): Promise<SessionRow> {
    const { database, clock } = this.parts;
    const { id, endedAt, refreshUntil, accessUntil } = browserSessions;
    const isFresh = (each: SessionRow) => each.accessUntil.getTime() - clock().getTime() > aheadOfEnd;
    if (isFresh(row)) return row;
    const { refresh } = this.tokensOf(row);
    // Without one it ends with its access token.
    if (refresh === null) return row;
    const now = clock();
    const until = new Date(now.getTime() + refreshLease);
    const isOurs = await database.bookkeeping(browserSessions, (book) =>
      book.update(
        { refreshUntil: until },
        sql`${id} = ${row.id} AND ${endedAt} IS NULL AND ${accessUntil} = ${row.accessUntil} AND (${refreshUntil} IS NULL OR ${refreshUntil} <= ${now})`,
      ),
    );
    if (isOurs === 0) return this.refreshedElsewhere(row);
    let given: Tokens;
    try {
      given = await this.parts.providers.refresh(row.issuer, refresh);
    } catch (error) {
      if (!(error instanceof SignInRefused)) {
        await database.bookkeeping(browserSessions, (book) => book.update({ refreshUntil: null }, sql`${id} = ${row.id}`));
        // The one at hand may be good yet.
        if (row.accessUntil > clock()) return row;
        throw error;
      }
      await this.end(row.id, 'provider');
      throw gone('session.provider', 'The identity provider gave no new token.');
    }
    const actor = await this.arrive(given).then(
      (arrival) => arrival.actor,
      async (error: unknown) => {
        if (failureIn(error)?.code === 'UNAUTHENTICATED') await this.end(row.id, 'provider');
        throw error;
      },
    );
    if (actor.id !== row.actorId) {
      await this.end(row.id, 'provider');
      throw gone('session.provider', 'The identity provider gave a token of somebody else.');
    }
    const renewed = {
      tokensSealed: this.seal(row.id, { ...given, refresh: given.refresh ?? refresh }),
      accessUntil: actor.expiresAt,
      refreshUntil: null,
    };
    await database.bookkeeping(browserSessions, (book) => book.update(renewed, sql`${id} = ${row.id} AND ${endedAt} IS NULL`));
    return { ...row, ...renewed };
  }

  /** What another process got. Throws `UPSTREAM_UNAVAILABLE` where that takes longer than its lease. */
  private async refreshedElsewhere(row: SessionRow): Promise<SessionRow> {
    if (row.accessUntil > this.parts.clock()) return row;
    for (let waited = 0; waited < refreshLease; waited += lookEvery) {
      await pause(lookEvery);
      const [now] = await this.parts.database.read(rows, sql`WHERE ${browserSessions.id} = ${row.id}`);
      if (!now || now.endedAt !== null) throw gone('session.none', 'There is no such session, or it was ended.');
      if (now.accessUntil.getTime() !== row.accessUntil.getTime()) return now;
      if (now.refreshUntil === null) break;
    }
    throw new Failure('UPSTREAM_UNAVAILABLE', 'The identity provider can’t be reached just now.', {
      rule: 'sign-in.provider',
      remedy: 'Try again in a few seconds.',
      retryAfter: 5,
    });
  }

  private async noteUse(row: SessionRow): Promise<void> {
    const now = this.parts.clock();
    if (now.getTime() - row.usedAt.getTime() < useStep) return;
    const { id, usedAt } = browserSessions;
    await this.parts.database.bookkeeping(browserSessions, (book) =>
      book.update({ usedAt: now }, sql`${id} = ${row.id} AND ${usedAt} < ${now}`),
    );
  }

  private async end(id: string, why: SessionEnd): Promise<void> {
    await this.parts.database.system('sign-in', 'browser-session.end', (change) => this.endIn(change, id, why));
  }

  private async endIn(change: SystemChange, id: string, why: SessionEnd): Promise<void> {
    const row = await change.lockIfAny(BrowserSession, { id });
    if (!row || row.endedAt !== null) return;
    await change.update(browserSessions, { endedAt: change.at, tokensSealed: null }, sql`${browserSessions.id} = ${id}`);
    change.record('browser-session.end', { subject: { type: 'BrowserSession', id }, detail: { why } });
  }
}
