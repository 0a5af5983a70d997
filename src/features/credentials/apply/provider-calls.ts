import type { Happening } from '../../../background/effect';
import { type Course, Effects } from '../../../background/effects';
import type { CredentialChanges, ProviderRefusal } from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import type { CustomerSeal } from '../../keys/customer-seal';
import type { SealedChanges } from '../../keys/sealed-changes';
import { CredentialStep, type CredentialUpdate } from '../credential-update.entity';
import { end, move } from '../credential-update.moves';
import { isTerminal } from '../credential-update.states';
import type { ClaimedJob } from '../jobs.service';
import type { OpenedStep, Steps } from './steps';

/** Stripe forgets an idempotency key after a day, and would then do the same again: an hour before that it isn't trusted any more. */
const keyLifetime = 23 * 3_600_000;

interface Owner {
  readonly update: CredentialUpdate;
  readonly seal: CustomerSeal;
}
type StepCourse = Course<CredentialStep, Owner>;

/** Makes the calls of an update to its provider. Where no outcome of one came back, the update is `UNKNOWN`. */
export class ProviderCalls {
  private readonly effects: Effects<ClaimedJob, CredentialStep, Owner, ProviderRefusal>;

  constructor(
    changes: SealedChanges<CredentialUpdate>,
    private readonly steps: Steps,
  ) {
    this.effects = new Effects({
      change: (job, work) =>
        changes.make('credential.apply', job.updateId, (change, update, seal) => work(change, { update, seal })),
      lock: (change, id) => change.lock(CredentialStep, { id }),
      told: (course, told) => this.told(course, told),
      isUnsent: (error) => error instanceof SourceUnavailable,
      keyLifetime,
    });
  }

  /** One step further. A fault where it has to be looked at again later. */
  advance(job: ClaimedJob, provider: CredentialChanges, at: OpenedStep): Promise<string | null> {
    return this.effects.advance(job, provider, at);
  }

  /** The event of a step, and what follows from it for the update. */
  private async told(course: StepCourse, told: Happening<ProviderRefusal>): Promise<void> {
    const { change, effect: step, owner } = course;
    const { update, seal } = owner;
    this.steps.record(change, update, seal, step);
    const goOn = (reason: 'ABSENCE_PROVEN' | 'EFFECT_PROVEN') =>
      move(change, seal, update, 'credential.apply', { to: 'APPLYING', reason });
    switch (told.happened) {
      case 'done':
        if (isTerminal(update.state)) return;
        if (!(await this.steps.hasMore(change, update.id))) return this.ended(course);
        if (update.state === 'UNKNOWN') await goOn('EFFECT_PROVEN');
        return;
      case 'refused':
        if (!isTerminal(update.state)) await this.refused(course, told.why);
        return;
      case 'lost':
        if (update.state === 'APPLYING')
          await move(change, seal, update, 'credential.apply', { to: 'UNKNOWN', reason: 'ANSWER_LOST' });
        return;
      case 'absent':
        if (update.state === 'UNKNOWN') await goOn('ABSENCE_PROVEN');
    }
  }

  private async refused({ change, effect: step, owner }: StepCourse, why: ProviderRefusal): Promise<void> {
    const { update, seal } = owner;
    if (step.phase === 'UNDO') {
      update.failure = 'PARTLY_APPLIED';
      await this.steps.keepNewCard(change, update.id);
    } else {
      update.failure = why;
      await this.steps.planUndo(change, update, seal);
    }
    if (await this.steps.hasMore(change, update.id)) await change.save(update);
    else await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: update.failure });
  }

  private async ended({ change, owner: { update, seal } }: StepCourse): Promise<void> {
    if (update.failure === null) await end(change, seal, update, 'credential.apply', { to: 'APPLIED' });
    else await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: update.failure });
  }
}
