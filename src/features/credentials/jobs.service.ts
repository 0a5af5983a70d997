import { dueFrom, jobTable } from '../../background/job-table';
import { type ClaimedJob as Claimed, type JobHandler as Handler, Outbox } from '../../background/outbox';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { ulid } from '../../ulid';
import { DeliveryFailed } from '../../upstream/delivery/delivery.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { CredentialJob, credentialJobs, type JobKind } from './credential-update.entity';
import { credentialUpdate, updateIds } from './credentials.rows';

/** Jobs of updates: at most one of a kind for each. */
export const updateJobs = jobTable(credentialJobs, { subject: 'updateId' });
export type ClaimedJob = Claimed<JobKind, 'updateId'>;
export type JobHandler = Handler<JobKind, 'updateId'>;

/** Writes a job into the outbox with the change that calls for it; one that was done before is to be done again. */
export const enqueue = async (change: Change, updateId: string, kind: JobKind, at: Date = change.at): Promise<void> => {
  const known = await change.lockIfAny(CredentialJob, { updateId, kind });
  if (known) await change.update(credentialJobs, dueFrom(at), sql`${credentialJobs.id} = ${known.id}`);
  else await change.insert(credentialJobs, { id: `job_${ulid(change.at.getTime())}`, updateId, kind, ...dueFrom(at) });
};

/** What the outside is to blame for. */
export const faultOf = (error: unknown): string | null =>
  error instanceof SourceUnavailable || error instanceof DeliveryFailed ? error.why : null;

/** The outbox of updates. */
export class CredentialJobs extends Outbox<JobKind, 'updateId'> {
  /** What waits for this source is looked at now: it said that something happened there. */
  hasten(kind: JobKind, source: string): Promise<void> {
    return this.hastenOf(kind, sql`${updateIds} WHERE ${credentialUpdate.source} = ${source}`);
  }
}
