import type { Database } from '../../db/database';
import { raw, sql } from '../../db/sql';
import { select } from '../../db/table';
import { dayOf } from '../../risk/history';
import { feedEnd } from './feed';
import { riskFeed, riskFeedBatches, riskFeedPending, riskSignalDays, riskSignals } from './signal.entity';

/** Signals are kept for so many days, so that baselines of a month exist for all that rules look at. */
export const signalsKept = 90;
/** What days had is kept for longer: rules ask for what was unseen for 180. */
export const daysKept = 190;
const oneDay = 86_400_000;
/** Rows that go in one change. */
const atOnce = 500;

const old = select(riskSignals.pick('id'), sql`FROM ${riskSignals}`);
const oldDays = select(riskSignalDays.pick('subject', 'value'), sql`FROM ${riskSignalDays}`);

/** Removes signals and days whose time is over. What the log says of them stays: how many were received, and what was done about them. */
export class SignalRetention {
  constructor(
    private readonly database: Database,
    private readonly clock: () => Date,
  ) {}

  /** Removes all that is too old. Any number of processes may do so at once. */
  async turn(isStopped: () => boolean = () => false): Promise<void> {
    while (!isStopped() && (await this.removeSignals()));
    while (!isStopped() && (await this.removeDays()));
  }

  private async removeSignals(): Promise<boolean> {
    const before = new Date(this.clock().getTime() - signalsKept * oneDay);
    const most = raw(`${atOnce}`);
    const rows = await this.database.read(
      old,
      sql`WHERE ${riskSignals.receivedAt} < ${before} ORDER BY ${riskSignals.receivedAt} LIMIT ${most}`,
    );
    if (rows.length === 0) return false;
    const ids = rows.map(({ id }) => id);
    await this.database.system('signals', 'signal.remove', async (change) => {
      const signals = await change.remove(riskSignals, sql`${riskSignals.id} IN (${ids})`);
      // The next position follows the last one.
      const isPassed = sql`${riskFeed.position} < ${await feedEnd(change)}`;
      await change.remove(riskFeed, sql`${riskFeed.signalId} IN (${ids}) AND ${isPassed}`);
      await change.remove(riskFeedBatches, sql`${riskFeedBatches.signalId} IN (${ids})`);
      await change.remove(riskFeedPending, sql`${riskFeedPending.signalId} IN (${ids})`);
      if (change.hasWritten) change.record('signal.remove', { detail: { signals } });
    });
    return rows.length === atOnce;
  }

  private async removeDays(): Promise<boolean> {
    const before = dayOf(this.clock()) - daysKept;
    const isOld = sql`${riskSignalDays.day} < ${before}`;
    const rows = await this.database.read(oldDays, sql`WHERE ${isOld} LIMIT ${raw(`${atOnce}`)}`);
    if (rows.length === 0) return false;
    await this.database.system('signals', 'signal.remove', async (change) => {
      let days = 0;
      for (const subject of [...new Set(rows.map((row) => row.subject))].sort()) {
        const values = [...new Set(rows.flatMap((row) => (row.subject === subject ? row.value : [])))].sort();
        days += await change.remove(
          riskSignalDays,
          sql`${riskSignalDays.subject} = ${subject} AND ${riskSignalDays.value} IN (${values}) AND ${isOld}`,
        );
      }
      if (days > 0) change.record('signal.remove', { detail: { days } });
    });
    return rows.length === atOnce;
  }
}
