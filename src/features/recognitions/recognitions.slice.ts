import { jobTable } from '../../background/job-table';
import { Outbox } from '../../background/outbox';
import { describeError } from '../../log';
import type { DeliveryChannels } from '../../upstream/delivery/delivery.port';
import type { Assistances } from '../assistance/assistance.service';
import type { Core } from '../core';
import { faultOf } from '../credentials/jobs.service';
import type { Holds } from '../holds/holds.service';
import type { Sources } from '../sources/sources.service';
import type { TicketGrounds } from '../tickets/tickets.policy';
import { RecognitionAnswers } from './answering.service';
import { Asking } from './asking.service';
import { questionDeliveries } from './deliveries.service';
import { recognitionJobs } from './recognition.entity';
import { RecognitionsLoader } from './recognitions.loader';
import { Recognitions } from './recognitions.service';

export interface RecognitionSliceParts {
  readonly sources: Sources;
  readonly assistances: Assistances;
  readonly scope: TicketGrounds;
  readonly holds: Pick<Holds, 'place'>;
  /** What sends, and by which channels customers can be reached at all. */
  readonly delivery: DeliveryChannels;
  readonly channels: { readonly mail: boolean };
  /** For how long one process has a job to itself, seconds. */
  readonly leaseSeconds: number;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
}

/** Whether a payment is its customer's own, asked of them and of nobody else. */
export const createRecognitions = (
  { database, keys, policy, clock, log, publicUrl }: Core,
  { sources, assistances, scope, holds, delivery, channels, leaseSeconds, merchant }: RecognitionSliceParts,
) => {
  const jobs = new Outbox({
    database,
    jobs: jobTable(recognitionJobs, { subject: 'recognitionId' }),
    handlers: questionDeliveries({ database, keys, sources, delivery, merchant, publicUrl }),
    lease: leaseSeconds * 1_000,
    clock,
    faultOf,
    onFault: ({ kind, subject, fault }, error) =>
      // what is refused is ours to mend: nobody else can
      log[fault === 'internal' || fault === 'refused' ? 'error' : 'warn'](
        { job: kind, recognition: subject, fault, ...(fault === 'internal' ? { error: describeError(error) } : {}) },
        'a job failed',
      ),
  });
  const wake = () => jobs.wake();
  const recognitions = new Recognitions({ database, keys, scope, clock, wake });
  const { recognitions: ofRecognitions, updates } = policy;
  return {
    jobs,
    services: {
      recognitions,
      asking: new Asking({ database, keys, sources, assistances, policy: ofRecognitions, updates, channels, wake }),
    },
    desk: new RecognitionAnswers({ database, keys, holds, merchant, clock, wake }),
    recurring: [() => recognitions.expire()],
    loader: () => new RecognitionsLoader(recognitions, keys),
  };
};
