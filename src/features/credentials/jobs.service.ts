import { randomUUID } from 'node:crypto';
import { Loop } from '../../background/loop';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { DatabaseUnavailable } from '../../db/database-unavailable';
import { sql } from '../../db/sql';
import { type Changes, type Selected, select, wholeNumber } from '../../db/table';
import { ulid } from '../../ulid';
import { DeliveryFailed } from '../../upstream/delivery/delivery.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { CredentialJob, credentialJobs, type JobKind } from './credential-update.entity';
import { credentialUpdate, updateIds } from './credentials.rows';

/** Jobs that one process does at a time. */
const width = 8;
const longestPause = 3_600_000;
const idlePause = 1_000;

/** Another process has the job by now: whatever was under way here must not be written. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease on the job was lost');
    this.name = 'LeaseLost';
  }
}

export interface ClaimedJob {
  readonly id: string;
  readonly updateId: string;
  readonly kind: JobKind;
  /** Tries before this one that got nowhere. */
  readonly attempts: number;
  /** Within a change that is permitted: prolongs the lease, or throws `LeaseLost`, so that nothing commits for a job that another process has. */
  renewLease(change: Change): Promise<void>;
}

interface LeasedJob extends ClaimedJob {
  /** Who has the lease: one name a claim. */
  readonly holder: string;
}

/** `again`: milliseconds until it is looked at again; with a fault it counts as a try that got nowhere. */
export type JobResult = 'done' | { readonly again: number } | { readonly fault: string };

export interface JobHandler {
  run(job: ClaimedJob): Promise<JobResult>;
  /** Tries that may get nowhere before `giveUp` is asked. */
  readonly mostTries: number;
  /** Ends what the job was for. False where that can't be: then it goes on, at the longest pause. */
  giveUp(job: ClaimedJob): Promise<boolean>;
}

const job = credentialJobs;
const jobRows = select(job.pick('id', 'updateId', 'kind', 'attempts'), sql`FROM ${job}`);
type JobRow = Selected<typeof jobRows>;

const jobCounts = select({ ...job.pick('kind', 'state', 'fault'), count: wholeNumber(sql`COUNT(*)`) }, sql`FROM ${job}`);
export type JobCount = Selected<typeof jobCounts>;

/** Writes a job into the outbox with the change that calls for it; one that was done before is to be done again. */
export const enqueue = async (change: Change, updateId: string, kind: JobKind, at: Date = change.at): Promise<void> => {
  const known = await change.lockIfAny(CredentialJob, { updateId, kind });
  const due = { state: 'PENDING', attempts: 0, nextAt: at, leaseUntil: null, leaseHolder: null, fault: null } as const;
  if (known) await change.update(credentialJobs, due, sql`${credentialJobs.id} = ${known.id}`);
  else await change.insert(credentialJobs, { id: `job_${ulid(change.at.getTime())}`, updateId, kind, ...due });
};

/** What a fault is called in the table and the log: a word, never a message. */
const faultOf = (error: unknown): string => {
  if (error instanceof SourceUnavailable || error instanceof DeliveryFailed) return error.why;
  if (error instanceof DatabaseUnavailable) return 'database';
  return error instanceof LeaseLost ? 'lease-lost' : 'internal';
};

export interface JobParts {
  readonly database: Database;
  readonly handlers: Readonly<Record<JobKind, JobHandler>>;
  /** For how long, in milliseconds, a process has a job to itself. Longer than any single call to the outside may take. */
  readonly lease: number;
  readonly clock: () => Date;
  /** `error` only where it is none that is expected of the outside. */
  readonly onFault: (job: { readonly kind: string; readonly updateId: string; readonly fault: string }, error: unknown) => void;
}

/**
 * The outbox: jobs of updates, each done by one process at a time, on any replica. A lease that ran out is free for the
 * next; every change of a job renews it in its own transaction, so a process that lost it writes nothing any more.
 */
export class CredentialJobs {
  private readonly running = new Set<Promise<void>>();
  private readonly loop: Loop;

  constructor(private readonly parts: JobParts) {
    this.loop = new Loop({
      turn: async () => {
        const claimed = await this.fill();
        if (claimed > 0 && this.running.size < width) this.wake();
      },
      every: idlePause,
      first: 'at once',
      onFault: (error) => this.parts.onFault({ kind: 'claim', updateId: '', fault: faultOf(error) }, error),
    });
  }

  start(): void {
    this.loop.start();
  }

  /** Jobs may be due: looks at once. */
  wake(): void {
    this.loop.wake();
  }

