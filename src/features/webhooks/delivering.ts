import { jobTable } from '../../background/job-table';
import type { ClaimedJob, JobHandler, JobResult } from '../../background/outbox';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { ulid } from '../../ulid';
import type { Posted, Poster } from './posting';
import { webhookAttempts, webhookDeliveries, webhookEndpoints } from './webhook.entity';
import { bodies, delivery, endpoint, endpointRows } from './webhooks.rows';

/** Messages as jobs: those of one endpoint about one thing go one after the other, in the order of the log. */
export const webhookJobs = jobTable(webhookDeliveries, { subject: 'subject', inOrderOf: 'place' });

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** Pauses after a first, second, … try that got nowhere. */
const pauses = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour];

export interface DeliveringParts {
  readonly database: Database;
  /** By name. */
  readonly posters: ReadonlyMap<string, Pick<Poster, 'post'>>;
  readonly clock: () => Date;
  readonly onGone: (endpoint: string) => void;
}

/** Sends what is due, and writes down each try. */
export class Delivering implements JobHandler<'POST', 'subject'> {
  readonly mostTries = pauses.length + 1;

  constructor(private readonly parts: DeliveringParts) {}

  /** A fifth more or less, so that many don't come at once. */
  pauseAfter(attempts: number): number {
    return Math.round((pauses[Math.min(attempts, pauses.length) - 1] ?? hour) * (0.8 + Math.random() * 0.4));
  }

  async giveUp(): Promise<boolean> {
    return true;
  }

  async run(job: ClaimedJob<'POST', 'subject'>): Promise<JobResult> {
    const { database, posters, clock } = this.parts;
    const [message] = await database.read(bodies, sql`WHERE ${delivery.id} = ${job.id}`);
    const poster = message && posters.get(message.endpoint);
    // It isn't configured any more: nobody is there to tell.
    if (!message || !poster) return 'dead';
    const [told] = await database.read(endpointRows, sql`WHERE ${endpoint.name} = ${message.endpoint}`);
    if (told?.disabledAt !== null) return 'dead';
    const began = performance.now();
    const posted = await poster.post({ id: message.id, at: clock(), body: message.body });
    await this.note(job, message.endpoint, { ...posted, milliseconds: Math.round(performance.now() - began) });
    if (posted.fault === null) return 'done';
    return posted.fault === 'gone' ? 'dead' : { fault: posted.fault };
  }

  private note(
    job: ClaimedJob<'POST', 'subject'>,
    name: string,
    { status, fault, milliseconds }: Posted & { readonly milliseconds: number },
  ): Promise<void> {
    const isGone = fault === 'gone';
    return this.parts.database
      .system('delivery', 'webhook.attempt', async (change) => {
        await job.renewLease(change);
        const id = `wha_${ulid(change.at.getTime())}`;
        await change.insert(webhookAttempts, { id, deliveryId: job.id, at: change.at, status, fault, milliseconds });
        if (isGone) await change.update(webhookEndpoints, { disabledAt: change.at }, sql`${webhookEndpoints.name} = ${name}`);
        change.record('webhook.attempt', {
          subject: { type: 'WebhookDelivery', id: job.id },
          detail: { endpoint: name, number: job.attempts + 1, status, fault, disables: isGone },
        });
      })
      .then(() => {
        if (isGone) this.parts.onGone(name);
      });
  }
}
