import { randomUUID } from 'node:crypto';
import type { Change } from '../db/change';
import type { Database } from '../db/database';
import { DatabaseUnavailable } from '../db/database-unavailable';
import { type Sql, sql } from '../db/sql';
import { type Changes, type Selected, select, wholeNumber } from '../db/table';
import type { JobTable, StoredJob } from './job-table';
import { Loop } from './loop';

/** Jobs that one process does at a time, unless its owner says otherwise. */
const usualWidth = 8;
const longestPause = 3_600_000;
const idlePause = 1_000;
/** Looks in a row that may find others to be faster before a process waits for its next turn: what it reads may be older than what they wrote. */
const mostMisses = 8;

/** Another process has the job by now: whatever was under way here must not be written. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease on the job was lost');
    this.name = 'LeaseLost';
  }
}

/** A job that this process has to itself, with what it is about under its column's name. */
export type ClaimedJob<Kind extends string, Subject extends string> = Readonly<Record<Subject, string>> & {
  readonly id: string;
  readonly kind: Kind;
  /** Tries before this one that got nowhere. */
  readonly attempts: number;
  /** What came of the last of them, in a word; null without one, or where nobody said. */
  readonly lastFault: string | null;
  /** Within a change that is permitted: prolongs the lease, or throws `LeaseLost`, so that nothing commits for a job that another process has. */
  renewLease(change: Change): Promise<void>;
};

/** `dead`: nothing will come of it, however often it is tried. `again`: milliseconds until it is looked at again; with a fault it counts as a try that got nowhere. */
export type JobResult = 'done' | 'dead' | { readonly again: number } | { readonly fault: string };

export interface JobHandler<Kind extends string, Subject extends string> {
  run(job: ClaimedJob<Kind, Subject>): Promise<JobResult>;
  /** Tries that may get nowhere before `giveUp` is asked. */
  readonly mostTries: number;
  /** Ends what the job was for. False where that can't be: then it goes on, at the pause that follows. */
  giveUp(job: ClaimedJob<Kind, Subject>): Promise<boolean>;
  /** Milliseconds after so many tries in a row that got nowhere, from 1. Without it they double from two seconds to an hour. */
  pauseAfter?(attempts: number): number;
}

interface OwnJob<Kind extends string, Subject extends string> {
  readonly job: ClaimedJob<Kind, Subject>;
  readonly holder: string;
}
interface Claim<Kind extends string, Subject extends string> {
  readonly jobs: readonly OwnJob<Kind, Subject>[];
  /** Of those that were due when it looked some weren't any more when it took them. */
  readonly isMissed: boolean;
}
/** What came of a look for jobs that are due. */
interface Look {
  readonly claimed: number;
  /** Others were faster, or what came before a job ended just then: there may be more. */
  readonly isMissed: boolean;
}

/** Doubling to an hour, a fifth more or less so that many don't come at once. */
const doublingPause = (attempts: number): number =>
  Math.round(Math.min(1_000 * 2 ** Math.min(attempts, 20), longestPause) * (0.8 + Math.random() * 0.4));

const claimableRows = <Kind extends string, Subject extends string>({ rows, kind, subject }: JobTable<Kind, Subject>) =>
  select({ ...rows.pick('id', 'attempts', 'fault'), kind, subject }, sql`FROM ${rows}`);
type Claimable<Kind extends string> = Selected<ReturnType<typeof claimableRows<Kind, string>>>;

