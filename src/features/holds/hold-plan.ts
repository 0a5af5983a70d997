import type { HoldList, HoldStep, PaymentStanding, RenewalStanding } from '../../upstream/payments/payments.port';
import type { PaymentHold } from './hold.entity';
import type { HoldEffectKind } from './hold.states';
import type { HoldSteps, OpenedStep, PlannedStep } from './hold-steps';
import type { HoldSide } from './provider-side';

const lists: Readonly<Partial<Record<HoldEffectKind, HoldList>>> = { BLOCK_NEW: 'BLOCK', REVIEW: 'REVIEW', STEP_UP: 'STEP_UP' };

/** Pauses end at whole seconds, as providers keep them. */
export const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1_000) * 1_000);

/** What providers say now of whom a hold covers. */
export interface Seen {
  readonly sides: ReadonlyMap<string, HoldSide | null>;
  /** Null where it isn't theirs any more; undefined where it isn't asked about, or nobody can be asked. */
  readonly payment: PaymentStanding | null | undefined;
  /** By customer; none of whom nobody can be asked about. */
  readonly renewals: ReadonlyMap<string, readonly RenewalStanding[]>;
}

/** A call of it was sent, or will be. */
const isUnderWay = ({ state }: OpenedStep): boolean => state === 'PLANNED' || state === 'INTENDED' || state === 'LOST';

/** What takes a call back. */
export const undoOf = (call: HoldStep): HoldStep =>
  call.action === 'PAUSE_RENEWAL'
    ? { ...call, action: 'RESUME_RENEWAL' }
    : call.action === 'LIST'
      ? { ...call, action: 'UNLIST' }
      : call;

/** The calls that one kind of effect takes, beside those that there are. */
export const wantedCalls = (
  hold: Pick<PaymentHold, 'expiresAt'>,
  kind: HoldEffectKind,
  {
    seen,
    steps,
    targetOf,
  }: { readonly seen: Seen; readonly steps: readonly OpenedStep[]; readonly targetOf: HoldSteps['targetOf'] },
): readonly PlannedStep[] => {
  const list = lists[kind];
  const until = wholeSecond(hold.expiresAt);
  const latest = (planned: PlannedStep): OpenedStep | undefined => {
    const target = targetOf(planned);
    return steps.findLast(({ row }) => row.phase === 'APPLY' && row.target === target && row.state !== 'DROPPED');
  };
  return [...seen.sides].flatMap(([customerId, side]): readonly PlannedStep[] => {
    if (!side?.provider) return [];
    const of = { kind, customerId, source: side.source };
    if (list !== undefined) {
      const planned: PlannedStep = { ...of, call: { action: 'LIST', list, of: 'CUSTOMER', value: side.reference } };
      return side.provider.lists.has(list) && latest(planned) === undefined ? [planned] : [];
    }
    if (kind !== 'PAUSE_RENEWAL') return [];
    return (seen.renewals.get(customerId) ?? []).flatMap(({ subscription, isPaused }) => {
      const planned: PlannedStep = { ...of, call: { action: 'PAUSE_RENEWAL', customer: side.reference, subscription, until } };
      const known = latest(planned);
      if (!isPaused) return known && isUnderWay(known) ? [] : [planned];
      // Paused by somebody else, or until this end already.
      return known?.call && 'until' in known.call && known.call.until.getTime() !== until.getTime() ? [planned] : [];
    });
  });
};
