import { dueFrom, jobTable } from '../../background/job-table';
import { type ClaimedJob as Claimed, Outbox } from '../../background/outbox';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { ulid } from '../../ulid';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { type PaymentHoldJob, paymentHoldJobs } from './hold.entity';
import { hold, holdIds } from './holds.rows';

/** What holds take at their providers: one job for each. */
export const holdJobTable = jobTable(paymentHoldJobs, { subject: 'holdId' });
export type ClaimedJob = Claimed<'PROVIDER', 'holdId'>;

/** The job of a hold, to be done at once. */
export const newJob = (change: Change, holdId: string): PaymentHoldJob => ({
  id: `hlj_${ulid(change.at.getTime())}`,
  holdId,
  kind: 'PROVIDER',
  ...dueFrom(change.at),
});

/** What the outside is to blame for. */
export const faultOf = (error: unknown): string | null => (error instanceof SourceUnavailable ? error.why : null);

/** The outbox of holds. */
export class HoldJobs extends Outbox<'PROVIDER', 'holdId'> {
  /**
   * What is to be let go and whose job isn't waiting after a fault is looked at now: whoever had it while it was released may have
   * given it back for later.
   */
  async hastenReleases(): Promise<void> {
    const { database, clock } = this.parts;
    const now = clock();
    const { state, nextAt, fault, holdId } = paymentHoldJobs;
    const releasing = sql`${holdIds} WHERE ${hold.state} = 'RELEASING'`;
    const isLate = sql`${state} = 'PENDING' AND ${nextAt} > ${now} AND ${fault} IS NULL AND ${holdId} IN (${releasing})`;
    const hastened = await database.bookkeeping(paymentHoldJobs, (books) => books.update({ nextAt: now }, isLate));
    if (hastened > 0) this.wake();
  }
}
