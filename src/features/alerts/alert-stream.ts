import type { SignedInActor } from '../../authz/actor';
import type { ExposurePolicy } from '../../authz/policy/exposure';
import type { Database } from '../../db/database';
import { joined, type Sql, sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { assistsOnFor, coversCustomer } from '../assistance/live';
import { ticket } from '../tickets/tickets.rows';
import { alertReach, mayKnowAnswer } from './alert.policy';
import { alert, type HappenedRow, type HeldRow, happened, happenedRows, heldRows } from './alert.rows';
import type { AlertFeed, Listener } from './alert-feed';
import { happeningsKept } from './alert-retention';

/** What a reader is told of: the root of the subscription's execution. */
export class AlertNews {
  constructor(
    readonly kind: 'RAISED' | 'UPDATED' | 'ENDED',
    readonly cursor: string,
    readonly alertId: string,
    readonly ticketId: string | null,
  ) {}
}

export interface StreamParts {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly clock: () => Date;
  readonly feed: AlertFeed;
  readonly policy: Pick<ExposurePolicy, 'verdicts'>;
  readonly sources: {
    /** Asks a ticket's helpdesk for it again. Throws `SourceUnavailable` where it doesn't answer. */
    refreshTicket(source: string, reference: string): Promise<unknown>;
  };
  /** An assignment that was confirmed longer ago than this, in milliseconds, tells nothing of whose a ticket is. */
  readonly maximumAge: number;
}

export interface StreamArguments {
  readonly ticketId?: string | null | undefined;
  readonly after?: string | null | undefined;
}

/** What is read at once of what happened. */
const atOnce = 50;
/** Alerts that a stream remembers having told of. */
const mostRemembered = 500;
/** Milliseconds after which a helpdesk that didn't answer is asked again. */
const askAgainAfter = 2_000;

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });

/** The latest of what was put in, so many at most. */
class Memory {
  private readonly kept = new Set<string>();

  add(id: string): void {
    this.kept.delete(id);
    this.kept.add(id);
    const [oldest] = this.kept;
    if (oldest !== undefined && this.kept.size > mostRemembered) this.kept.delete(oldest);
  }

  has(id: string): boolean {
    return this.kept.has(id);
  }

  delete(id: string): void {
    this.kept.delete(id);
  }

  get all(): readonly string[] {
    return [...this.kept];
  }
}

/**
 * What happens to the alerts that are told to one actor, in order. Nothing waits here but a place: what a slow reader hasn't taken is
 * read when they take it, and judged then.
 */
export class AlertStream implements Listener {
  private readonly told = new Memory();
  private readonly over = new Memory();
  private upTo: number;
  private awake: () => void = () => {};

  private constructor(
    private readonly parts: StreamParts,
    /** As they were when the stream was last told who they are. */
    private actor: SignedInActor,
    private readonly given: { readonly ticketId: string | null; readonly resumesAfter: number | null },
    private position: number,
  ) {
    this.upTo = position;
  }

  /** Throws `INVALID` for a cursor of something else, or behind which something is missing, `NOT_FOUND` for a ticket of which the actor isn't told. */
  static async open(parts: StreamParts, actor: SignedInActor, { ticketId, after }: StreamArguments): Promise<AlertStream> {
    const resumed = parts.cursors.decode(actor.id, listOf(ticketId ?? null), after);
    const end = await parts.feed.end();
    if (resumed && resumed.value < (await parts.feed.beginning()) - 1)
      throw Failure.invalid(
        'after',
        `expected the cursor of an event that is kept: what happened since this one is kept no more (${happeningsKept} days). Subscribe without after, and ask for alerts`,
      );
    // A database that was restored has less than a reader has seen.
    const position = Math.min(resumed?.value ?? end, end);
    return new AlertStream(parts, actor, { ticketId: ticketId ?? null, resumesAfter: resumed?.value ?? null }, position);
  }

  wake(upTo: number): void {
    this.upTo = Math.max(this.upTo, upTo);
    this.awake();
  }

  mayConcern(staffIds: readonly (string | null)[], actorIds: ReadonlySet<string>, alertId: string): boolean {
    return (
      actorIds.has(this.actor.id) ||
      staffIds.some((id) => id !== null && this.actor.staffIds.includes(id)) ||
      this.told.has(alertId)
    );
  }

  /** Who the reader is now: rights, and rows among the staff, may have changed. */
  isOf(actor: SignedInActor): void {
    this.actor = actor;
  }

  /** What happened that may be the actor's to know, in order, as it comes; ends with the signal. What is taken is judged by `judge`. */
  async *happenings(signal: AbortSignal): AsyncGenerator<HappenedRow> {
    const stop = this.parts.feed.listen(this);
    const end = () => this.awake();
    signal.addEventListener('abort', end);
    try {
      while (!signal.aborted) {
        const upTo = this.upTo;
        if (this.position >= upTo) {
          await new Promise<void>((resolve) => {
            this.awake = resolve;
            if (signal.aborted || this.upTo > this.position) resolve();
          });
          continue;
        }
        const rows = await this.parts.database.read(
          happenedRows,
          sql`WHERE ${happened.position} > ${this.position} AND ${happened.position} <= ${upTo} AND ${this.isCandidate()}
            ORDER BY ${happened.position} LIMIT ${atOnce}`,
        );
        for (const row of rows) {
          if (signal.aborted) return;
          yield row;
          this.position = row.position;
        }
        if (rows.length < atOnce) this.position = upTo;
      }
    } finally {
      signal.removeEventListener('abort', end);
      stop();
    }
  }