  /** What waits for this source is looked at now: it said that something happened there. */
  async hasten(kind: JobKind, source: string): Promise<void> {
    const now = this.parts.clock();
    const ofSource = sql`${updateIds} WHERE ${credentialUpdate.source} = ${source}`;
    const waiting = sql`${job.kind} = ${kind} AND ${job.state} = 'PENDING' AND ${job.nextAt} > ${now} AND ${job.updateId} IN (${ofSource})`;
    const hastened = await this.parts.database.bookkeeping(credentialJobs, (books) => books.update({ nextAt: now }, waiting));
    if (hastened > 0) this.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.running);
  }

  /** Does what is due now and what follows from it. */
  async drain(): Promise<void> {
    for (;;) {
      const claimed = await this.fill();
      if (claimed === 0 && this.running.size === 0) return;
      if (claimed === 0) await Promise.race(this.running);
    }
  }

  /** How many jobs there are by kind and state, those that are done left out. */
  counts(): Promise<readonly JobCount[]> {
    return this.parts.database.read(
      jobCounts,
      sql`WHERE ${job.state} <> 'DONE' GROUP BY ${job.kind}, ${job.state}, ${job.fault}`,
    );
  }

  private async fill(): Promise<number> {
    const jobs = await this.claim(width - this.running.size);
    for (const job of jobs) {
      const running: Promise<void> = this.perform(job).finally(() => {
        this.running.delete(running);
        this.wake();
      });
      this.running.add(running);
    }
    return jobs.length;
  }

  /** Takes jobs that are due and that nobody has. */
  private async claim(most: number): Promise<readonly LeasedJob[]> {
    if (most <= 0) return [];
    const now = this.parts.clock();
    const isDue = sql`${job.state} = 'PENDING' AND ${job.nextAt} <= ${now}`;
    const isFree = sql`${isDue} AND (${job.leaseUntil} IS NULL OR ${job.leaseUntil} <= ${now})`;
    const due = await this.parts.database.read(jobRows, sql`WHERE ${isFree} ORDER BY ${job.nextAt}, ${job.id} LIMIT ${most * 4}`);
    if (due.length === 0) return [];
    // Replicas that take the same ones first would mostly meet each other.
    const wanted = due
      .map((row) => ({ row, chance: Math.random() }))
      .sort((a, b) => a.chance - b.chance)
      .slice(0, most)
      .map(({ row }) => row)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const holder = randomUUID();
    const lease = { leaseUntil: new Date(now.getTime() + this.parts.lease), leaseHolder: holder };
    return this.parts.database.bookkeeping(credentialJobs, async (books) => {
      const claimed: LeasedJob[] = [];
      for (const row of wanted) {
        const affected = await books.update(lease, sql`${job.id} = ${row.id} AND ${isFree}`);
        if (affected > 0) claimed.push(this.claimed(row, holder));
      }
      return claimed;
    });
  }

  private claimed(row: JobRow, holder: string): LeasedJob {
    return {
      id: row.id,
      updateId: row.updateId,
      kind: row.kind,
      attempts: row.attempts,
      holder,
      renewLease: async (change) => {
        const affected = await change.bookkeep(
          credentialJobs,
          { leaseUntil: new Date(this.parts.clock().getTime() + this.parts.lease) },
          sql`${job.id} = ${row.id} AND ${job.leaseHolder} = ${holder} AND ${job.state} = 'PENDING'`,
        );
        if (affected === 0) throw new LeaseLost();
      },
    };
  }

  private async perform(job: LeasedJob): Promise<void> {
    const handler = this.parts.handlers[job.kind];
    let result: JobResult | 'dead';
    try {
      result = await handler.run(job);
    } catch (error) {
      const fault = faultOf(error);
      this.parts.onFault({ kind: job.kind, updateId: job.updateId, fault }, error);
      result = { fault };
    }
    try {
      if (typeof result === 'object' && 'fault' in result && job.attempts + 1 >= handler.mostTries && (await handler.giveUp(job)))
        result = 'dead';
      await this.settle(job, result);
    } catch (error) {
      // The lease runs out by itself, and then somebody looks at it again.
      this.parts.onFault({ kind: job.kind, updateId: job.updateId, fault: faultOf(error) }, error);
    }
  }

  /** Gives the job back with what came of it; nothing where another process has it by now. */
  private async settle({ id, attempts, holder }: LeasedJob, result: JobResult | 'dead'): Promise<void> {
    const after = (milliseconds: number): Date => new Date(this.parts.clock().getTime() + milliseconds);
    const outcome: Changes<CredentialJob> =
      result === 'done'
        ? { state: 'DONE', fault: null }
        : result === 'dead'
          ? { state: 'DEAD' }
          : 'fault' in result
            ? { fault: result.fault, attempts: attempts + 1, nextAt: after(pauseAfter(attempts + 1)) }
            : { fault: null, attempts: 0, nextAt: after(result.again) };
    const isStillOurs = sql`${job.id} = ${id} AND ${job.leaseHolder} = ${holder}`;
    await this.parts.database.bookkeeping(credentialJobs, (books) =>
      books.update({ ...outcome, leaseUntil: null, leaseHolder: null }, isStillOurs),
    );
  }
}

/** Milliseconds before the next try: doubling from a second to an hour, a fifth more or less so that many don't come at once. */
const pauseAfter = (attempts: number): number =>
  Math.round(Math.min(1_000 * 2 ** Math.min(attempts, 20), longestPause) * (0.8 + Math.random() * 0.4));
