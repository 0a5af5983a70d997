import { Failure } from '../../failure';

export const holdStates = [
  'PROPOSED',
  'PLACING',
  'ACTIVE',
  'RELEASING',
  'RELEASED',
  'REJECTED',
  'EXPIRED',
  'LAPSED',
  'FAILED',
] as const;
export type HoldState = (typeof holdStates)[number];

/** Every transition there is. What isn't here is refused with `CONFLICT`. */
export const transitions: Readonly<Record<HoldState, readonly HoldState[]>> = {
  PROPOSED: ['PLACING', 'REJECTED', 'EXPIRED'],
  // Its effects are being brought about.
  PLACING: ['ACTIVE', 'RELEASING', 'FAILED'],
  ACTIVE: ['RELEASING'],
  // What it had stopped is let go; it ends as that came about.
  RELEASING: ['RELEASED', 'EXPIRED', 'LAPSED', 'FAILED'],
  RELEASED: [],
  REJECTED: [],
  EXPIRED: [],
  LAPSED: [],
  FAILED: [],
};

export const isTerminal = (state: HoldState): boolean => transitions[state].length === 0;

/** States in which its effects are in force, or about to be. */
export const placedStates: readonly HoldState[] = ['PLACING', 'ACTIVE'];
/** States in which something of it may stand in the way of a payment. */
export const standingStates: readonly HoldState[] = [...placedStates, 'RELEASING'];
/** States that end by themselves once its time is over. */
export const endingStates: readonly HoldState[] = ['PROPOSED', ...placedStates];
/** States of which none is its last. */
export const openStates: readonly HoldState[] = ['PROPOSED', ...standingStates];

/** What it is at an instant: one past its end stands for nothing, whether its end was written down yet or not. */
export const stateAt = ({ state, expiresAt }: { readonly state: HoldState; readonly expiresAt: Date }, now: Date): HoldState => {
  if (expiresAt > now || !endingStates.includes(state)) return state;
  return state === 'PROPOSED' ? 'EXPIRED' : 'RELEASING';
};

/** Throws `CONFLICT` for a transition that the table doesn't have. */
export const expectTransition = (from: HoldState, to: HoldState): void => {
  if (transitions[from].includes(to)) return;
  throw new Failure('CONFLICT', `The hold is ${from}; it can’t become ${to}.`, {
    remedy: isTerminal(from) ? 'It has ended; place a new one if it is still needed.' : 'Look at its state and history first.',
  });
};

export const holdEffectKinds = ['DEFER_CAPTURE', 'STEP_UP', 'REVIEW', 'BLOCK_NEW', 'PAUSE_RENEWAL', 'HOLD_ORDER'] as const;
export type HoldEffectKind = (typeof holdEffectKinds)[number];

export const holdEffectStates = ['PENDING', 'APPLIED', 'UNKNOWN', 'REVERSED', 'NOT_POSSIBLE'] as const;
export type HoldEffectState = (typeof holdEffectStates)[number];

/** Who keeps to an effect. `PIPELINE`: whoever asks before each payment, and nobody else. */
export const holdEnforcers = ['PROVIDER', 'PIPELINE'] as const;
export type HoldEnforcer = (typeof holdEnforcers)[number];

export const holdCauses = ['AGENT', 'SUPERVISOR', 'RULE', 'CUSTOMER'] as const;
export type HoldCause = (typeof holdCauses)[number];

export const holdSubjectKinds = ['CUSTOMER', 'TRANSACTION', 'GROUP'] as const;
export type HoldSubjectKind = (typeof holdSubjectKinds)[number];

/** Why it moved, where the states don't say it. */
export const holdMoveReasons = [
  'BY_HAND',
  'TIME_OVER',
  /** The provider moved first. */
  'PAYMENT_CAPTURED',
  'PAYMENT_ENDED',
  'NOTHING_POSSIBLE',
  /** What it had stopped couldn’t be let go. */
  'NOT_REVERSED',
  'CUSTOMER_ERASED',
  /** Its end was moved: later by a supervisor, sooner because the authorization ends. */
  'EXTENDED',
  'AUTHORIZATION_ENDS',
] as const;
export type HoldMoveReason = (typeof holdMoveReasons)[number];