  /** What the actor is told of something that happened, as it is now; null for nothing. Waits for a helpdesk that has to say whose the ticket is. */
  async judge(row: HappenedRow, signal: AbortSignal): Promise<AlertNews | null> {
    const held = await this.confirmed(row.alertId, signal);
    if (signal.aborted) return null;
    const { position, kind, alertId, ticketId, heldById } = row;
    const news = (kind: AlertNews['kind']) => new AlertNews(kind, this.cursorAt(position), alertId, ticketId);
    const wasTheirs = heldById !== null && this.actor.staffIds.includes(heldById);
    if (held?.state === 'OPEN' && kind !== 'ENDED') {
      // Who has it still, or was told already, learns nothing by its moving.
      if (kind === 'MOVED') return wasTheirs || this.told.has(alertId) ? null : news('RAISED');
      return news(kind === 'UPDATED' && (await this.wasTold(alertId)) ? 'UPDATED' : 'RAISED');
    }
    // Whoever goes on from before was told where they had it, or have it.
    const hadIt = this.told.has(alertId) || ((wasTheirs || held !== null) && (await this.wasTold(alertId)));
    return hadIt && !this.over.has(alertId) ? news('ENDED') : null;
  }

  /** Whether what was judged holds still, by one look at what is stored: the last thing before it leaves. */
  async holds({ kind, alertId }: AlertNews): Promise<boolean> {
    return kind === 'ENDED' || (await this.held(alertId))?.state === 'OPEN';
  }

  /** It has left. */
  hasLeft({ kind, alertId }: AlertNews): void {
    if (kind === 'ENDED') {
      this.told.delete(alertId);
      this.over.add(alertId);
    } else {
      this.over.delete(alertId);
      this.told.add(alertId);
    }
  }

  private cursorAt(position: number): string {
    return this.parts.cursors.encode(this.actor.id, listOf(this.given.ticketId), { value: position, id: '' });
  }

  /** By this stream, or by the one that it goes on from. */
  private async wasTold(alertId: string): Promise<boolean> {
    if (this.told.has(alertId)) return true;
    const { resumesAfter } = this.given;
    if (resumesAfter === null) return false;
    const before = sql`WHERE ${happened.alertId} = ${alertId} AND ${happened.position} <= ${resumesAfter} LIMIT 1`;
    return (await this.parts.database.read(happenedRows, before)).length > 0;
  }

  private isCandidate(): Sql {
    const { actor, parts, given } = this;
    const now = parts.clock();
    const told = this.told.all;
    const grounds = [
      assistsOnFor(happened.ticketId, alert.customerId, actor, now),
      sql`(${happened.ticketId} IS NULL AND ${coversCustomer(alert.customerId, actor, now)})`,
    ];
    if (actor.staffIds.length > 0)
      grounds.push(sql`${ticket.assigneeId} IN (${actor.staffIds})`, sql`${happened.heldById} IN (${actor.staffIds})`);
    const ofTicket = given.ticketId === null ? sql`` : sql` AND ${happened.ticketId} = ${given.ticketId}`;
    const wasTold = told.length > 0 ? sql` OR ${happened.alertId} IN (${told})` : sql``;
    return sql`(((${joined(grounds, ' OR ')}) AND ${mayKnowAnswer(actor, parts.policy)})${wasTold})${ofTicket}`;
  }

  /** The alert, where it is told to the actor as stored. */
  private async held(alertId: string): Promise<HeldRow | null> {
    const { database, clock, policy } = this.parts;
    const [row] = await database.read(
      heldRows,
      sql`WHERE ${alert.id} = ${alertId} AND ${alertReach(this.actor, clock(), policy)}`,
    );
    return row ?? null;
  }

  /** The same, with whose the ticket is as its helpdesk said lately: without that nobody is told anything. */
  private async confirmed(alertId: string, signal: AbortSignal): Promise<HeldRow | null> {
    for (;;) {
      const held = await this.held(alertId);
      if (held === null || held.source === null || held.reference === null || held.confirmedAt === null) return held;
      const { clock, maximumAge, sources } = this.parts;
      if (clock().getTime() - held.confirmedAt.getTime() <= maximumAge / 2) return held;
      try {
        await sources.refreshTicket(held.source, held.reference);
        return await this.held(alertId);
      } catch (error) {
        if (!(error instanceof SourceUnavailable)) throw error;
        await pause(askAgainAfter, signal);
        if (signal.aborted) return null;
      }
    }
  }
}

const listOf = (ticketId: string | null): readonly unknown[] => ['Subscription.alerts', ticketId];

/** What may be waited for, by the root field of a subscription. */
export class AlertStreams {
  constructor(
    private readonly parts: StreamParts,
    private readonly reachable: (actor: SignedInActor, ticketId: string) => Promise<boolean>,
  ) {}

  /** Throws `INVALID`, `NOT_FOUND`. */
  async open(actor: SignedInActor, given: StreamArguments): Promise<AlertStream> {
    if (typeof given.ticketId === 'string' && !(await this.reachable(actor, given.ticketId))) throw Failure.notFound('ticket');
    return AlertStream.open(this.parts, actor, given);
  }

  get feed(): AlertFeed {
    return this.parts.feed;
  }
}
