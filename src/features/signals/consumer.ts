import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { type Sql, sql } from '../../db/sql';
import { optional, select, wholeNumber } from '../../db/table';
import type { Signal } from '../../risk/signal';
import { feedEnd } from './feed';
import { LeftToAnother } from './left-to-another';
import { riskConsumers, riskFeed } from './signal.entity';
import { f, placedSignals, signalOf } from './signals.rows';

/** A signal with its place in the feed. */
export interface PlacedSignal {
  readonly position: number;
  /** When it was stored; how late it came is told by this and by when it occurred. */
  readonly receivedAt: Date;
  readonly signal: Signal;
}

/** Somebody who does something for each signal, once, in the order of the feed. */
export interface FeedConsumer<Effects> {
  /** By which it is told from others, for ever. */
  readonly name: string;
  /** Of which of them, as SQL over the rows of signals; of all where it isn't given. The others are passed over, and not even read. */
  readonly about?: Sql;
  /** What is to be done about these signals. It reads, outside of any transaction, and may be asked again for the same ones. */
  readonly judge: (signals: readonly PlacedSignal[]) => Promise<Effects>;
  /** Does it, and records what it did, in the transaction in which the consumer moves on. */
  readonly apply: (change: Change, effects: Effects) => Promise<void>;
}

/**
 * Signals of one transaction: at first, and at most. What follows of them may be much or nothing: after a transaction that took longer than
 * `long` milliseconds the next one has half as many, and twice as many after one that was `short`. Others wait for what it holds locked.
 */
const batch = { first: 50, most: 200, short: 250, long: 1_000 };
/** Positions that are passed in one transaction at most: after a first fill most signals are nobody's to look at. */
const mostPassed = 5_000;

const cursors = select(riskConsumers.pick('position'), sql`FROM ${riskConsumers}`);
const positions = select(riskFeed.pick('position'), sql`FROM ${riskFeed}`);
const latestOf = select({ position: optional(wholeNumber(sql`MAX(${riskFeed.position})`)) }, sql`FROM ${riskFeed}`);

/** Somebody else has read these signals in the same consumer's name: what was to be done about them they did. */
class Overtaken extends Error {}

/** A consumer stands where nothing is yet: somebody else than a gateway wrote that, or the feed lost its end. */
class BeyondFeed extends Error {
  /** Which, as the log says it: it has no messages. */
  readonly code: string;

  constructor(name: string) {
    super(`${name} stands beyond the end of the feed: signals up to there would have no effects`);
    this.name = 'BeyondFeed';
    this.code = `consumer.${name}`;
  }
}

const isOf = (name: string) => sql`WHERE ${riskConsumers.name} = ${name}`;

/**
 * Reads the feed in the name of one consumer. Any number of processes may do so at once: where a consumer stands is written in the
 * transaction of the effects, and only by whoever finds it where they began, so that each signal has its effects once.
 */
export class FeedReader<Effects> {
  private readonly reading: LeftToAnother;
  private size = batch.first;

  constructor(
    private readonly database: Database,
    private readonly consumer: FeedConsumer<Effects>,
    /** Monotonic milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {
    this.reading = new LeftToAnother(async () => (await this.position()) ?? 0, now);
  }

  /** Brings the consumer to the end of the feed, unless it is told to stop; before each step it gives way. Returns how many signals had their effects by this. */
  async turn(isStopped: () => boolean = () => false, giveWay: () => Promise<unknown> = async () => {}): Promise<number> {
    let done = 0;
    if (await this.reading.isStillLeft()) return done;
    while (!isStopped() && !this.reading.isLeft) {
      await giveWay();
      const read = await this.step();
      if (read === null) break;
      done += read;
    }
    return done;
  }

  /** How many positions of the feed the consumer has not read. */
  async lag(): Promise<number> {
    return Math.max(0, (await feedEnd(this.database)) - ((await this.position()) ?? 0));
  }

  private async position(): Promise<number | null> {
    const [row] = await this.database.read(cursors, isOf(this.consumer.name));
    return row?.position ?? null;
  }

  /** Null at the end of the feed. */
  private async step(): Promise<number | null> {
    const { judge, about = sql`1 = 1` } = this.consumer;
    const { size } = this;
    const before = (await this.position()) ?? (await this.begin());
    const { position } = riskFeed;
    const placed = await this.database.read(positions, sql`WHERE ${position} >= ${before} ORDER BY ${position} LIMIT 2`);
    // The last one is never removed: who says that they read more would pass over what comes.
    if (placed.length === 0 && before > 0) throw new BeyondFeed(this.consumer.name);
    const next = placed.find((each) => each.position > before);
    if (!next) return null;
    const [last] = await this.database.read(
      latestOf,
      sql`WHERE ${position} >= ${next.position} AND ${position} < ${next.position + mostPassed}`,
    );
    // What gets its place from here on is past this.
    const end = last?.position ?? next.position;
    const rows = await this.database.read(
      placedSignals,
      sql`WHERE ${f.position} > ${before} AND ${f.position} <= ${end} AND ${about} ORDER BY ${f.position} LIMIT ${size}`,
    );
    const to = rows.length < size ? end : (rows.at(-1)?.position ?? end);
    const signals = rows.map((row) => ({ position: row.position, receivedAt: row.receivedAt, signal: signalOf(row) }));
    const effects = await judge(signals);
    try {
      await this.moveOn({ before, to }, effects, signals.length);
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      await this.reading.leave();
      return 0;
    }
    return signals.length;
  }

  /** Does what follows of so many signals, and stands behind them by that. */
  private async moveOn(
    { before, to }: { readonly before: number; readonly to: number },
    effects: Effects,
    count: number,
  ): Promise<void> {
    const { name, apply } = this.consumer;
    const began = this.now();
    try {
      await this.database.system('signals', 'signal.consume', async (change) => {
        const isMine = sql`${riskConsumers.name} = ${name} AND ${riskConsumers.position} = ${before}`;
        if ((await change.bookkeep(riskConsumers, { position: to }, isMine)) === 0) throw new Overtaken();
        await apply(change, effects);
      });
    } catch (error) {
      // What took too long for a database that answers would take as long each time.
      if (error instanceof DatabaseUnavailable) this.size = Math.max(1, Math.floor(count / 4));
      throw error;
    }
    const took = this.now() - began;
    if (took > batch.long) this.size = Math.max(1, Math.floor(count / 2));
    else if (took < batch.short) this.size = Math.min(batch.most, this.size * 2);
  }

  /** A consumer that was never there begins with the oldest signal that is kept. */
  private begin(): Promise<number> {
    const { name } = this.consumer;
    return this.database.system(
      'signals',
      'signal.consume',
      async (change) => {
        const [twin] = await change.read(cursors, isOf(name), { lock: true });
        if (twin) return twin.position;
        await change.insert(riskConsumers, { name, position: 0 });
        change.record('signal.consume', { subject: { type: 'SignalConsumer', id: name } });
        return 0;
      },
      { idempotent: true },
    );
  }
}
