import { dueFrom } from '../../background/job-table';
import type { Change } from '../../db/change';
import { ulid } from '../../ulid';
import type { Undelivered } from '../invitations/link.entity';
import type { CustomerSeal } from '../keys/customer-seal';
import { type Recognition, type RecognitionJobKind, recognitionJobs } from './recognition.entity';

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
  failure: Undelivered | null,
): Promise<void> => {
  row.state = failure === null ? 'EXPIRED' : 'FAILED';
  row.failure = failure;
  row.askedKey = null;
  await change.save(row);
  if (failure === null) change.record('recognition.expire', factsOf(row, seal));
  else change.record('recognition.fail', { ...factsOf(row, seal), detail: { reason: failure } });
  await enqueue(change, row.id, 'OUTCOME');
};
