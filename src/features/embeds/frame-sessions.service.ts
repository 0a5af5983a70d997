import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { FrameSurface, SignedInActor } from '../../authz/actor';
import type { SystemChange } from '../../db/change';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { Failure } from '../../failure';
import { failureIn } from '../../graphql/errors';
import { saidOver } from '../../ledger/said-over';
import { open, type SealedPlace, seal } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import type { Arrival } from '../actors/actors.service';
import type { Core } from '../core';
import { browserSessions } from '../sign-in/browser-session.entity';
import type { BrowserSessions } from '../sign-in/browser-sessions.service';
import { FrameSession, frameSessions } from './frame-session.entity';
import { frameSessionDigest } from './frame-session.subject';
import type { FrameUses } from './frame-uses';

/** For how long a code is good, milliseconds, and how much of that a browser keeps it, seconds. */
const codeGoodFor = 60_000;
export const handOffSeconds = codeGoodFor / 1_000;
/** Ended ones are kept so long, milliseconds. */
const keptFor = 24 * 3_600_000;
/** Of one turn. */
const mostOfTurn = 200;

/** A SHA-256 digest, or 256 random bits, in base64url. */
export const isChallenge = (text: unknown): text is string => typeof text === 'string' && /^[\w-]{43}$/.test(text);

/** Why what a frame brought was refused, as its event says. */
export type FrameRefusal = 'code' | 'code-age' | 'code-used' | 'code-source' | 'verifier' | 'session';

const rows = select(
  {
    ...frameSessions.pick('id', 'cookieDigest', 'sessionId', 'source', 'createdAt', 'endedAt', 'withinSealed'),
    isOver: saidOver('FrameSession', 'frame-session.end', frameSessions.id),
  },
  sql`FROM ${frameSessions}`,
);
type FrameRow = Selected<typeof rows>;
/** As of the browser's session. */
const isEnded = ({ endedAt, isOver }: FrameRow): boolean => endedAt !== null || isOver;
/** Those that go on, with whether their browser's does. */
const outlived = select(
  frameSessions.pick('id'),
  sql`FROM ${frameSessions} LEFT JOIN ${browserSessions} ON ${browserSessions.id} = ${frameSessions.sessionId}`,
);

/** A code as it is sealed: good for one frame, once. */
const codeContent = z.strictObject({
  source: z.string(),
  challenge: z.string(),
  /** The cookie of the browser's session. */
  cookie: z.string(),
  session: z.string(),
  person: z.string(),
  /** UTC milliseconds. */
  until: z.number(),
});

/** What is sealed in a row: of which session of a browser, and of which frame, so that no row becomes another one's. */
const withinContent = z.strictObject({ cookie: z.string(), session: z.string(), source: z.string() });

const codePlace: SealedPlace = { table: 'frame_session', column: 'code', row: 'code' };
const place = (id: string): SealedPlace => ({ table: 'frame_session', column: 'within_sealed', row: id });

const gone = (): Failure =>
  new Failure('UNAUTHENTICATED', 'There is no such session of a frame, or it was ended.', {
    rule: 'frame.none',
    remedy: 'Sign in again.',
  });

/** What a frame brought begins no session. The message says which, and nothing of it. */
export class FrameRefused extends Failure {
  constructor(readonly why: FrameRefusal) {
    super('UNAUTHENTICATED', 'This begins no session here: it is too old, was used, or is another frame’s.', {
      rule: 'frame.code',
      remedy: 'Sign in again.',
    });
  }
}

export interface FrameSessionParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly sessions: BrowserSessions;
  readonly uses: FrameUses;
}

/** Whose frame it is, and where. */
export interface FrameArrival {
  readonly cookie: string;
  readonly source: string;
  readonly signed: FrameSurface['signed'];
}

/**
 * Sessions of frames: within that of the browser, which each request goes by again, so that whatever ends it ends them at once. A frame's
 * cookie leads nowhere else.
 */
