import { hkdfSync, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose/jwt/decode';
import { z } from 'zod';
import type { SystemChange } from '../../db/change';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { Failure } from '../../failure';
import { failureIn } from '../../graphql/errors';
import { saidOver } from '../../ledger/said-over';
import { open, SealBroken, seal } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import type { Actors, Arrival } from '../actors/actors.service';
import type { Core } from '../core';
import { BrowserSession, browserSessions } from './browser-session.entity';
import { sessionDigest } from './browser-session.subject';
import { providerUnavailable, type SignInProviders, SignInRefused, type Tokens } from './providers';

/** Why a session ended, as its event says. */
export type SessionEnd = 'signed-out' | 'renewed' | 'idle' | 'time' | 'provider' | 'revoked';

export interface BrowserSessionParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly actors: Pick<Actors, 'arrive' | 'namesOf' | 'expectNotEnded'>;
  readonly providers: SignInProviders;
  readonly idleMinutes: number;
  readonly hours: number;
}

const rows = select(
  {
    ...browserSessions.pick('id', 'actorId', 'issuer', 'subjectDigest', 'sessionDigest', 'createdAt', 'endsAt', 'usedAt'),
    ...browserSessions.pick('endedAt', 'tokensSealed', 'accessUntil', 'refreshUntil'),
    isOver: saidOver('BrowserSession', 'browser-session.end', browserSessions.id),
  },
  sql`FROM ${browserSessions}`,
);
type SessionRow = Selected<typeof rows>;
/** The log says it, too: whoever puts back a row doesn't undo that somebody signed out. */
const isEnded = ({ endedAt, isOver }: SessionRow): boolean => endedAt !== null || isOver;

/** How exactly the last use is known, milliseconds: not every request writes. */
const useStep = 30_000;
/** Milliseconds before the end of an access token from which on the next one is asked for. */
const aheadOfEnd = 30_000;
/** For how long, in milliseconds, one process has asking for new tokens to itself: longer than the provider has for all its answers. */
const refreshLease = 45_000;
/** How often, in milliseconds, a process that waits for another one looks. */
const lookEvery = 200;
/** Ended ones are kept so long, milliseconds. */
const keptFor = 24 * 3_600_000;
/** Of one turn. */
const mostOfTurn = 200;

/** What is sealed: the tokens that are needed again, and of which session, so that no row becomes another one's. */
const sealed = z.strictObject({
  access: z.string(),
  refresh: z.string().nullable(),
  actorId: z.string(),
  issuer: z.string(),
  /** By these three a logout at the provider, and what a rule ends, finds it. */
  subjectDigest: z.string(),
  sessionDigest: z.string().nullable(),
  /** UTC milliseconds. */
  createdAt: z.number(),
  /** UTC milliseconds. */
  endsAt: z.number(),
});
type Sealed = z.output<typeof sealed>;

const gone = (rule: string, message: string): Failure =>
  new Failure('UNAUTHENTICATED', message, { rule, remedy: 'Sign in again.' });
const noSession = (): Failure => gone('session.none', 'There is no such session, or it was ended.');

/** Who a token names. The gateway has taken it, or it came from the provider's own token endpoint. */
const namedIn = (
  token: string,
): { readonly issuer: string | null; readonly subject: string | null; readonly session: string | null } => {
  const { iss = null, sub = null, sid } = decodeJwt(token);
  return { issuer: iss, subject: sub, session: typeof sid === 'string' ? sid : null };
};

/** A refusal that lasts: the gateway won't take such a token later either, as it may where keys are missing or a brake is on. */
const isForGood = (error: unknown): boolean => {
  const rule = failureIn(error)?.details.rule ?? '';
  return rule.startsWith('token.') && rule !== 'token.key-set' && rule !== 'token.key';
};

/** Sessions of browsers: no token reaches them, only a cookie that means nothing elsewhere. */
export class BrowserSessions {
  /** Those whose tokens are being renewed here: all who ask meanwhile wait for the same answer. */
  private readonly renewals = new Map<string, Promise<SessionRow>>();

  constructor(private readonly parts: BrowserSessionParts) {}

