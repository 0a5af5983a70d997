import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Loop } from '../../background/loop';
import type { Database } from '../../db/database';
import { isConflict, isDuplicate } from '../../db/engine';
import { takeFreePlaces } from '../../db/order';
import { sql } from '../../db/sql';
import { select, wholeNumber } from '../../db/table';
import { describeError } from '../../log';
import { type FeedConsumer, FeedReader } from './consumer';
import { feedEnd, feedOrder } from './feed';
import { LeftToAnother } from './left-to-another';
import type { LogSignals } from './log-signals';
import { SignalRetention } from './retention';
import { riskFeedBatches, riskFeedPending } from './signal.entity';

/** The pause between two looks at what other processes stored, in milliseconds. What this process stores it is told of. */
const lookEvery = 200;
/** The pause between two looks at what the log says, in milliseconds: what many were shown within it is told in one transaction. */
const readLogEvery = 500;
/** The pause between two looks at what is too old, in milliseconds. */
const removeEvery = 3_600_000;

/**
 * For how long what is made of signals waits for those who are sending, before each piece of it: so many times what the piece before it took,
 * within these bounds, in milliseconds. While more is sent than can be taken it has a fifth of the time by that.
 */
const giveWayFor = { times: 4, least: 500, most: 2_000 };
const lookAgainAfter = 10;

/** A fault is logged once within so many milliseconds. */
const toldEvery = 10_000;

const waiting = select(
  {
    count: wholeNumber(
      sql`(SELECT COALESCE(CAST(SUM(${riskFeedBatches.signals}) AS SIGNED), 0) FROM ${riskFeedBatches}) + (SELECT COUNT(*) FROM ${riskFeedPending})`,
    ),
  },
  sql`FROM (SELECT 1 AS one) AS o`,
);

export interface SignalParts {
  readonly database: Database;
  readonly fromLog: LogSignals;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** How far the signals are that are stored. */
export interface SignalProgress {
  /** Signals that have no position yet. */
  readonly pending: number;
  /** Positions that a consumer has not read, by its name. */
  readonly unread: ReadonlyMap<string, number>;
}

/**
 * The stream of signals: puts what is committed in order, has it read by each consumer, and removes what is too old. Any number of
 * processes may do so at once, and any may end at any moment.
 */
export class Signals {
  private readonly readers = new Map<string, Pick<FeedReader<unknown>, 'turn' | 'lag'>>();
  private readonly loops: readonly Loop[];
  private readonly feed: Loop;
  private readonly readsLog: Loop;
  private toldAt = Number.NEGATIVE_INFINITY;
  /** Requests that are being stored. */
  private taking = 0;
  /** Since when a piece of what is made of signals is under way, on the monotonic clock. */
  private pieceSince = 0;
  /** Two processes that put in order what is stored meet at the same places: what the second did is thrown away. */
  private readonly placing = new LeftToAnother(() => feedEnd(this.parts.database));
  private readonly retention = new SignalRetention(this.parts.database, this.parts.clock);

  constructor(private readonly parts: SignalParts) {
    const onFault = (error: unknown) => this.onFault(error);
    // Several that were started together don't stay in step.
    const every = () => lookEvery * (0.75 + Math.random() / 2);
    this.feed = new Loop({ turn: () => this.turn(), every, onFault, first: 'at once' });
    this.readsLog = new Loop({ turn: () => this.readLog(), every: readLogEvery, onFault, first: 'at once' });
    const removal = new Loop({
      turn: () => this.retention.turn(() => removal.isStopped),
      every: removeEvery,
      onFault,
      first: 'at once',
    });
    this.loops = [this.feed, this.readsLog, removal];
  }

  /** From now on this consumer reads the feed. */
  consume<Effects>(consumer: FeedConsumer<Effects>): void {
    this.readers.set(consumer.name, new FeedReader(this.parts.database, consumer));
  }

  start(): void {
    for (const loop of this.loops) loop.start();
  }

  /** Ends the turn under way and takes no other. */
  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** Signals were stored: they needn't wait for the next look. */
  stored(): void {
    this.feed.wake();
  }

  /** Stores what somebody sent, who waits for an answer: what is made of signals gives way meanwhile. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    this.taking += 1;
    try {
      return await work();
    } finally {
      this.taking -= 1;
    }
  }

  /** Puts in order what is committed and brings each consumer to the end. What fails in one of them keeps no other back. */
  async turn(): Promise<void> {
    const { database } = this.parts;
    const isStopped = () => this.feed.isStopped;
    this.pieceSince = performance.now();
    await this.attempt(async () => {
      if (await this.placing.isStillLeft()) return;
      while (!isStopped() && (await this.giveWay())) {
        const placed = await takeFreePlaces(database, feedOrder);
        if (placed === null) await this.placing.leave();
        if (!placed) break;
      }
    });
    for (const reader of this.readers.values()) await this.attempt(() => reader.turn(isStopped, () => this.giveWay()));
  }

  /** Makes signals of what the log says by now. */
  async readLog(): Promise<void> {
    if ((await this.parts.fromLog.turn(() => this.readsLog.isStopped)) > 0) this.stored();
  }

  async progress(): Promise<SignalProgress> {
    const [row] = await this.parts.database.read(waiting, sql``);
    const unread = new Map<string, number>();
    for (const [name, reader] of this.readers) unread.set(name, await reader.lag());
    return { pending: row?.count ?? 0, unread };
  }

  private async giveWay(): Promise<true> {
    const { times, least, most } = giveWayFor;
    const began = performance.now();
    const until = began + Math.min(most, Math.max(least, times * (began - this.pieceSince)));
    while (this.taking > 0 && performance.now() < until && !this.feed.isStopped) await after(lookAgainAfter);
    this.pieceSince = performance.now();
    return true;
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.onFault(error);
    }
  }

  private onFault(error: unknown): void {
    // Somebody else was faster: the next turn sees what they did.
    if (isConflict(error) || isDuplicate(error)) return;
    // A database that can't be used is out of reach for each look.
    if (this.feed.isStopped || performance.now() - this.toldAt < toldEvery) return;
    this.toldAt = performance.now();
    this.parts.log.error({ error: describeError(error) }, 'signals could not be read');
  }
}
