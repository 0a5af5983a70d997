import { LRUCache } from 'lru-cache';
import { dueFrom } from '../../background/job-table';
import { type Sql, sql } from '../../db/sql';
import type { Selected } from '../../db/table';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import { transaction } from '../payments/payments.rows';
import type { Sources } from '../sources/sources.service';
import { PaymentHold, paymentHoldJobs } from './hold.entity';
import { factsOf } from './hold.moves';
import { endingStates, placedStates, standingStates, stateAt } from './hold.states';
import { effect, hold, holdIds, jobRows, movedPayments } from './holds.rows';
import { ofOnePayment } from './holds.service';
import { newJob } from './jobs';
import { lapseBy } from './lapsing';
import { expire } from './letting-go';
import { captureReserve, isUncaptured, paymentNow, sideOfPayer, unaskedBefore } from './provider-side';

/** Holds that end in one turn. */
const endedAtOnce = 200;
/** Payments that providers are asked about in one turn, and for how long, in milliseconds, one isn't asked about again that stands otherwise than its row. */
const askedAtOnce = 20;
const askAgainAfter = 300_000;

/** What holds need and nobody asks for: they end as their time is over or the provider moved first, and have a job for as long as they stand. */
export class HoldEnds {
  /** Holds whose payment isn't as its row has it: their own job looks at them meanwhile. */
  private readonly standing = new LRUCache<string, true>({ max: 10_000, ttl: askAgainAfter });

  constructor(private readonly parts: Pick<Core, 'database' | 'keys' | 'clock'> & { readonly sources: Sources }) {}

  /** Ends holds whose time is over. Returns how many. */
  async expire(): Promise<number> {
    const { database, keys, clock } = this.parts;
    const { state, expiresAt } = hold;
    const isPast = sql`WHERE ${state} IN (${endingStates}) AND ${expiresAt} <= ${clock()} ORDER BY ${expiresAt} LIMIT ${endedAtOnce}`;
    const past = await database.read(holdIds, isPast);
    for (const { id } of past)
      await database.system('expiry', 'hold.expire', async (change) => {
        const row = await change.lockIfAny(PaymentHold, { id });
        if (row && stateAt(row, change.at) !== row.state) await expire(change, keys, row);
      });
    return past.length;
  }

  /** Gives what stands a job again where it has none that waits: nobody else would ever let go of it. Returns how many. */
  async renewJobs(): Promise<number> {
    const { database, keys } = this.parts;
    const waiting = (holdId: Sql) =>
      sql`FROM ${paymentHoldJobs} WHERE ${paymentHoldJobs.holdId} = ${holdId} AND ${paymentHoldJobs.state} = 'PENDING'`;
    const without = await database.read(
      holdIds,
      sql`WHERE ${hold.state} IN (${standingStates}) AND NOT EXISTS (SELECT 1 ${waiting(hold.id)}) ORDER BY ${hold.id} LIMIT ${endedAtOnce}`,
    );
    for (const { id } of without)
      await database.system('worker', 'hold.effect', async (change) => {
        const row = await change.lockIfAny(PaymentHold, { id });
        if (!row || !standingStates.includes(row.state)) return;
        const [job] = await change.read(jobRows, sql`WHERE ${paymentHoldJobs.holdId} = ${id}`, { lock: true });
        if (job?.state === 'PENDING') return;
        if (job) await change.update(paymentHoldJobs, dueFrom(change.at), sql`${paymentHoldJobs.id} = ${job.id}`);
        else await change.insert(paymentHoldJobs, newJob(change, id));
        change.record('hold.effect', { ...(await factsOf(change, keys, row)), detail: { job: 'RENEWED' } });
      });
    return without.length;
  }

  /**
   * Ends what was about payments that were captured or are over. A row says that one may be: whether it is, its provider says, where that can be asked, as
   * nothing of the log vouches for the row. Returns how many it looked at.
   */
  async lapse(): Promise<number> {
    const { database, keys, clock } = this.parts;
    const now = clock();
    const left = sql`FROM ${effect} WHERE ${effect.holdId} = ${hold.id} AND ${effect.state} NOT IN ('REVERSED', 'NOT_POSSIBLE')`;
    const isDeferred = sql`EXISTS (SELECT 1 ${left} AND ${effect.kind} = 'DEFER_CAPTURE')`;
    // Those of which all that was about the payment has ended already are left alone: they would crowd out the rest.
    const isOver = sql`${transaction.status} IN ('DECLINED', 'CANCELLED', 'REFUNDED')
      AND (EXISTS (SELECT 1 ${left} AND ${effect.kind} IN (${ofOnePayment})) OR NOT EXISTS (SELECT 1 ${left}))`;
    const isCaptured = sql`${transaction.status} IN ('CAPTURED', 'PARTIALLY_REFUNDED', 'DISPUTED') AND ${isDeferred}`;
    // Whoever captures needs the time that is left, though nobody can be asked.
    const isReckoned = sql`${transaction.createdAt} <= ${unaskedBefore.created(now)} AND ${hold.placedAt} <= ${unaskedBefore.placed(now)}`;
    const isEnding = sql`${hold.expiresAt} > ${now} AND EXISTS (SELECT 1 ${left} AND ${effect.kind} = 'DEFER_CAPTURE'
      AND (${effect.deadline} <= ${new Date(now.getTime() + captureReserve)} OR (${effect.state} = 'PENDING' AND ${isReckoned})))`;
    const moved = await database.read(
      movedPayments,
      sql`WHERE ${hold.state} IN (${placedStates}) AND ((${isOver}) OR (${isCaptured}) OR (${isEnding})) LIMIT ${endedAtOnce}`,
    );
    let asked = 0;
    for (const { id, status, ...of } of moved) {
      const hasMoved = !isUncaptured({ status });
      if (hasMoved && (this.standing.has(id) || asked >= askedAtOnce)) continue;
      if (hasMoved) asked += 1;
      const payment = hasMoved ? await this.asOfNow({ id, status, ...of }) : null;
      if (payment === undefined) continue;
      await database.system('expiry', 'hold.lapse', async (change) => {
        const row = await change.lockIfAny(PaymentHold, { id });
        if (row && placedStates.includes(row.state)) await lapseBy(change, keys, row, payment);
      });
    }
    return moved.length;
  }

  /** A payment that its row says has moved, as its provider has it; as the row does where nobody can be asked, and undefined where it is to be asked again later. */
  private async asOfNow({
    id,
    status,
    paymentCustomerId,
    transactionId,
  }: Selected<typeof movedPayments>): Promise<{ readonly status: string } | null | undefined> {
    try {
      const side = paymentCustomerId === null ? null : await sideOfPayer(this.parts, paymentCustomerId);
      const now = await paymentNow(this.parts, side, transactionId);
      if (now === undefined) return { status };
      if (now === null || !isUncaptured(now)) return now;
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
    }
    this.standing.set(id, true);
    return undefined;
  }
}
