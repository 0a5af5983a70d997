import type { SignedInActor } from '../../authz/actor';
import { describeError } from '../../log';
import type { Assistances } from '../assistance/assistance.service';
import type { Core } from '../core';
import type { Sources } from '../sources/sources.service';
import { HoldDesk } from './hold-desk';
import { HoldEnds } from './hold-ends';
import { HoldWorker } from './hold-worker';
import { HoldsLoader } from './holds.loader';
import { Holds } from './holds.service';
import { faultOf, HoldJobs, holdJobTable } from './jobs';

export interface HoldsParts {
  readonly sources: Sources;
  readonly assistances: Assistances;
  /** For how long one process has a job to itself, seconds. */
  readonly leaseSeconds: number;
}

/** What waits, for whom, and until when. */
export const createHolds = (
  { database, keys, cursors, clock, policy, log }: Core,
  { sources, assistances, leaseSeconds }: HoldsParts,
) => {
  const service = new Holds({ database, keys, cursors, clock });
  const ends = new HoldEnds({ database, keys, clock, sources });
  const jobs = new HoldJobs({
    database,
    jobs: holdJobTable,
    handlers: { PROVIDER: new HoldWorker({ database, keys, clock, sources }).provider },
    lease: leaseSeconds * 1_000,
    clock,
    faultOf,
    onFault: ({ kind, subject, fault }, error) =>
      log[fault === 'internal' ? 'error' : 'warn'](
        { job: kind, hold: subject, fault, ...(fault === 'internal' ? { error: describeError(error) } : {}) },
        'a job of a hold failed',
      ),
  });
  const wake = () => jobs.wake();
  return {
    services: {
      holds: service,
      holdJobs: jobs,
      holdDesk: new HoldDesk({ database, keys, clock, sources, assistances, policy: policy.holds, wake }),
    },
    loader: (actor: SignedInActor) => new HoldsLoader(actor, service, keys),
    recurring: [() => ends.expire(), () => ends.lapse(), () => ends.renewJobs(), () => jobs.hastenReleases()],
  };
};
