import type { HoldEffectKind } from '../holds/hold.states';
import type { StandingHold } from '../holds/holds.service';
import { type DecisionStage, type PaymentVerdict, strictest } from './decision.words';
import type { StepUpDemand } from './demand.entity';

/** A hold that stands in the way of a payment. */
export interface HoldInTheWay extends StandingHold {
  /** It is about whoever pays, or about a group that they are one of: an authentication of theirs can meet it. */
  readonly isOfPayer: boolean;
}

/** What each effect of a hold stops at which stage; one that isn't named stops nothing there. */
export const stoppedBy: Readonly<Record<DecisionStage, { readonly [Kind in HoldEffectKind]?: PaymentVerdict }>> = {
  CHECKOUT: { BLOCK_NEW: 'HOLD', REVIEW: 'REVIEW', STEP_UP: 'STEP_UP' },
  CAPTURE: { DEFER_CAPTURE: 'HOLD', REVIEW: 'REVIEW' },
  FULFIL: { HOLD_ORDER: 'HOLD', REVIEW: 'REVIEW' },
  RENEWAL: { PAUSE_RENEWAL: 'HOLD', REVIEW: 'REVIEW', STEP_UP: 'STEP_UP' },
};

/** For so long, in milliseconds, an authentication speaks for what it was asked for. */
export const proofLasts = 3_600_000;

export type JudgedDemand = Pick<
  StepUpDemand,
  'id' | 'rule' | 'customerId' | 'payerId' | 'source' | 'state' | 'ownerId' | 'restsOn' | 'expiresAt' | 'authenticatedAt'
>;

export interface Judged {
  readonly stage: DecisionStage;
  /** The customer is there and pays with what their issuer can challenge them for. */
  readonly isThere: boolean;
  /** The one who would be authenticated; null where nobody knows who that is, or it may be one of several. */
  readonly payerId: string | null;
  /** All that this one is called. */
  readonly payerNames: readonly string[];
  /** More people are called so than were looked at. */
  readonly isCut: boolean;
  readonly holds: readonly HoldInTheWay[];
  readonly demands: readonly JudgedDemand[];
  readonly at: Date;
}

export interface Judgement {
  readonly verdict: PaymentVerdict;
  /** What stands in the way: holds and demands. */
  readonly restsOn: readonly string[];
  /** When the first of these holds ends. */
  readonly firstEnd: Date | null;
}

interface Obstacle {
  readonly id: string;
  readonly verdict: PaymentVerdict;
  /** Whoever pays can meet it by an authentication of their own. */
  readonly isTheirs: boolean;
}

const isOpen = ({ state, expiresAt }: JudgedDemand, at: Date): boolean =>
  (state === 'OPEN' || state === 'PRESENTED') && expiresAt > at;

/**
 * The demands that are in the way as long as they are open: those of rules, and those that rest on a hold that stands or on another such
 * demand. What a service was told of because of a hold stands no longer than that does, whether its end was written down yet or not.
 */
const founded = ({ holds, demands, at }: Pick<Judged, 'holds' | 'demands' | 'at'>): ReadonlySet<string> => {
  const standing = new Set(holds.map(({ id }) => id));
  const open = demands.filter((each) => isOpen(each, at));
  for (let before = -1; before < standing.size; ) {
    before = standing.size;
    for (const { id, rule, restsOn } of open) if (rule !== null || restsOn.some((each) => standing.has(each))) standing.add(id);
  }
  return standing;
};

/**
 * The strictest of all that stands in the way. Which effects of a hold the provider could be made to carry out plays no part: the pipeline
 * itself carries them out. A step-up that whoever pays has met within the hour is none; one that they can't meet, for they aren't there,
 * pay with a wallet, or are another person than it is about, is a review. So is what leads to more people than were looked at.
 */
export const judge = ({ stage, isThere, payerId, payerNames, isCut, holds, demands, at }: Judged): Judgement => {
  const met = new Set(
    demands.flatMap((demand) =>
      demand.state === 'SATISFIED' &&
      payerId !== null &&
      demand.payerId === payerId &&
      demand.authenticatedAt !== null &&
      at.getTime() - demand.authenticatedAt.getTime() < proofLasts
        ? [demand.id, ...demand.restsOn]
        : [],
    ),
  );
  const byHolds = holds.flatMap(({ id, effects, isOfPayer }): Obstacle[] => {
    const verdict = strictest(effects.flatMap(({ kind, state }) => (state === 'REVERSED' ? [] : (stoppedBy[stage][kind] ?? []))));
    return verdict === 'CLEAR' ? [] : [{ id, verdict, isTheirs: isOfPayer }];
  });
  const standing = founded({ holds, demands, at });
  const byDemands = demands.flatMap((demand): Obstacle[] => {
    const isTheirs = payerNames.includes(demand.customerId) || payerNames.includes(demand.payerId ?? '');
    if (isOpen(demand, at)) return standing.has(demand.id) ? [{ id: demand.id, verdict: 'STEP_UP', isTheirs }] : [];
    // Whoever failed it isn't asked once more until its time is over.
    return demand.state === 'FAILED' && demand.expiresAt > at ? [{ id: demand.id, verdict: 'REVIEW', isTheirs }] : [];
  });
  const obstacles = [...byHolds, ...byDemands].flatMap((obstacle): Obstacle[] => {
    if (obstacle.verdict !== 'STEP_UP') return [obstacle];
    if (met.has(obstacle.id)) return [];
    const canBeMet = stage === 'CHECKOUT' && isThere && payerId !== null && obstacle.isTheirs;
    return [canBeMet ? obstacle : { ...obstacle, verdict: 'REVIEW' }];
  });
  const ids = obstacles.map(({ id }) => id);
  const ends = holds.filter(({ id }) => ids.includes(id)).map(({ expiresAt }) => expiresAt.getTime());
  return {
    verdict: strictest([...obstacles.map(({ verdict }) => verdict), ...(isCut ? (['REVIEW'] as const) : [])]),
    restsOn: ids,
    firstEnd: ends.length === 0 ? null : new Date(Math.min(...ends)),
  };
};
