import type { SealedNote } from '../../audit/event';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import type { DataKey } from '../../privacy/customer-keys';
import type { Keys } from '../keys/keys.service';
import { type PaymentHold, type PaymentHoldEffect, paymentHoldJobs, paymentHoldSteps } from './hold.entity';
import { become, move } from './hold.moves';
import type { HoldMoveReason, HoldState } from './hold.states';
import { effect, effectRows, stepKinds } from './holds.rows';

/** What a hold ends as, once all that it had stopped goes on. */
export type HoldEnding = 'RELEASED' | 'EXPIRED' | 'LAPSED' | 'FAILED';

const events = {
  RELEASED: 'hold.release',
  EXPIRED: 'hold.expire',
  LAPSED: 'hold.lapse',
  FAILED: 'hold.fail',
} as const satisfies Partial<Record<HoldState, string>>;

/** What a hold is to bring about, held until the change ends. */
export const effectsOf = async (change: Change, holdId: string): Promise<PaymentHoldEffect[]> => {
  const rows = await change.read(effectRows, sql`WHERE ${effect.holdId} = ${holdId} ORDER BY ${effect.kind}`, { lock: true });
  return rows.map((row) => ({ ...row }));
};

/** Its job is looked at now, whoever has it. One that is done before is to be done again. */
export const makeDue = async (change: Change, holdId: string): Promise<void> => {
  await change.bookkeep(
    paymentHoldJobs,
    { state: 'PENDING', nextAt: change.at, attempts: 0 },
    sql`${paymentHoldJobs.holdId} = ${holdId}`,
  );
};

/** A hold has let go of all that it had stopped. Part of a change that has it locked. */
export const finish = async (change: Change, keys: Keys, hold: PaymentHold, reason?: HoldMoveReason): Promise<void> => {
  const to = (hold.ending ?? 'RELEASED') as HoldEnding;
  await move(change, keys, hold, events[to], { to, ...(reason === undefined ? {} : { reason }) });
};

/** By whom and why a hold is released by hand. */
interface ByHand {
  readonly staffId: string | null;
  readonly staffRows: readonly string[];
  readonly notes: readonly SealedNote<'reason'>[];
}

/**
 * From here on a hold stops nothing but what the provider still keeps to, which the worker has it let go. Part of a change that has the hold
 * locked, and in which it is placed.
 */
export const letGo = async (
  change: Change,
  keys: Keys,
  hold: PaymentHold,
  { ending, reason, byHand }: { readonly ending: HoldEnding; readonly reason: HoldMoveReason; readonly byHand?: ByHand },
): Promise<void> => {
  hold.ending = ending;
  hold.planned = false;
  if (byHand) {
    const { staffId, staffRows, notes } = byHand;
    await move(change, keys, hold, 'hold.release', {
      to: 'RELEASING',
      reason,
      staffId,
      notes,
      detail: { staff: staffId, staffRows },
    });
  } else await move(change, keys, hold, events[ending], { to: 'RELEASING', reason });
  const steps = await change.read(stepKinds, sql`WHERE ${paymentHoldSteps.holdId} = ${hold.id}`);
  const called = new Set(steps.map(({ kind }) => kind));
  let isLost = false;
  for (const each of await effectsOf(change, hold.id)) {
    if (called.has(each.kind) || each.state === 'NOT_POSSIBLE' || each.state === 'REVERSED') continue;
    // What a provider keeps to was asked of it by calls: without them nobody can take it back, or say that it is.
    const isUnknown = each.enforcedBy === 'PROVIDER';
    isLost ||= isUnknown;
    await become(change, keys, hold, each, { state: isUnknown ? 'UNKNOWN' : 'REVERSED' });
  }
  if (isLost) {
    hold.ending = 'FAILED';
    await change.save(hold);
  }
  if (called.size === 0) await finish(change, keys, hold, isLost ? 'NOT_REVERSED' : undefined);
  await makeDue(change, hold.id);
};

/** Ends a hold whose time is over. Part of a change that has it locked. */
export const expire = async (change: Change, keys: Keys, hold: PaymentHold): Promise<void> => {
  if (hold.state === 'PROPOSED') await move(change, keys, hold, 'hold.expire', { to: 'EXPIRED', reason: 'TIME_OVER' });
  else await letGo(change, keys, hold, { ending: 'EXPIRED', reason: 'TIME_OVER' });
};

/** Why a hold is released, sealed for the log under its customer's key; nothing where they were erased. */
export const reasonNote = (keys: Keys, key: DataKey | undefined, text: string): readonly SealedNote<'reason'>[] =>
  key === undefined ? [] : [keys.note('reason', key, text)];
