import type { Change } from '../../../db/change';
import type { CredentialChanges, ProviderStep, StepOutcome } from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import { CredentialStep, type CredentialUpdate } from '../credential-update.entity';
import { type CustomerSeal, end, move } from '../credential-update.moves';
import { type FailureReason, isTerminal } from '../credential-update.states';
import type { JobChanges, UpdateWork } from '../job-changes';
import type { ClaimedJob } from '../jobs.service';
import type { OpenedStep, Steps } from './steps';

/** Stripe forgets an idempotency key after a day, and would then do the same again: an hour before that it isn't trusted any more. */
const keyLifetime = 23 * 3_600_000;

/**
 * Makes calls to the provider. Before each its intent is committed with its idempotency key, after it the outcome; where no
 * outcome came back the update is `UNKNOWN` and the provider is asked what holds before anything is tried again.
 */
export class ProviderCalls {
  constructor(
    private readonly changes: JobChanges,
    private readonly steps: Steps,
  ) {}

  /** One step further: ask what became of a call that nobody knows about, or make the call. A fault where it has to be looked at again later. */
  async advance(job: ClaimedJob, provider: CredentialChanges, at: OpenedStep): Promise<string | null> {
    if (at.state === 'INTENDED') {
      // Whoever meant to make this call is gone, and with them what came of it.
      await this.settle(job, at, { outcome: 'lost', keySpent: false });
      return this.advance(job, provider, { ...at, state: 'LOST' });
    }
    if (at.state === 'LOST') {
      await this.reconcile(job, at, await provider.holds(at.step));
      return null;
    }
    await this.intend(job, at);
    let outcome: StepOutcome;
    try {
      outcome = await provider.perform(at.step, at.key);
    } catch (error) {
      if (error instanceof SourceUnavailable) await this.settle(job, at, 'not sent');
      throw error;
    }
    if (outcome.outcome === 'refused') outcome = await this.afterRefusal(provider, at.step, outcome);
    await this.settle(job, at, outcome);
    return outcome.outcome === 'lost' ? 'lost' : null;
  }

  /** A refusal of what holds already (detached by somebody else, say) isn't one; where that can't be asked now, it is asked later. */
  private async afterRefusal(provider: CredentialChanges, step: ProviderStep, refused: StepOutcome): Promise<StepOutcome> {
    try {
      return (await provider.holds(step)) ? { outcome: 'done' } : refused;
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error;
      return { outcome: 'lost', keySpent: false };
    }
  }

  private intend(job: ClaimedJob, { id }: OpenedStep): Promise<void> {
    return this.change(job.updateId, async (change, update, seal) => {
      await job.renewLease(change);
      const step = await change.lock(CredentialStep, { id });
      step.state = 'INTENDED';
      step.keyUsedAt ??= change.at;
      await change.save(step);
      this.steps.record(change, update, seal, step);
    });
  }

  /** Writes down what came of a call, and what follows from it for the update. */
  private settle(job: ClaimedJob, { id, wasSent }: OpenedStep, outcome: StepOutcome | 'not sent'): Promise<void> {
    return this.change(job.updateId, async (change, update, seal) => {
      await job.renewLease(change);
      const step = await change.lock(CredentialStep, { id });
      if (outcome === 'not sent') {
        step.state = 'PLANNED';
        if (!wasSent) step.keyUsedAt = null;
        await change.save(step);
        this.steps.record(change, update, seal, step);
      } else if (outcome.outcome === 'done') {
        await this.stepDone(change, update, seal, step);
      } else if (outcome.outcome === 'refused') {
        await this.stepRefused(change, update, seal, step, outcome.why);
      } else {
        step.state = 'LOST';
        step.keySpent ||= outcome.keySpent;
        await change.save(step);
        this.steps.record(change, update, seal, step);
        if (update.state === 'APPLYING')
          await move(change, seal, update, 'credential.apply', { to: 'UNKNOWN', reason: 'ANSWER_LOST' });
      }
    });
  }

  /** What the provider says of a call whose answer was lost: it had its effect, or it is made again. */
  private reconcile(job: ClaimedJob, { id }: OpenedStep, holds: boolean): Promise<void> {
    return this.change(job.updateId, async (change, update, seal) => {
      await job.renewLease(change);
      const step = await change.lock(CredentialStep, { id });
      if (holds) return this.stepDone(change, update, seal, step);
      const isOld = step.keyUsedAt !== null && change.at.getTime() - step.keyUsedAt.getTime() > keyLifetime;
      // The same key again, so that a call which is still on its way can't have its effect twice; another one only where
      // the provider would repeat a fault for this key, or would no longer know it.
      if (step.keySpent || isOld) {
        step.keyGeneration += 1;
        step.keyUsedAt = null;
        step.keySpent = false;
      }
      step.state = 'PLANNED';
      await change.save(step);
      this.steps.record(change, update, seal, step);
      if (update.state === 'UNKNOWN')
        await move(change, seal, update, 'credential.apply', { to: 'APPLYING', reason: 'ABSENCE_PROVEN' });
    });
  }

  private async stepDone(change: Change, update: CredentialUpdate, seal: CustomerSeal, step: CredentialStep): Promise<void> {
    step.state = 'DONE';
    step.endedAt = change.at;
    await change.save(step);
    this.steps.record(change, update, seal, step);
    if (isTerminal(update.state)) return;
    if (await this.steps.hasMore(change, update.id)) {
      if (update.state === 'UNKNOWN')
        await move(change, seal, update, 'credential.apply', { to: 'APPLYING', reason: 'EFFECT_PROVEN' });
      return;
    }
    if (update.failure === null) await end(change, seal, update, 'credential.apply', { to: 'APPLIED' });
    else await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: update.failure });
  }

  private async stepRefused(
    change: Change,
    update: CredentialUpdate,
    seal: CustomerSeal,
    step: CredentialStep,
    why: FailureReason,
  ): Promise<void> {
    step.state = 'REFUSED';
    step.refusal = why;
    step.endedAt = change.at;
    await change.save(step);
    this.steps.record(change, update, seal, step);
    if (isTerminal(update.state)) return;
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

  private change<T>(updateId: string, work: UpdateWork<T>): Promise<T> {
    return this.changes.make('credential.apply', updateId, work);
  }
}