export class FrameSessions {
  constructor(private readonly parts: FrameSessionParts) {}

  /**
   * A code for the frame that holds the verifier whose SHA-256 digest `challenge` is, for whoever has this cookie of a browser's session.
   * Throws `UNAUTHENTICATED`, `UPSTREAM_UNAVAILABLE`.
   */
  async code(
    cookie: string,
    { source, challenge, network }: { readonly source: string; readonly challenge: string; readonly network: string | null },
  ): Promise<string> {
    const { sessions, keys, clock } = this.parts;
    const { actor } = await sessions.arriveBy(cookie, network);
    const content: z.output<typeof codeContent> = {
      source,
      challenge,
      cookie,
      session: await sessions.idOf(cookie),
      person: actor.id,
      until: clock().getTime() + codeGoodFor,
    };
    return seal(keys.frameKey, codePlace, JSON.stringify(content)).toString('base64url');
  }

  /**
   * Begins the session of a frame, and ends the one that it had. A code is used up by this, whatever comes of it. Returns the new cookie's value.
   * Throws `FrameRefused`.
   */
  async redeem(
    { code, verifier, source }: { readonly code: string; readonly verifier: string; readonly source: string },
    former: string | null,
  ): Promise<string> {
    const content = this.opened(code);
    if (this.parts.clock().getTime() >= content.until) throw new FrameRefused('code-age');
    if (!(await this.parts.uses.take('code', code, new Date(content.until)))) throw new FrameRefused('code-used');
    if (content.source !== source) throw new FrameRefused('code-source');
    if (createHash('sha256').update(verifier).digest('base64url') !== content.challenge) throw new FrameRefused('verifier');
    const goesOn = await this.parts.sessions.idOf(content.cookie).catch((error: unknown) => {
      if (failureIn(error)?.code === 'UNAUTHENTICATED') return null;
      throw error;
    });
    if (goesOn !== content.session) throw new FrameRefused('session');
    const before = former === null ? undefined : await this.find(former);
    const cookie = randomBytes(32).toString('base64url');
    const id = `frm_${ulid()}`;
    await this.parts.database.system('sign-in', 'frame-session.begin', async (change) => {
      if (before && !isEnded(before)) await this.endIn(change, before.id, 'renewed');
      const within: z.output<typeof withinContent> = { cookie: content.cookie, session: content.session, source };
      const row = {
        id,
        cookieDigest: this.digestOf(cookie),
        sessionId: content.session,
        source,
        createdAt: change.at,
        endedAt: null,
        withinSealed: seal(this.keyOf(cookie), place(id), JSON.stringify(within)),
      };
      await change.insert(frameSessions, row);
      change.record('frame-session.begin', {
        subject: { type: 'FrameSession', id },
        detail: { person: content.person, within: content.session, source, entry: frameSessionDigest(row) },
      });
    });
    return cookie;
  }

  /** Who a frame's cookie speaks for, now, and from where. `isAttended` as for the browser's session. Throws `UNAUTHENTICATED`, `UPSTREAM_UNAVAILABLE`. */
  async arriveBy(frame: FrameArrival, network: string | null, isAttended = true): Promise<Arrival> {
    const { sessions } = this.parts;
    const within = await this.within(frame);
    const arrival = await sessions.arriveBy(within.cookie, network, isAttended);
    return {
      ...arrival,
      actor: this.inFrame(arrival.actor, frame),
      again: async () => {
        await this.within(frame);
        return this.inFrame(await arrival.again(), frame);
      },
    };
  }

  /** The id of a frame's session that goes on. Throws `UNAUTHENTICATED`. */
  async idOf(frame: Pick<FrameArrival, 'cookie' | 'source'>): Promise<string> {
    return (await this.within(frame)).id;
  }

  /** Ends a frame's session by its cookie; the browser's goes on. */
  async signOut(cookie: string): Promise<void> {
    const found = await this.find(cookie);
    if (!found || isEnded(found)) return;
    await this.end(found.id, 'signed-out');
  }

