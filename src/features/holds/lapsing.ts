import type { Change } from '../../db/change';
import type { Keys } from '../keys/keys.service';
import type { PaymentHold } from './hold.entity';
import { become } from './hold.moves';
import type { HoldEffectState } from './hold.states';
import { ofOnePayment } from './holds.service';
import { effectsOf, letGo } from './letting-go';
import { isOver, isUncaptured } from './provider-side';

/** Of these nothing is left. */
const past: readonly HoldEffectState[] = ['REVERSED', 'NOT_POSSIBLE'];

/**
 * The provider moved first: what is captured can't be deferred any more, and with a payment that is over ends what was about that payment. What
 * is about whoever pays goes on until the hold's end: that one payment came to nothing says nothing of the next. The hold lapses where nothing
 * else is left. False where it stands. Part of a change that has the hold locked, and in which it is placed.
 */
export const lapseBy = async (
  change: Change,
  keys: Keys,
  hold: PaymentHold,
  payment: { readonly status: string } | null,
): Promise<boolean> => {
  const left = (await effectsOf(change, hold.id)).filter(({ state }) => !past.includes(state));
  if (payment === null || isOver(payment)) {
    const ended = left.filter(({ kind }) => ofOnePayment.includes(kind));
    if (ended.length === left.length) {
      await letGo(change, keys, hold, { ending: 'LAPSED', reason: 'PAYMENT_ENDED' });
      return true;
    }
    for (const each of ended) await become(change, keys, hold, each, { state: 'REVERSED' });
    return false;
  }
  if (isUncaptured(payment)) return false;
  const deferred = left.find(({ kind }) => kind === 'DEFER_CAPTURE');
  if (!deferred) return false;
  await become(change, keys, hold, deferred, { state: 'NOT_POSSIBLE' });
  if (left.length > 1) return false;
  await letGo(change, keys, hold, { ending: 'LAPSED', reason: 'PAYMENT_CAPTURED' });
  return true;
};
