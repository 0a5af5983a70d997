import type { Change } from '../../db/change';
import type { Keys } from '../keys/keys.service';
import type { PaymentHold } from './hold.entity';
import { become } from './hold.moves';
import { effectsOf, letGo } from './letting-go';
import { isOver, isUncaptured } from './provider-side';

/**
 * The provider moved first: what is captured or over can't be deferred any more, and with nothing else left the hold lapses. False where it
 * is as it was. Part of a change that has the hold locked, and in which it is placed.
 */
export const lapseBy = async (
  change: Change,
  keys: Keys,
  hold: PaymentHold,
  payment: { readonly status: string } | null,
): Promise<boolean> => {
  const effects = await effectsOf(change, hold.id);
  const deferred = effects.find(({ kind }) => kind === 'DEFER_CAPTURE');
  if (payment === null || isOver(payment)) {
    await letGo(change, keys, hold, { ending: 'LAPSED', reason: 'PAYMENT_ENDED' });
    return true;
  }
  if (isUncaptured(payment)) return false;
  const isAlone = effects.every(({ kind, state }) => kind === 'DEFER_CAPTURE' || state === 'NOT_POSSIBLE');
  if (deferred) await become(change, keys, hold, deferred, { state: 'NOT_POSSIBLE' });
  if (deferred && isAlone) await letGo(change, keys, hold, { ending: 'LAPSED', reason: 'PAYMENT_CAPTURED' });
  return deferred !== undefined && isAlone;
};
