import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Failure } from '../failure';
import { Waits } from '../lanes';

export interface DoorOptions {
  /** Requests that go on at once at most: from then on they would only wait for connections to the database. */
  readonly most: number;
  /** Those inside that wait for something else, such as a helpdesk, and leave their place to others meanwhile. */
  readonly waits?: Waits;
  /** The share of its time that the process was busy since this was asked the last time, 0 to 1. */
  readonly utilization?: () => number;
}

/** Requests that go on at once while there is more than can be done, at least, and otherwise: of so many, those that read the same tables share statements. */
const least = 6;
const atFirst = 16;
/** Requests of people that wait, and how many when some were sent away less than `calmAfter` milliseconds ago: those of services are a part of one. */
const mostWaiting = 64;
const mostWaitingInCrowd = 16;
const calmAfter = 1_000;
/** Requests that one that comes takes the places of, while more wait than may. */
const sentAwayByOne = 2;
/** Milliseconds after which nobody waits any more. */
const longestWait = 5_000;
/** How often it is looked at who waited too long, and how many may go on, milliseconds. */
const lookEvery = 250;
/** Less busy than this while requests wait, the process could do with more of them; busier than that, fewer would be as quick. */
const idleBelow = 0.9;
const busyAbove = 0.98;
/** A request takes so many times as long as one that is almost alone: from the first on no more are let in, from the second on fewer. */
const stretched = 1.5;
const overstretched = 2;
/** Requests inside, the measured one included, by which it counts as almost alone. */
const almostAlone = 2;
/** How much one request moves what is usual of them. */
const smoothing = 0.05;
/** By so much what is known of requests alone is taken to grow at each look while nobody is: what is asked for changes. */
const forgetting = 1.05;
/** Seconds after which a request may come again: not all of them after the same. */
const comeAgainWithin = 3;

interface Waiting {
  readonly who: string;
  readonly part: number;
  readonly since: number;
  readonly enter: () => void;
  readonly refuse: (failure: Failure) => void;
}

/** The share of its time that the event loop was busy, since the last call. */
const loopUtilization = (): (() => number) => {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
};

export const overloaded = (): Failure =>
  new Failure('OVERLOADED', 'There is more to do here than can be done just now. Nothing was begun.', {
    remedy: 'Try again after retryAfter seconds.',
    retryAfter: 1 + randomInt(comeAgainWithin),
  });

/**
 * Lets in as many requests at once as keep the process busy, and no more: what goes beyond only makes each of them slower
 * (Little's law). While others wait, more are let in where the event loop has time to spare, and fewer where it has none and requests are
 * sent away. Where requests take
 * twice as long as those that are almost alone, what they wait for is the database: then it goes back to as many as at first. That is
 * the gradient of Netflix's concurrency-limits and Envoy's adaptive concurrency; alone it would take a change of what is asked for, or a
 * slow helpdesk, for too much of it.
 *
 * Whoever finds no place waits. Who has fewest under way is let in first, so that a crowd of one actor waits for itself; among
 * equals the one who came first. Once more wait than may there is more to do than can be done, and to serve in turn would serve
 * nobody in time: then the last to come is let in first, fewer may wait, and those who have waited longest are sent away for
 * those that come. What waits when nobody comes any more is served.
 *
 * A service asks for many people: one request of it counts as a part of a person's, so that all it may have under way fit among those that wait, and a
 * pipeline isn't sent away for the people of a desk who come at once. Who has none under way is let in before it all the same.
 */
export class Door {
  private limit: number;
  private inside = 0;
  private readonly insideOf = new Map<string, number>();
  /** In the order they came. */
  private readonly waiting: Waiting[] = [];
  /** Since when somebody has been waiting without a break. */
  private since: number | null = null;
  /** When somebody was sent away the last time. */
  private sentAwayAt = Number.NEGATIVE_INFINITY;
  private looking: NodeJS.Timeout | undefined;
  private readonly waits: Waits;
  private readonly utilization: () => number;
  private entered = 0;
  private sentAway = 0;
  /** Milliseconds that requests take which are almost alone, and all of them now; null until one was seen. */
  private alone: number | null = null;
  private usual: number | null = null;

  constructor(private readonly options: DoorOptions) {
    this.limit = Math.min(atFirst, this.most);
    this.waits = options.waits ?? new Waits();
    this.utilization = options.utilization ?? loopUtilization();
    this.waits.onBegin = () => this.letIn();
  }

  /** For the operator: how many may go on and do, how many wait, and how many were let in and sent away so far. */
  get state() {
    const { limit, inside, entered, sentAway } = this;
    return { limit, inside, waiting: this.waiting.length, entered, sentAway };
  }

  /** More comes than can be done. */
  get isCrowded(): boolean {
    return performance.now() - this.sentAwayAt < calmAfter;
  }

