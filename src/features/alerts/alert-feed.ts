import { Loop } from '../../background/loop';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { whoAssists } from '../assistance/live';
import { type HappenedRow, happened, happenedRows, latestPlace, places } from './alert.rows';

/** The pause between two looks at what happened, in milliseconds. */
const lookEvery = 100;
/** What is read of it at once. */
const atOnce = 500;

/** Somebody who is told of alerts. */
export interface Listener {
  /** Something happened up to this place; whether it is theirs to know they find out themselves. */
  wake(upTo: number): void;
  /** It may concern them: of tickets that one of these has, or had, or where one of these actors assists. */
  mayConcern(staffIds: readonly (string | null)[], actorIds: ReadonlySet<string>, alertId: string): boolean;
}

export interface FeedParts {
  readonly database: Database;
  readonly clock: () => Date;
  readonly onFault: (error: unknown) => void;
  /** Takes over which sessions ended, before anybody is told anything. */
  readonly restoreRevocations: () => Promise<unknown>;
}

/** One look of a process at what happened to alerts, for all who listen; none while nobody does. */
export class AlertFeed {
  private readonly listeners = new Set<Listener>();
  private loop: Loop | null = null;
  private stopping: Promise<void> = Promise.resolve();
  /** Up to where it was looked; null before the first look. */
  private seen: number | null = null;

  constructor(private readonly parts: FeedParts) {}

  get size(): number {
    return this.listeners.size;
  }

  /** The latest place. */
  async end(): Promise<number> {
    const [row] = await this.parts.database.read(latestPlace, sql``);
    return row?.position ?? 0;
  }

  /** The first place that is kept; 1 where none is taken. */
  async beginning(): Promise<number> {
    const { position } = places.columns;
    const [row] = await this.parts.database.read(places, sql`WHERE ${position} > 0 ORDER BY ${position} LIMIT 1`);
    return row?.position ?? 1;
  }

  /** Tells the listener of what happens from now on, until what is returned is called. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.loop === null) {
      this.seen = null;
      const { onFault } = this.parts;
      const loop = new Loop({ turn: () => this.turn(), every: lookEvery, onFault, first: 'at once' });
      this.loop = loop;
      // A turn of the one before may still be under way.
      void this.stopping.then(() => loop.start());
    } else if (this.seen !== null) {
      // What came since the listener looked, others were told of.
      listener.wake(this.seen);
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) void this.stop();
    };
  }

  async stop(): Promise<void> {
    const { loop } = this;
    this.loop = null;
    if (loop) this.stopping = loop.stop();
    await this.stopping;
  }

  private async turn(): Promise<void> {
    const end = await this.end();
    const from = this.seen ?? 0;
    if (this.seen === null) {
      this.seen = end;
      // Whoever began before this knows of nothing that came meanwhile.
      for (const listener of this.listeners) listener.wake(end);
      return;
    }
    if (end <= from) return;
    await this.parts.restoreRevocations();
    const rows = await this.parts.database.read(
      happenedRows,
      sql`WHERE ${happened.position} > ${from} AND ${happened.position} <= ${end} ORDER BY ${happened.position} LIMIT ${atOnce}`,
    );
    const last = rows.at(-1);
    // Past what was read there may be more: the next turn follows at once.
    const upTo = last && rows.length === atOnce ? last.position : end;
    await this.tell(rows, upTo);
    this.seen = upTo;
    if (upTo < end) this.loop?.wake();
  }

  private async tell(rows: readonly HappenedRow[], upTo: number): Promise<void> {
    if (rows.length === 0) return;
    const customerIds = [...new Set(rows.map(({ customerId }) => customerId))];
    const assisting = await whoAssists(this.parts.database, customerIds, this.parts.clock());
    for (const { alertId, ticketId, customerId, assigneeId, heldById } of rows) {
      const actorIds = new Set(
        assisting.flatMap((each) =>
          each.customerId === customerId && (ticketId === null || each.ticketId === ticketId) ? [each.actorId] : [],
        ),
      );
      for (const listener of this.listeners)
        if (listener.mayConcern([assigneeId, heldById], actorIds, alertId)) listener.wake(upTo);
    }
  }
}
