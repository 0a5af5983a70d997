import { sql } from '../../db/sql';
import type { Core } from '../core';
import { transaction } from '../payments/payments.rows';
import { PaymentHold } from './hold.entity';
import { endingStates, placedStates, stateAt } from './hold.states';
import { effect, hold, holdIds, movedPayments } from './holds.rows';
import { ofOnePayment } from './holds.service';
import { lapseBy } from './lapsing';
import { expire } from './letting-go';
import { captureReserve, isUncaptured, unaskedBefore } from './provider-side';

/** Holds that end in one turn. */
const endedAtOnce = 200;

/** Ends of holds that nobody asks for: their time is over, or the provider moved first. */
export class HoldEnds {
  constructor(private readonly parts: Pick<Core, 'database' | 'keys' | 'clock'>) {}

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

  /** Ends what was about payments that were captured or are over, as they were last read. Returns how many it looked at. */
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
    for (const { id, status } of moved)
      await database.system('expiry', 'hold.lapse', async (change) => {
        const row = await change.lockIfAny(PaymentHold, { id });
        if (!row || !placedStates.includes(row.state)) return;
        await lapseBy(change, keys, row, isUncaptured({ status }) ? null : { status });
      });
    return moved.length;
  }
}