  /** Runs `work` of this actor once there is a place. `part`: what it counts as of a person's request. Throws `OVERLOADED`, before anything was begun, and what `work` throws. */
  async run<T>(who: string, work: () => Promise<T>, part = 1): Promise<T> {
    if (this.hasRoom) this.enter(who, part);
    else await this.place(who, part);
    const began = performance.now();
    const isAlone = this.inside <= almostAlone;
    const isMeasured = this.waits.count === 0;
    try {
      return await work();
    } finally {
      if (isMeasured && this.waits.count === 0) this.measure(performance.now() - began, isAlone);
      this.leave(who, part);
    }
  }

  private measure(took: number, isAlone: boolean): void {
    const moved = (average: number | null) => (average === null ? took : average + (took - average) * smoothing);
    this.usual = moved(this.usual);
    if (isAlone) this.alone = moved(this.alone);
  }

  private get most(): number {
    return Math.max(least, this.options.most);
  }

  private get hasRoom(): boolean {
    return this.inside - Math.min(this.inside, this.waits.count) < this.limit;
  }

  private enter(who: string, part: number): void {
    this.entered += 1;
    this.inside += 1;
    this.insideOf.set(who, (this.insideOf.get(who) ?? 0) + part);
  }

  private leave(who: string, part: number): void {
    this.inside -= 1;
    const left = (this.insideOf.get(who) ?? 0) - part;
    if (left > 0) this.insideOf.set(who, left);
    else this.insideOf.delete(who);
    this.letIn();
  }

  /** How much waits, in requests of people. */
  private get size(): number {
    return this.waiting.reduce((sum, { part }) => sum + part, 0);
  }

  private place(who: string, part: number): Promise<void> {
    return new Promise((enter, refuse) => {
      const now = performance.now();
      const newcomer: Waiting = { who, part, since: now, enter, refuse };
      const most = this.isCrowded ? mostWaitingInCrowd : mostWaiting;
      this.waiting.push(newcomer);
      this.since ??= now;
      for (let sent = 0; sent < sentAwayByOne * part && this.size > most; ) {
        const one = this.leastDue();
        sent += one.part;
        this.sendAway(one);
      }
      this.look();
    });
  }

  private letIn(): void {
    while (this.waiting.length > 0 && this.hasRoom) {
      const next = this.next();
      this.enter(next.who, next.part);
      this.remove(next).enter();
    }
  }

  /** Of who has fewest under way: the last to come in a crowd, otherwise the first. */
  private next(): Waiting {
    const order = this.isCrowded ? [...this.waiting].reverse() : this.waiting;
    const underWay = ({ who }: Waiting): number => this.insideOf.get(who) ?? 0;
    return order.reduce((best, each) => (underWay(each) < underWay(best) ? each : best));
  }

  /** Of who has most here, waiting or under way: the one that has waited longest. */
  private leastDue(): Waiting {
    const of = new Map(this.insideOf);
    for (const { who, part } of this.waiting) of.set(who, (of.get(who) ?? 0) + part);
    const here = ({ who }: Waiting): number => of.get(who) ?? 0;
    return this.waiting.reduce((worst, each) => (here(each) > here(worst) ? each : worst));
  }

  private sendAway(one: Waiting): void {
    this.sentAway += 1;
    this.sentAwayAt = performance.now();
    this.remove(one).refuse(overloaded());
  }

  private remove(one: Waiting): Waiting {
    this.waiting.splice(this.waiting.indexOf(one), 1);
    if (this.waiting.length === 0) this.since = null;
    return one;
  }

  /** Looks again and again while somebody waits. */
  private look(): void {
    if (this.looking !== undefined) return;
    // What was before says nothing about now.
    this.utilization();
    this.looking = setInterval(() => {
      const now = performance.now();
      if (this.since === null) {
        clearInterval(this.looking);
        this.looking = undefined;
        return;
      }
      const utilization = this.utilization();
      if (now - this.since >= lookEvery) this.adjust(utilization);
      for (const late of this.waiting.filter(({ since }) => now - since >= longestWait)) this.sendAway(late);
      this.letIn();
    }, lookEvery).unref();
  }

  private adjust(utilization: number): void {
    const stretch = this.alone === null || this.usual === null ? 1 : this.usual / this.alone;
    const usualLimit = Math.min(atFirst, this.most);
    if (this.isCrowded && utilization > busyAbove) this.limit = Math.max(least, this.limit - 1);
    else if (!this.isCrowded && this.limit < usualLimit) this.limit += 1;
    // What takes long may be a flush that many share: fewer than at first would wait for as long, and less would be done.
    else if (stretch > overstretched) this.limit = Math.max(Math.min(this.limit, atFirst), this.limit - 1);
    else if (utilization < idleBelow && stretch < stretched) this.limit = Math.min(this.most, this.limit + 1);
    if (this.alone !== null) this.alone *= forgetting;
  }
}
