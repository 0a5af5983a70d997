import type { ActionName } from '../../audit/events';
import { dueFrom } from '../../background/job-table';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import type { Job } from '../../db/jobs';
import { ulid } from '../../ulid';
import { CustomerSeal } from '../keys/customer-seal';
import type { Keys } from '../keys/keys.service';
import { Recognition, type RecognitionFailure, type RecognitionJobKind, recognitionJobs } from './recognition.entity';

/** What every event about a question says of it. */
export const factsOf = (row: Pick<Recognition, 'id' | 'ticketId' | 'assistanceId'>, seal: CustomerSeal) => ({
  ticketId: row.ticketId,
  assistanceId: row.assistanceId,
  subject: { type: 'Recognition' as const, id: row.id },
  customers: seal.customers,
});

/** Writes a job into the outbox with the change that calls for it; each is called for once. */
export const enqueue = async (change: Change, recognitionId: string, kind: RecognitionJobKind): Promise<void> => {
  await change.insert(recognitionJobs, { id: `job_${ulid(change.at.getTime())}`, recognitionId, kind, ...dueFrom(change.at) });
};

/** Ends a question that nobody answered; the payment may be asked about again, and the ticket hears of it. */
export const endUnanswered = async (
  change: Change,
  row: Recognition,
  seal: CustomerSeal,
  failure: RecognitionFailure | null,
): Promise<void> => {
  row.state = failure === null ? 'EXPIRED' : 'FAILED';
  row.failure = failure;
  row.askedKey = null;
  await change.save(row);
  if (failure === null) change.record('recognition.expire', factsOf(row, seal));
  else change.record('recognition.fail', { ...factsOf(row, seal), detail: { reason: failure } });
  await enqueue(change, row.id, 'OUTCOME');
};

export type RecognitionWork<T> = (change: Change, row: Recognition, seal: CustomerSeal) => Promise<T>;

/** The changes that one of the gateway's jobs makes to questions. */
export class RecognitionChanges {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly job: Job,
  ) {}

  /** One change to a question, which it has locked, with the key of its customer. Throws `NOT_FOUND`. */
  make<T>(action: ActionName, id: string, work: RecognitionWork<T>): Promise<T> {
    return this.database.system(this.job, action, async (change) => {
      const row = await change.lock(Recognition, { id });
      return work(change, row, await CustomerSeal.of(change, this.keys, row.customerId));
    });
  }
}
