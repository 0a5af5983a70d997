import { createHash } from 'node:crypto';
import { ProgrammingError } from '../../failure';
import type { HoldStep, ProviderRefusal, ProviderStep, SetupRequest, StepOutcome } from '../../upstream/payments/payments.port';
import type { Clock } from '../merchant/change-log';
import type { DemoFault, DemoFaults } from './demo-faults';
import type { DemoCall, DemoExecution, DemoState, Draft } from './demo-state';

/** The same for what asks for the same, in whatever order its parts were written. */
export const digestOf = (asked: ProviderStep | SetupRequest | HoldStep): string => {
  const sorted = (_key: string, value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash('sha256').update(JSON.stringify(asked, sorted)).digest('base64url');
};

/** One call that changes something. */
export interface DemoStep {
  readonly asked: string;
  readonly execution: Omit<DemoExecution, 'at' | 'key'>;
  /** Does what is asked for, or says why not. */
  readonly done: (draft: Draft) => ProviderRefusal | null;
}

/** What the demo provider keeps of its calls: the result of each idempotency key, and what was executed. */
export class DemoCalls {
  constructor(
    private readonly state: DemoState,
    private readonly clock: Clock,
    private readonly faults: DemoFaults,
  ) {}

  /** A key that comes with another step than before is a mistake of whoever sent it. */
  perform(step: DemoStep, key: string): StepOutcome {
    const lost = { outcome: 'lost', keySpent: false } as const;
    const known = this.known(key, step.asked);
    const loss = this.faults.meet('steps', ['lose']);
    if (loss && !loss.executed) return lost;
    const answer = known ?? this.execute(step, key, loss ? null : this.faults.meet('steps', ['refuse', 'spoil']));
    if (answer.outcome === 'opened') throw new ProgrammingError('this key opened a card page');
    return loss ? lost : answer;
  }

  known(key: string, asked: string): DemoCall['answer'] | null {
    const call = this.state.now.calls.get(key);
    if (!call) return null;
    if (call.asked !== asked) throw new ProgrammingError('an idempotency key came again for something else');
    return call.answer;
  }

  executed(draft: Draft, execution: Omit<DemoExecution, 'at'>): void {
    draft.contents.executions.push({ at: this.clock.now(), ...execution });
  }

  keep(draft: Draft, key: string, asked: string, answer: DemoCall['answer']): DemoCall['answer'] {
    draft.contents.calls.set(key, { asked, at: this.clock.now(), answer });
    return answer;
  }

  private execute(
    { asked, execution, done }: DemoStep,
    key: string,
    fault: Extract<DemoFault, { kind: 'refuse' | 'spoil' }> | null,
  ): DemoCall['answer'] {
    return this.state.change((draft) => {
      const isLeftUndone = fault?.kind === 'refuse' || fault?.executed === false;
      const refusal = fault?.kind === 'refuse' ? fault.why : isLeftUndone ? null : done(draft);
      if (!isLeftUndone && refusal === null) this.executed(draft, { ...execution, key });
      const answer: DemoCall['answer'] =
        fault?.kind === 'spoil'
          ? { outcome: 'lost', keySpent: true }
          : refusal === null
            ? { outcome: 'done' }
            : { outcome: 'refused', why: refusal };
      return this.keep(draft, key, asked, answer);
    });
  }
}
