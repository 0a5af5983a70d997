import { Loop, type Timer } from '../background/loop';
import type { Reads } from '../db/reads';
import type { EventVouchers } from '../privacy/event-vouchers';
import { Scrub, type ScrubFinding } from './scrub';
import type { SideRows } from './side-rows';
import type { Subject } from './subjects';
import type { OutsideKeys } from './trusted-keys';

/** How far the stored log was held against what was signed, by this process. */
export interface ScrubState {
  /** So many leaves, from the first one, were read with their rows and agree with them. */
  readonly agreeing: number;
  /** So many leaves were read. */
  readonly read: number;
  /** When the oldest of these readings began; null before the first. */
  readonly since: Date | null;
  /** Places where what is stored differs: leaves, their rows, the tree, checkpoints, the queue, what events are about. */
  readonly findings: number;
  /** When the last round that came to its end began; null before the first. */
  readonly round: Date | null;
}

export interface ScrubRoundsOptions {
  readonly outside: OutsideKeys;
  readonly rows: SideRows;
  /** What has rows of its own that are held against their events. */
  readonly subjects: readonly Subject<unknown>[];
  readonly vouchers: EventVouchers | null;
  readonly clock: () => Date;
  /** Told of each place once, as long as no later round finds it right again. Must not throw. */
  readonly onFinding: (finding: ScrubFinding) => void;
  /** A step failed; it is tried again. */
  readonly onFault: (error: unknown) => void;
  readonly timer?: Timer;
}

/** Leaves read in one step: some five milliseconds of work. A leaf has 65,535 bytes at most, and usually some hundred. */
const leavesAtOnce = 100;
/** Ids looked up in one step where what has no leaf is looked for. */
const rowsAtOnce = 1_000;
/** Subjects looked at in one step, each with some ten rows and events. */
const subjectsAtOnce = 50;
/** Of the time that steps take, so many times as much lies between them: one percent of a processor, however long the log. */
const restBetween = 99;
/** A round is done within this many milliseconds, whatever the share of a processor: a day, with some of it in reserve. */
const longestRound = 20 * 3_600_000;
/** From the end of a round to the next, in milliseconds. */
const betweenRounds = 60_000;
/** The least, whatever the log says of its size: while more is new than a step reads, or where a round would take too long. */
const leastRest = 9;
/** How soon what is new in the log is read, in milliseconds. */
const followEvery = 2_000;
const afterFault = 30_000;
/** The first step waits until a start is over. */
const atStart = 3_000;

/** Steps of a round through so many leaves: of the leaves, of the ids in four tables, and of what so many of them are about. */
export const stepsOf = (leaves: number, aboutSubjects = 0): number =>
  leaves * (1 / leavesAtOnce + 4 / rowsAtOnce) + aboutSubjects / subjectsAtOnce + 1;

/** Milliseconds between a step that took so many and the next one, in a log of so many leaves. */
export const pauseOf = (taken: number, leaves: number, aboutSubjects = 0): number =>
  Math.min(Math.max(20, taken * restBetween), Math.max(taken * leastRest, longestRound / stepsOf(leaves, aboutSubjects)));

/** What a round looks at, one after the other. */
const parts: readonly ((scrub: Scrub) => AsyncGenerator<unknown>)[] = [
  (scrub) => scrub.leaves(leavesAtOnce),
  (scrub) => scrub.rest(rowsAtOnce),
  (scrub) => scrub.subjects(subjectsAtOnce),
];

interface Round {
  readonly scrub: Scrub;
  readonly since: Date;
  /** What it is at; made anew after a fault. */
  steps: AsyncGenerator<unknown> | null;
  /** How many of its parts are over. */
  over: number;
}

/**
 * Goes round the whole stored log again and again while the gateway runs, as `doctor` does at once: in small steps whose pace
 * follows the log's size, so that a round takes a day at most and one percent of a processor mostly. What is new is read within
 * seconds. What it knows is kept in memory: whoever writes the database can't say that it was looked at.
 */
export class ScrubRounds {
  private readonly loop: Loop;
  private readonly now: () => number;
  /** The last round that came to its end, which goes on with what is new, and the one under way. */
  private done: Round | null = null;
  private underWay: Round | null = null;
  private doneAt = 0;
  private followedAt = 0;
  private isBehind = false;
  private followedLast = false;
  private pause = atStart;
  private told = new Set<string>();

  constructor(
    private readonly database: Reads,
    private readonly options: ScrubRoundsOptions,
  ) {
    const { timer } = options;
    this.now = () => timer?.now() ?? performance.now();
    this.loop = new Loop({
      turn: () => this.turn(),
      every: () => this.pause,
      first: 'after a pause',
      onFault: (error) => {
        this.pause = afterFault;
        options.onFault(error);
      },
      ...(timer ? { timer } : {}),
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  get state(): ScrubState {
    const rounds = [this.done, this.underWay].filter((round) => round !== null);
    const [oldest] = rounds;
    if (!oldest) return { agreeing: 0, read: 0, since: null, findings: 0, round: null };
    const read = oldest.scrub.report.leaves;
    const first = rounds.flatMap(({ scrub }) => scrub.report.first ?? []);
    return {
      agreeing: Math.min(read, ...first),
      read,
      since: oldest.since,
      findings: Math.max(...rounds.map(({ scrub }) => scrub.report.found)),
      round: this.done?.since ?? null,
    };
  }

  /** One step. */
  async turn(): Promise<void> {
    const began = this.now();
    this.followedLast = !this.followedLast && this.done !== null && (this.isBehind || began - this.followedAt >= followEvery);
    if (this.followedLast && this.done) await this.follow(this.done);
    else if (this.underWay || !this.done || began - this.doneAt >= betweenRounds) await this.goOn();
    this.tell();
    this.pause = this.pauseAfter(this.now() - began);
  }

  /** Reads a step of what is new since the last round. */
  private async follow({ scrub }: Round): Promise<void> {
    await scrub.leaves(leavesAtOnce).next();
    this.isBehind = !scrub.isAtEnd;
    this.followedAt = this.now();
  }

  private async goOn(): Promise<void> {
    const { outside, rows, subjects, vouchers, clock } = this.options;
    const beside = { rows, subjects, ...(vouchers ? { vouchers } : {}) };
    this.underWay ??= { scrub: new Scrub(this.database, outside, beside), since: clock(), steps: null, over: 0 };
    const round = this.underWay;
    round.steps ??= parts[round.over]?.(round.scrub) ?? null;
    let isOver: boolean;
    try {
      isOver = (await round.steps?.next())?.done !== false;
    } catch (error) {
      round.steps = null;
      throw error;
    }
    if (!isOver) return;
    round.steps = null;
    round.over += 1;
    if (round.over < parts.length) return;
    this.done = round;
    this.underWay = null;
    this.doneAt = this.now();
    this.followedAt = this.doneAt;
  }

  private pauseAfter(taken: number): number {
    if (this.isBehind) return Math.max(20, taken * leastRest);
    if (this.done && !this.underWay) return followEvery / 2;
    const { size = 0, subjectLeaves = 0 } = this.underWay?.scrub ?? {};
    return pauseOf(taken, size, subjectLeaves);
  }

  private tell(): void {
    const found = [this.done, this.underWay].flatMap((round) => round?.scrub.report.findings ?? []);
    const known = this.told;
    // What a whole round found right again is told anew if it comes back.
    this.told = new Set(found.map(({ message }) => message));
    for (const finding of found) if (!known.has(finding.message)) this.options.onFinding(finding);
  }
}
