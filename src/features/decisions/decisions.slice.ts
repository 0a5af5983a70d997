import { describeError } from '../../log';
import type { Core } from '../core';
import { type DecisionParts, Decisions } from './decisions.service';
import { type StepUpParts, StepUps } from './step-ups.service';

export interface DecisionsParts extends Pick<DecisionParts, 'holds'> {
  readonly sources: StepUpParts['sources'];
}

/** What the payment pipeline is answered, and the step-ups that it is asked for. */
export const createDecisions = ({ database, keys, clock, log, policy }: Core, { holds, sources }: DecisionsParts) => {
  const onFault = (error: unknown) =>
    log.error({ error: describeError(error) }, 'decisions about payments could not be recorded');
  const decisions = new Decisions({ database, keys, clock, sources, holds, policy: policy.decisions, onFault });
  const stepUps = new StepUps({ database, keys, clock, sources });
  return {
    services: { decisions, stepUps },
    recurring: [() => stepUps.expire(), () => stepUps.withdrawUnfounded(), () => decisions.sweep()],
    /** Waits for what is under way. */
    close: () => decisions.close(),
  };
};