  /** Ends those whose browser's session is over, and removes what ended long ago. */
  async sweep(): Promise<void> {
    const { database, clock } = this.parts;
    const over = await database.read(
      outlived,
      sql`WHERE ${frameSessions.endedAt} IS NULL AND (${browserSessions.id} IS NULL OR ${browserSessions.endedAt} IS NOT NULL) LIMIT ${mostOfTurn}`,
    );
    for (const { id } of over) await this.end(id, 'browser');
    const before = new Date(clock().getTime() - keptFor);
    const old = await database.read(rows, sql`WHERE ${frameSessions.endedAt} < ${before} LIMIT ${mostOfTurn}`);
    if (old.length === 0) return;
    await database.system('worker', 'frame-session.forget', async (change) => {
      const ids = old.map(({ id }) => id);
      const count = await change.remove(
        frameSessions,
        sql`${frameSessions.id} IN (${ids}) AND ${frameSessions.endedAt} < ${before}`,
      );
      if (count > 0) change.record('frame-session.forget', { detail: { sessions: count } });
    });
  }

  /** A sign-in of long ago is all that counts in a frame: what asks for a recent one is done in the console. */
  private inFrame(actor: SignedInActor, { source, signed }: FrameArrival): SignedInActor {
    return { ...actor, authenticatedAt: null, frame: { source, signed } };
  }

  private opened(code: string): z.output<typeof codeContent> {
    try {
      const sealed = Buffer.from(code, 'base64url');
      // Base64 has several spellings of the same bytes: each would be a code that wasn't used yet.
      if (sealed.toString('base64url') !== code) throw new FrameRefused('code');
      return codeContent.parse(JSON.parse(open(this.parts.keys.frameKey, codePlace, sealed)));
    } catch {
      // Whatever is wrong with it, it is none.
      throw new FrameRefused('code');
    }
  }

  private async within({
    cookie,
    source,
  }: Pick<FrameArrival, 'cookie' | 'source'>): Promise<z.output<typeof withinContent> & { readonly id: string }> {
    const row = await this.find(cookie);
    if (!row || isEnded(row) || row.withinSealed === null) throw gone();
    let within: z.output<typeof withinContent>;
    try {
      within = withinContent.parse(JSON.parse(open(this.keyOf(cookie), place(row.id), row.withinSealed)));
    } catch {
      throw gone();
    }
    // What is sealed says it: whoever writes rows doesn't move a frame to another helpdesk.
    if (within.source !== source || row.source !== source) throw gone();
    return { ...within, id: row.id };
  }

  private digestOf(cookie: string): string {
    return this.parts.keys.searchDigest('frame-session', cookie) as string;
  }

  /** Of the installation and the cookie: a row that is put on another cookie doesn't open. */
  private keyOf(cookie: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.parts.keys.frameKey, cookie, 'counterfoil/frame-session', 32));
  }

  private async find(cookie: string): Promise<FrameRow | undefined> {
    const digest = this.digestOf(cookie);
    const [row] = await this.parts.database.read(rows, sql`WHERE ${frameSessions.cookieDigest} = ${digest}`);
    return row;
  }

  private async end(id: string, why: 'signed-out' | 'browser'): Promise<void> {
    await this.parts.database.system('sign-in', 'frame-session.end', (change) => this.endIn(change, id, why));
  }

  private async endIn(change: SystemChange, id: string, why: 'signed-out' | 'browser' | 'renewed'): Promise<void> {
    const row = await change.lockIfAny(FrameSession, { id });
    if (!row || row.endedAt !== null) return;
    await change.update(frameSessions, { endedAt: change.at, withinSealed: null }, sql`${frameSessions.id} = ${id}`);
    change.record('frame-session.end', { subject: { type: 'FrameSession', id }, detail: { why } });
  }
}
