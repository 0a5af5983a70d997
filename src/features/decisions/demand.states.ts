import { Failure } from '../../failure';

export const demandStates = ['OPEN', 'PRESENTED', 'SATISFIED', 'FAILED', 'EXPIRED', 'WITHDRAWN'] as const;
export type DemandState = (typeof demandStates)[number];

/** Every transition there is. What isn't here is refused with `CONFLICT`. */
export const demandTransitions: Readonly<Record<DemandState, readonly DemandState[]>> = {
  // Nobody was told of it, so nobody can have met it.
  OPEN: ['PRESENTED', 'EXPIRED', 'WITHDRAWN'],
  PRESENTED: ['SATISFIED', 'FAILED', 'EXPIRED', 'WITHDRAWN'],
  SATISFIED: [],
  FAILED: [],
  EXPIRED: [],
  WITHDRAWN: [],
};

export const hasEnded = (state: DemandState): boolean => demandTransitions[state].length === 0;

/** Throws `CONFLICT` for a transition that the table doesn't have. */
export const expectDemandTransition = (from: DemandState, to: DemandState): void => {
  if (demandTransitions[from].includes(to)) return;
  throw new Failure('CONFLICT', `The demand is ${from}; it can't become ${to}.`, {
    remedy: 'Ask with paymentDecision and a new key what stands in the way now.',
  });
};