  /**
   * Begins a session for whom the tokens speak, and ends the one that the browser had. Returns the new cookie's value. Throws
   * `UNAUTHENTICATED` where the gateway doesn't take the access token, and `SignInRefused` where it is a service's, or another's than the ID token.
   */
  async begin(issuer: string, given: Tokens, former: string | null): Promise<{ readonly cookie: string; readonly endsAt: Date }> {
    const { actor } = await this.arrive(given.access);
    const named = namedIn(given.access);
    const told = given.id === null ? null : namedIn(given.id);
    if (actor.kind !== 'staff' || named.issuer !== issuer || named.subject === null || told?.subject !== named.subject)
      throw new SignInRefused('token');
    const cookie = randomBytes(32).toString('base64url');
    const before = former === null ? undefined : await this.find(former);
    const id = `ses_${ulid()}`;
    const endsAt = await this.parts.database.system('sign-in', 'browser-session.begin', async (change) => {
      if (before && !isEnded(before)) await this.endIn(change, before.id, 'renewed');
      const until = new Date(change.at.getTime() + this.parts.hours * 3_600_000);
      const whose = {
        actorId: actor.id,
        issuer,
        ...this.parts.actors.namesOf(issuer, named.subject as string, named.session ?? told.session),
      };
      const times = { createdAt: change.at.getTime(), endsAt: until.getTime() };
      const row = {
        id,
        cookieDigest: this.digestOf(cookie),
        ...whose,
        createdAt: change.at,
        endsAt: until,
        usedAt: change.at,
        endedAt: null,
        tokensSealed: this.seal(id, cookie, { access: given.access, refresh: given.refresh, ...whose, ...times }),
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

  /**
   * Who a cookie speaks for, now. `isAttended` is false for what a page asks by itself: that keeps no session from being idle. Throws
   * `UNAUTHENTICATED`, and `UPSTREAM_UNAVAILABLE` where new tokens are needed and can't be had.
   */
  async arriveBy(cookie: string, network: string | null, isAttended = true): Promise<Arrival> {
    const found = await this.standing(cookie);
    const row = await this.withFreshTokens(found, cookie);
    // The provider may have said meanwhile that it is over.
    await this.expectNotEnded(row);
    const { access } = this.tokensOf(row, cookie);
    try {
      const arrival = await this.arrive(access, network);
      // Whatever became of the process that was given the token.
      if (arrival.actor.id !== row.actorId) {
        await this.end(row.id, 'provider');
        throw gone('session.provider', 'The identity provider gave a token of somebody else.');
      }
      if (isAttended) await this.noteUse(row);
      return {
        ...arrival,
        again: async () => {
          await this.standing(cookie);
          return arrival.again();
        },
      };
    } catch (error) {
      if (isForGood(error)) await this.end(row.id, 'revoked');
      throw error;
    }
  }

  /** The id of a cookie's session, where that goes on. Throws `UNAUTHENTICATED`. */
  async idOf(cookie: string): Promise<string> {
    return (await this.standing(cookie)).id;
  }

  /** Ends a session by its cookie. Returns where the browser may end the provider's own one; null where there is no such place. */
  async signOut(cookie: string): Promise<string | null> {
    const found = await this.find(cookie);
    if (!found || isEnded(found)) return null;
    await this.end(found.id, 'signed-out');
    const { providers } = this.parts;
    try {
      const { refresh } = this.tokensOf(found, cookie);
      if (refresh !== null) await providers.revoke(found.issuer, refresh).catch(() => undefined);
      return await providers.endUrl(found.issuer);
    } catch {
      return null;
    }
  }

  /** Ends what is over and removes what ended long ago. */
  async sweep(): Promise<void> {
    const now = this.parts.clock();
    const { endedAt, usedAt, endsAt, id } = browserSessions;
    const idleSince = new Date(now.getTime() - this.idle);
    const over = await this.parts.database.read(
      rows,
      sql`WHERE ${endedAt} IS NULL AND (${usedAt} <= ${idleSince} OR ${endsAt} <= ${now}) LIMIT ${mostOfTurn}`,
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

  /** The session of a cookie, where it goes on. Throws `UNAUTHENTICATED`, and ends what is over. */
  private async standing(cookie: string): Promise<SessionRow> {
    const row = await this.find(cookie);
    if (!row || isEnded(row) || row.tokensSealed === null) throw noSession();
    const now = this.parts.clock().getTime();
    // What is sealed says it too: whoever writes rows doesn't make a session longer.
    const end =
      now >= Math.min(row.endsAt.getTime(), this.tokensOf(row, cookie).endsAt) ? 'time' : this.isIdle(row) ? 'idle' : null;
    if (end !== null) {
      await this.end(row.id, end);
      throw gone(`session.${end}`, end === 'idle' ? 'The session was idle for too long.' : 'The session’s time is over.');
    }
    await this.expectNotEnded(row);
    return row;
  }

  private isIdle({ usedAt }: SessionRow): boolean {
    return this.parts.clock().getTime() - usedAt.getTime() >= this.idle;
  }

  private async expectNotEnded(row: SessionRow): Promise<void> {
    try {
      this.parts.actors.expectNotEnded(row);
    } catch (error) {
      await this.end(row.id, 'revoked');
      throw error;
    }
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

  /** Of the installation and the cookie: a row that is put on another cookie doesn't open. */
  private keyOf(cookie: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.parts.keys.sessionKey, cookie, 'counterfoil/browser-session-tokens', 32));
  }

  private seal(id: string, cookie: string, content: Sealed): Buffer {
    return seal(this.keyOf(cookie), this.place(id), JSON.stringify(content));
  }

  /** Throws `UNAUTHENTICATED` where the row isn't this cookie's, or isn't what was sealed: one that is altered would outlast what ends it. */
  private tokensOf(row: SessionRow, cookie: string): Sealed {
    const content = this.opened(row, cookie);
    const isSealed =
      content !== null &&
      content.actorId === row.actorId &&
      content.issuer === row.issuer &&
      content.subjectDigest === row.subjectDigest &&
      content.sessionDigest === row.sessionDigest &&
      content.createdAt === row.createdAt.getTime();
    if (!isSealed) throw noSession();
    return content;
  }

  /** Null where it is another cookie's, or of a version that sealed something else. */
  private opened({ id, tokensSealed }: SessionRow, cookie: string): Sealed | null {
    try {
      const text = open(this.keyOf(cookie), this.place(id), tokensSealed as Buffer);
      return sealed.safeParse(JSON.parse(text)).data ?? null;
    } catch (error) {
      if (error instanceof SealBroken) return null;
      throw error;
    }
  }

  private arrive(access: string, network: string | null = null): Promise<Arrival> {
    return this.parts.actors.arrive({ authorization: `Bearer ${access}` }, network);
  }

  /** The session with an access token that is good for a while yet. Of all who see that it isn't, in all processes, one asks the provider. */
  private withFreshTokens(row: SessionRow, cookie: string): Promise<SessionRow> {
    if (row.accessUntil.getTime() - this.parts.clock().getTime() > aheadOfEnd) return Promise.resolve(row);
    const known = this.renewals.get(row.id);
    if (known) return known;
    const renewal = this.renew(row, cookie).finally(() => this.renewals.delete(row.id));
    this.renewals.set(row.id, renewal);
    return renewal;
  }

  private async renew(row: SessionRow, cookie: string): Promise<SessionRow> {
    const { database, clock, providers } = this.parts;
    const { id, endedAt, refreshUntil, accessUntil } = browserSessions;
    const kept = this.tokensOf(row, cookie);
    // Without a refresh token it ends with its access token.
    if (kept.refresh === null) return row;
    const now = clock();
    const until = new Date(now.getTime() + refreshLease);
    const isOurs = await database.bookkeeping(browserSessions, (book) =>
      book.update(
        { refreshUntil: until },
        sql`${id} = ${row.id} AND ${endedAt} IS NULL AND ${accessUntil} = ${row.accessUntil} AND (${refreshUntil} IS NULL OR ${refreshUntil} <= ${now})`,
      ),
    );
    if (isOurs === 0) return this.renewedElsewhere(row);
    /** Only as long as nobody else has taken over. */
    const write = (values: { tokensSealed?: Buffer; accessUntil?: Date }) =>
      database.bookkeeping(browserSessions, (book) =>
        book.update(
          { ...values, refreshUntil: null },
          sql`${id} = ${row.id} AND ${endedAt} IS NULL AND ${refreshUntil} = ${until}`,
        ),
      );
    let given: Tokens;
    try {
      given = await providers.refresh(row.issuer, kept.refresh);
    } catch (error) {
      if (error instanceof SignInRefused) {
        await this.end(row.id, 'provider');
        throw gone('session.provider', 'The identity provider gave no new token.');
      }
      await write({});
      // The one at hand may be good yet.
      if (row.accessUntil > clock()) return row;
      throw error;
    }
    // Stored before anything else can fail: a refresh token that was used is good no more.
    const renewed = {
      tokensSealed: this.seal(row.id, cookie, {
        ...kept,
        access: given.access,
        refresh: given.refresh ?? kept.refresh,
      }),
      accessUntil: new Date(clock().getTime() + given.expiresIn * 1_000),
    };
    if ((await write(renewed)) === 0) throw noSession();
    await this.arrive(given.access).catch(async (error: unknown) => {
      if (isForGood(error)) await this.end(row.id, 'provider');
      throw error;
    });
    return { ...row, ...renewed, refreshUntil: null };
  }

  /** What another process got. Throws `UPSTREAM_UNAVAILABLE` where that takes longer than its lease. */
  private async renewedElsewhere(row: SessionRow): Promise<SessionRow> {
    if (row.accessUntil > this.parts.clock()) return row;
    for (let waited = 0; waited < refreshLease; waited += lookEvery) {
      await pause(lookEvery);
      const [now] = await this.parts.database.read(rows, sql`WHERE ${browserSessions.id} = ${row.id}`);
      if (!now || isEnded(now)) throw noSession();
      if (now.accessUntil.getTime() !== row.accessUntil.getTime()) return now;
      if (now.refreshUntil === null) break;
    }
    throw providerUnavailable();
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