const countsOf = <Kind extends string, Subject extends string>({ rows, kind }: JobTable<Kind, Subject>) =>
  select({ kind, ...rows.pick('state', 'fault'), count: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${rows}`);
export type JobCount<Kind extends string> = Selected<ReturnType<typeof countsOf<Kind, string>>>;

export interface OutboxParts<Kind extends string, Subject extends string> {
  readonly database: Database;
  readonly jobs: JobTable<Kind, Subject>;
  readonly handlers: Readonly<Record<Kind, JobHandler<Kind, Subject>>>;
  /** For how long, in milliseconds, a process has a job to itself. Longer than any single call to the outside may take. */
  readonly lease: number;
  /** Jobs that one process does at a time. */
  readonly width?: number;
  readonly clock: () => Date;
  /** What a fault of the outside is called in the table and the log: a word, never a message. Null: that is none. */
  readonly faultOf: (error: unknown) => string | null;
  /** A try that failed, or, of the kind `claim` and about nothing, a look for jobs that did. */
  readonly onFault: (job: { readonly kind: string; readonly subject: string; readonly fault: string }, error: unknown) => void;
}

/**
 * The jobs of one table, which were written with the changes that call for them: each is done by one process at a time, on any
 * replica, at least once. A lease that ran out is free for the next; every change of a job renews it in its own transaction, so
 * a process that lost it writes nothing any more. What a job does outside may be done twice: it takes a key of its own along.
 */
export class Outbox<Kind extends string, Subject extends string> {
  private readonly running = new Set<Promise<void>>();
  /** Jobs of this process that ended, so that a look can tell whether one did meanwhile. */
  private ended = 0;
  private misses = 0;
  private readonly loop: Loop;
  private readonly width = this.parts.width ?? usualWidth;
  private readonly claimable = claimableRows(this.parts.jobs);
  private readonly counted = countsOf(this.parts.jobs);

  constructor(protected readonly parts: OutboxParts<Kind, Subject>) {
    this.loop = new Loop({
      turn: async () => {
        if (await this.isMoreToSee()) this.wake();
      },
      every: idlePause,
      first: 'at once',
      onFault: (error) => this.tell({ kind: 'claim', subject: '' }, error),
    });
  }

  start(): void {
    this.loop.start();
  }

  /** Jobs may be due: looks at once. */
  wake(): void {
    this.loop.wake();
  }

  /** The jobs of this kind that wait, of the subjects that a subquery answers, are looked at now. */
  async hastenOf(kind: Kind, subjects: Sql): Promise<void> {
    const { database, clock, jobs } = this.parts;
    const { rows: job } = jobs;
    const now = clock();
    const waiting = sql`${job.kind} = ${kind} AND ${job.state} = 'PENDING' AND ${job.nextAt} > ${now} AND ${jobs.subject} IN (${subjects})`;
    const hastened = await database.bookkeeping(job, (books) => books.update({ nextAt: now }, waiting));
    if (hastened > 0) this.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.running);
  }

  /** Does what is due now and what follows from it. */
  async drain(): Promise<void> {
    for (;;) {
      const isMore = await this.isMoreToSee();
      if (isMore) continue;
      if (this.running.size === 0) return;
      await Promise.race(this.running);
    }
  }

  /** How many jobs there are by kind, state and fault, those that are done left out. */
  counts(): Promise<readonly JobCount<Kind>[]> {
    const { rows: job } = this.parts.jobs;
    return this.parts.database.read(
      this.counted,
      sql`WHERE ${job.state} <> 'DONE' GROUP BY ${job.kind}, ${job.state}, ${job.fault}`,
    );
  }

  /** Looks once, and tells whether another look may find more while nothing changes that this process would be told of. */
  private async isMoreToSee(): Promise<boolean> {
    const { ended } = this;
    const { claimed, isMissed } = await this.fill();
    this.misses = isMissed && claimed === 0 ? this.misses + 1 : 0;
    if (this.misses > mostMisses) this.misses = 0;
    else if (isMissed || claimed > 0) return this.running.size < this.width;
    // What one that ended meanwhile kept back may lie behind where this looked.
    return this.ended > ended;
  }

  private async fill(): Promise<Look> {
    const { jobs, isMissed } = await this.claim(this.width - this.running.size);
    for (const { job, holder } of jobs) {
      const running: Promise<void> = this.perform(job, holder).finally(() => {
        this.running.delete(running);
        this.ended += 1;
        this.wake();
      });
      this.running.add(running);
    }
    return { claimed: jobs.length, isMissed };
  }

  /** Takes jobs that are due, that nobody has and that none of their subject comes before. */
  private async claim(most: number): Promise<Claim<Kind, Subject>> {
    if (most <= 0) return { jobs: [], isMissed: false };
    const { database, jobs, clock, lease } = this.parts;
    const { rows: job } = jobs;
    const now = clock();
    const isFree = sql`${job.state} = 'PENDING' AND ${job.nextAt} <= ${now} AND (${job.leaseUntil} IS NULL OR ${job.leaseUntil} <= ${now})`;
    const due = await database.read(
      this.claimable,
      sql`${firstOfEach(jobs)} WHERE ${isFree} ORDER BY ${job.nextAt}, ${job.id} LIMIT ${most * 4}`,
    );
    if (due.length === 0) return { jobs: [], isMissed: false };
    // Replicas that take the same ones first would mostly meet each other.
    const wanted = due
      .map((row) => ({ row, chance: Math.random() }))
      .sort((a, b) => a.chance - b.chance)
      .slice(0, most)
      .map(({ row }) => row)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    // One name a claim.
    const holder = randomUUID();
    const taken = { leaseUntil: new Date(now.getTime() + lease), leaseHolder: holder };
    return database.bookkeeping(job, async (books) => {
      const claimed: OwnJob<Kind, Subject>[] = [];
      for (const row of wanted) {
        const affected = await books.update(taken, sql`${job.id} = ${row.id} AND ${isFree} AND ${isFirst(jobs)}`);
        if (affected > 0) claimed.push({ job: this.claimed(row, holder), holder });
      }
      return { jobs: claimed, isMissed: claimed.length < wanted.length };
    });
  }

  private claimed(row: Claimable<Kind>, holder: string): ClaimedJob<Kind, Subject> {
    const { jobs, clock, lease } = this.parts;
    const { rows: job, subjectName } = jobs;
    const subject = { [subjectName]: row.subject } as Readonly<Record<Subject, string>>;
    return {
      ...subject,
      id: row.id,
      kind: row.kind,
      attempts: row.attempts,
      lastFault: row.fault,
      renewLease: async (change) => {
        const affected = await change.bookkeep(
          job,
          { leaseUntil: new Date(clock().getTime() + lease) },
          sql`${job.id} = ${row.id} AND ${job.leaseHolder} = ${holder} AND ${job.state} = 'PENDING'`,
        );
        if (affected === 0) throw new LeaseLost();
      },
    };
  }

  private async perform(job: ClaimedJob<Kind, Subject>, holder: string): Promise<void> {
    const handler = this.parts.handlers[job.kind];
    const told = { kind: job.kind, subject: job[this.parts.jobs.subjectName] };
    let result: JobResult;
    try {
      result = await handler.run(job);
    } catch (error) {
      result = { fault: this.tell(told, error) };
    }
    try {
      if (typeof result === 'object' && 'fault' in result && job.attempts + 1 >= handler.mostTries && (await handler.giveUp(job)))
        result = 'dead';
      await this.settle(job, holder, result);
    } catch (error) {
      // The lease runs out by itself, and then somebody looks at it again.
      this.tell(told, error);
    }
  }

  /** Gives the job back with what came of it; nothing where another process has it by now. */
  private async settle({ id, kind, attempts }: ClaimedJob<Kind, Subject>, holder: string, result: JobResult) {
    const { database, jobs, handlers, clock } = this.parts;
    const { rows: job } = jobs;
    const { pauseAfter = doublingPause } = handlers[kind];
    const after = (milliseconds: number): Date => new Date(clock().getTime() + milliseconds);
    const outcome: Changes<StoredJob> =
      result === 'done'
        ? { state: 'DONE', fault: null }
        : result === 'dead'
          ? { state: 'DEAD' }
          : 'fault' in result
            ? { fault: result.fault, attempts: attempts + 1, nextAt: after(pauseAfter(attempts + 1)) }
            : { fault: null, attempts: 0, nextAt: after(result.again) };
    const isStillOurs = sql`${job.id} = ${id} AND ${job.leaseHolder} = ${holder}`;
    await database.bookkeeping(job, (books) => books.update({ ...outcome, leaseUntil: null, leaseHolder: null }, isStillOurs));
  }

  private tell(job: { readonly kind: string; readonly subject: string }, error: unknown): string {
    const fault = this.faultOf(error);
    this.parts.onFault({ ...job, fault }, error);
    return fault;
  }

  private faultOf(error: unknown): string {
    const expected = this.parts.faultOf(error);
    if (expected !== null) return expected;
    if (error instanceof DatabaseUnavailable) return 'database';
    return error instanceof LeaseLost ? 'lease-lost' : 'internal';
  }
}

/** Joins to a table in order the pending job of each subject that comes first: so that however many wait behind it, none of them is looked at. */
const firstOfEach = <Kind extends string, Subject extends string>({ place, subject, others }: JobTable<Kind, Subject>): Sql =>
  place === null
    ? sql``
    : sql`JOIN (SELECT ${others.subject} AS first_subject, MIN(${others.place}) AS first_place FROM ${others.rows}
        WHERE ${others.rows.state} = 'PENDING' GROUP BY ${others.subject}) AS firsts
      ON firsts.first_subject = ${subject} AND firsts.first_place = ${place}`;

/** None of its subject that comes before is pending, now that it is taken. */
const isFirst = <Kind extends string, Subject extends string>({ place, subject, others }: JobTable<Kind, Subject>): Sql =>
  place === null
    ? sql`1 = 1`
    : sql`NOT EXISTS (SELECT 1 FROM ${others.rows}
        WHERE ${others.subject} = ${subject} AND ${others.rows.state} = 'PENDING' AND ${others.place} < ${place})`;
