import { type SystemActor, systemActor } from '../../../authz/actor';
import type { UpdatePolicy } from '../../../authz/update-policy';
import type { Database } from '../../../db/database';
import { type Sql, sql } from '../../../db/sql';
import { ulid } from '../../../ulid';
import {
  type AddressRecord,
  type CredentialChanges,
  ProviderRefused,
  type ProviderStep,
  type Setup,
  type SetupReport,
  type StepOutcome,
} from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import { customer, linkRows } from '../../customers/customers.rows';
import type { Keys } from '../../keys/keys.service';
import { methodIds, method as methods } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { setupLifetime } from '../confirm/confirmations.service';
import {
  CredentialStep,
  CredentialUpdate,
  credentialSteps,
  credentialUpdates,
  type StepPhase,
  type StepState,
} from '../credential-update.entity';
import { type AnyChange, CustomerSeal, end, factsOf, move } from '../credential-update.moves';
import { type FailureReason, isTerminal } from '../credential-update.states';
import { credentialActions } from '../credentials.policy';
import { type ClaimedJob, enqueue, type JobHandler, type JobResult } from '../jobs.service';
import { describeMethod, isStill, methodSummarySchema, summaryOf } from '../method-summary';
import { type ProviderSide, providerSideOf } from '../provider-side';
import { summaryOfRow } from '../stored-method';
import {
  boundSetups,
  confirmation,
  isPendingRow,
  lastOrdinals,
  pending,
  stepCounts,
  stepRows,
  step as steps,
} from './applying.rows';
import { type PlannedStep, planSteps } from './provider-steps';

const hour = 3_600_000;
/** Stripe forgets an idempotency key after a day, and would then do the same again: an hour before that it isn't trusted any more. */
const keyLifetime = 23 * hour;
/** Pauses, in milliseconds, between looks at the provider's page: soon while somebody is likely at it, later a twentieth of the time that has passed. */
const shortestSetupPause = 5_000;
const longestSetupPause = 60_000;
/** How long after its end a page may still turn out to have been completed. */
const setupAftermath = hour;

interface OpenedStep {
  readonly id: string;
  readonly ordinal: number;
  readonly phase: StepPhase;
  readonly state: StepState;
  readonly step: ProviderStep;
  readonly wasSent: boolean;
  /** Derived from update, step and generation: the same for every try until it can't be trusted any more. */
  readonly key: string;
}

type Work<T> = (change: AnyChange, update: CredentialUpdate, seal: CustomerSeal) => Promise<T>;

const isPending = ({ state }: { readonly state: StepState }): boolean => pending.includes(state);

/** Providers tell the time in whole seconds. */
const inWholeSeconds = (at: Date): Date => new Date(Math.floor(at.getTime() / 1_000) * 1_000);

/**
 * Brings confirmed updates about at the provider. Before each call its intent is committed with its idempotency key,
 * after it the outcome; where no outcome came back the update is `UNKNOWN` and the provider is asked what holds before
 * anything is tried again. So whatever crashes, each call has its effect once, or the state says that it isn't known.
 */
export class Applying {
  private readonly actor: SystemActor = systemActor('worker');

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly sources: Sources,
    private readonly policy: UpdatePolicy,
    private readonly clock: () => Date,
  ) {}

  readonly setup: JobHandler = {
    mostTries: Number.POSITIVE_INFINITY,
    run: (job) => this.lookAtSetup(job),
    giveUp: async () => false,
  };

  readonly provider: JobHandler = {
    // With doubling pauses a bit more than four hours.
    mostTries: 14,
    run: (job) => this.work(job),
    giveUp: (job) => this.giveUp(job),
  };

  /** Whether the customer has entered the new card. Goes on after the update has ended: a card that comes late is taken away again. */
  private async lookAtSetup(job: ClaimedJob): Promise<JobResult> {
    const { update, setup } = await this.change(job.updateId, async (_, locked, seal) => {
      const text = seal.open(credentialUpdates, locked, 'setup');
      return { update: locked, setup: text === null ? null : (JSON.parse(text) as Setup) };
    });
    const isWaiting = update.state === 'AWAITING_PROVIDER';
    if (setup === null || update.newMethodSealed !== null || !(isWaiting || isTerminal(update.state))) return 'done';
    const side = await this.sideOf(update);
    const report = side ? await this.readSetup(side.provider, setup.reference) : null;
    if (report?.status === 'COMPLETE') {
      await this.change(job.updateId, (change, locked, seal) => this.cardEntered(job, change, locked, seal, setup, report));
      return 'done';
    }
    if (report?.status === 'OPEN') {
      const end = (update.setupExpiresAt?.getTime() ?? 0) + setupAftermath;
      const now = this.clock().getTime();
      if (!isWaiting) return now < end ? { again: longestSetupPause } : 'done';
      const asked = (update.setupExpiresAt?.getTime() ?? now) - setupLifetime;
      return { again: Math.min(longestSetupPause, Math.max(shortestSetupPause, Math.round((now - asked) / 20))) };
    }
    await this.change(job.updateId, async (change, locked, seal) => {
      if (locked.state !== 'AWAITING_PROVIDER') return;
      await job.renewLease(change);
      await end(change, seal, locked, 'credential.setup-ended', { to: 'EXPIRED', reason: 'SETUP_EXPIRED' });
    });
    return 'done';
  }

  private async cardEntered(
    job: ClaimedJob,
    change: AnyChange,
    update: CredentialUpdate,
    seal: CustomerSeal,
    setup: Setup,
    { method, authenticated }: SetupReport,
  ): Promise<void> {
    if (method === null || update.newMethodSealed !== null) return;
    await job.renewLease(change);
    // A card that the customer had before isn't the new one, and nothing of ours to take away when this comes to nothing.
    const [known] = await change.read(
      methodIds,
      sql`WHERE ${methods.paymentCustomerId} = ${update.paymentCustomerId}
          AND ${methods.referenceDigest} = ${this.keys.searchDigest(`payment-method:${update.source}`, method.reference)}
          AND ${methods.createdAt} < ${inWholeSeconds(update.createdAt)}`,
    );
    if (known) {
      if (update.state === 'AWAITING_PROVIDER')
        await end(change, seal, update, 'credential.card-refused', { to: 'FAILED', reason: 'SETUP_ENDED' });
      return;
    }
    const [act] = await change.read(boundSetups, sql`WHERE ${confirmation.updateId} = ${update.id}`);
    update.newMethodSealed = seal.seal(credentialUpdates, update.id, 'newMethod', method.reference);
    if (update.state !== 'AWAITING_PROVIDER') {
      await change.save(update);
      change.record('credential.card-unwanted', { ...factsOf(update, seal), detail: { state: update.state } });
      await enqueue(change, update.id, 'PROVIDER');
      return;
    }
    const before = seal.open(credentialUpdates, update, 'before');
    const isDefault = before !== null && methodSummarySchema.parse(JSON.parse(before)).isDefault;
    const after = { ...summaryOf(method), isDefault };
    update.afterSealed = seal.seal(credentialUpdates, update.id, 'after', JSON.stringify(after));
    const fail = (reason: FailureReason) => end(change, seal, update, 'credential.card-refused', { to: 'FAILED', reason });
    // The page that the customer's act was bound to, and no other.
    if (act?.setupDigest !== this.keys.searchDigest('credential-setup', setup.reference)) return fail('SETUP_ENDED');
    if (update.needsThreeDSecure && !authenticated) return fail('NOT_AUTHENTICATED');
    update.authenticated = authenticated;
    if (update.needsApproval) update.expiresAt = new Date(change.at.getTime() + this.policy.approvalHours * hour);
    else await enqueue(change, update.id, 'PROVIDER');
    await move(change, seal, update, 'credential.card-entered', {
      to: update.needsApproval ? 'AWAITING_APPROVAL' : 'APPLYING',
      notes: { after: describeMethod(after), country: after.country },
      detail: { authenticated },
    });
  }

  private async work(job: ClaimedJob): Promise<JobResult> {
    const { update, isErased } = await this.change(job.updateId, async (_, locked, seal) => ({
      update: locked,
      isErased: seal.key === null,
    }));
    const isApplying = update.state === 'APPLYING' || update.state === 'UNKNOWN';
    if (!isApplying && !(isTerminal(update.state) && update.newMethodSealed !== null)) return 'done';
    if (update.state === 'APPLIED') return 'done';
    if (isErased) {
      await this.endErased(job);
      return 'done';
    }
    let steps = await this.stepsOf(update.id);
    if (isApplying && steps.every(({ wasSent }) => !wasSent)) {
      // Nothing was sent: whatever was true when it was confirmed must be true still.
      if (!(await this.prepare(job, update, steps.length > 0))) return 'done';
      steps = await this.stepsOf(update.id);
    }
    if (!isApplying && steps.every(({ phase }) => phase !== 'UNDO')) {
      await this.planDiscard(job, update.id);
      steps = await this.stepsOf(update.id);
    }
    const side = await this.sideOf(update);
    for (let step = steps.find(isPending); step; step = (await this.stepsOf(update.id)).find(isPending)) {
      if (!side) throw new SourceUnavailable(update.source, 'malformed');
      const fault = await this.advance(job, side.provider, step);
      if (fault !== null) return { fault };
    }
    // What agents see shall be what holds now; where the provider is slow, the next poll brings it.
    await this.sources.confirmLink(update.customerId).catch((error: unknown) => {
      if (!(error instanceof SourceUnavailable)) throw error;
    });
    return 'done';
  }

  /** What was to be sent, and what was, went with the customer's key: nobody can ask any more what came of it. */
  private endErased(job: ClaimedJob): Promise<void> {
    return this.change(job.updateId, async (change, update, seal) => {
      if (isTerminal(update.state)) return;
      await job.renewLease(change);
      await this.dropPending(change, update.id);
      await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: 'CUSTOMER_ERASED' });
    });
  }

  /**
   * Asks again whether it may be applied and, the first time, plans the calls. False where the update ended instead. Throws
   * `SourceUnavailable`.
   */
  private async prepare(job: ClaimedJob, update: CredentialUpdate, isPlanned: boolean): Promise<boolean> {
    await this.sources.confirmLink(update.customerId);
    const { change: wanted, refusal } = await this.wantedSteps(update);
    return this.change(update.id, async (change, locked, seal) => {
      if (locked.state !== 'APPLYING') return locked.state === 'UNKNOWN';
      await job.renewLease(change);
      if (refusal !== null) {
        await this.dropPending(change, locked.id);
        await end(change, seal, locked, 'credential.apply', { to: 'FAILED', reason: refusal });
        return false;
      }
      if (isPlanned) return true;
      await this.insertSteps(change, seal, locked, 'APPLY', wanted);
      if (wanted.length > 0) {
        const actions = wanted.map(({ step }) => step.action);
        change.record('credential.plan', { ...factsOf(locked, seal), detail: { steps: actions } });
        return true;
      }
      // It holds already, by whoever's doing: there is nothing to be done twice.
      await end(change, seal, locked, 'credential.apply', { to: 'APPLIED', detail: { calls: 0 } });
      return false;
    });
  }

  private async wantedSteps(
    update: CredentialUpdate,
  ): Promise<{ readonly change: readonly PlannedStep[]; readonly refusal: FailureReason | null }> {
    const refused = (refusal: FailureReason) => ({ change: [], refusal });
    if (this.policy.kinds[update.kind] === undefined) return refused('NOT_OFFERED');
    const [linked] = await this.database.read(linkRows, sql`WHERE ${customer.id} = ${update.customerId}`);
    const isSame = linked?.paymentCustomerId === update.paymentCustomerId && linked.link !== 'NONE';
    if (!isSame || (update.link === 'VERIFIED' && linked.link !== 'VERIFIED')) return refused('LINK_CHANGED');
    const side = await this.sideOf(update);
    if (!side) return refused('CUSTOMER_GONE');
    if (!side.method) return refused('METHOD_GONE');
    const texts = await this.change(update.id, async (_, locked, seal) => ({
      before: seal.open(credentialUpdates, locked, 'before'),
      address: seal.open(credentialUpdates, locked, 'address'),
      newMethod: seal.open(credentialUpdates, locked, 'newMethod'),
    }));
    // Erased meanwhile: nobody knows any more what was confirmed.
    if (texts.before === null) return refused('CUSTOMER_ERASED');
    const now = summaryOfRow(side.method.row, this.keys);
    const regards = {
      address: update.kind === 'BILLING_ADDRESS',
      default: update.kind === 'SET_DEFAULT' || update.kind === 'REMOVE',
    };
    if (!isStill(methodSummarySchema.parse(JSON.parse(texts.before)), now, regards)) return refused('CHANGED_MEANWHILE');
    const standing = await side.provider.readMethod(side.customer, side.method.reference);
    if (!standing) return refused('METHOD_GONE');
    const replacement =
      texts.newMethod === null
        ? null
        : {
            method: texts.newMethod,
            isAttached: (await side.provider.readMethod(side.customer, texts.newMethod)) !== null,
          };
    const steps = planSteps({
      kind: update.kind,
      customer: side.customer,
      standing,
      replacement,
      address: texts.address === null ? null : (JSON.parse(texts.address) as AddressRecord),
    });
    return typeof steps === 'string' ? refused(steps) : { change: steps, refusal: null };
  }

  /** A card that was entered for an update which came to nothing is taken away from the customer again. */
  private async planDiscard(job: ClaimedJob, updateId: string): Promise<void> {
    const side = await this.sideOf(await this.read(updateId));
    if (!side) return;
    await this.change(updateId, async (change, update, seal) => {
      const method = seal.open(credentialUpdates, update, 'newMethod');
      if (method === null) return;
      await job.renewLease(change);
      const detach: ProviderStep = { action: 'DETACH', customer: side.customer, method };
      await this.insertSteps(change, seal, update, 'UNDO', [{ step: detach, undo: null }]);
      change.record('credential.plan', { ...factsOf(update, seal), detail: { steps: ['DETACH'] } });
    });
  }

  /** One step further: ask what became of a call that nobody knows about, or make the call. A fault where it has to be looked at again later. */
  private async advance(job: ClaimedJob, provider: CredentialChanges, at: OpenedStep): Promise<string | null> {
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
      this.recordStep(change, update, seal, step);
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
        this.recordStep(change, update, seal, step);
      } else if (outcome.outcome === 'done') {
        await this.stepDone(change, update, seal, step);
      } else if (outcome.outcome === 'refused') {
        await this.stepRefused(change, update, seal, step, outcome.why);
      } else {
        step.state = 'LOST';
        step.keySpent ||= outcome.keySpent;
        await change.save(step);
        this.recordStep(change, update, seal, step);
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
      this.recordStep(change, update, seal, step);
      if (update.state === 'UNKNOWN')
        await move(change, seal, update, 'credential.apply', { to: 'APPLYING', reason: 'ABSENCE_PROVEN' });
    });
  }

  private async stepDone(change: AnyChange, update: CredentialUpdate, seal: CustomerSeal, step: CredentialStep): Promise<void> {
    step.state = 'DONE';
    step.endedAt = change.at;
    await change.save(step);
    this.recordStep(change, update, seal, step);
    if (isTerminal(update.state)) return;
    if (await this.hasMore(change, update.id)) {
      if (update.state === 'UNKNOWN')
        await move(change, seal, update, 'credential.apply', { to: 'APPLYING', reason: 'EFFECT_PROVEN' });
      return;
    }
    if (update.failure === null) await end(change, seal, update, 'credential.apply', { to: 'APPLIED' });
    else await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: update.failure });
  }

  private async stepRefused(
    change: AnyChange,
    update: CredentialUpdate,
    seal: CustomerSeal,
    step: CredentialStep,
    why: FailureReason,
  ): Promise<void> {
    step.state = 'REFUSED';
    step.refusal = why;
    step.endedAt = change.at;
    await change.save(step);
    this.recordStep(change, update, seal, step);
    if (isTerminal(update.state)) return;
    if (step.phase === 'UNDO') {
      update.failure = 'PARTLY_APPLIED';
      // What couldn't be taken back may be paid with the new card by now: it stays until somebody has looked at it.
      await this.drop(
        change,
        update.id,
        sql`${steps.phase} = 'UNDO' AND ${steps.state} = 'PLANNED' AND ${steps.action} = 'DETACH'`,
      );
    } else {
      update.failure = why;
      await this.planUndo(change, update, seal);
    }
    if (await this.hasMore(change, update.id)) await change.save(update);
    else await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: update.failure });
  }

  /** What was done before a refusal is taken back, last first, and a card that was entered for it goes. */
  private async planUndo(change: AnyChange, update: CredentialUpdate, seal: CustomerSeal): Promise<void> {
    const rows = await change.read(
      stepRows,
      sql`WHERE ${steps.updateId} = ${update.id} AND ${steps.phase} = 'APPLY' ORDER BY ${steps.ordinal} DESC`,
      { lock: true },
    );
    await this.drop(change, update.id, sql`${steps.phase} = 'APPLY' AND ${steps.state} = 'PLANNED'`);
    const undo = rows.flatMap((row) => {
      const text = row.state === 'DONE' ? seal.open(credentialSteps, row, 'undo') : null;
      return text === null ? [] : [{ step: JSON.parse(text) as ProviderStep, undo: null }];
    });
    const method = seal.open(credentialUpdates, update, 'newMethod');
    const [first] = rows;
    const text = first ? seal.open(credentialSteps, first, 'step') : null;
    if (method !== null && text !== null && !undo.some(({ step }) => step.action === 'DETACH')) {
      const { customer } = JSON.parse(text) as ProviderStep;
      undo.push({ step: { action: 'DETACH', customer, method }, undo: null });
    }
    await this.insertSteps(change, seal, update, 'UNDO', undo);
  }

  private async insertSteps(
    change: AnyChange,
    seal: CustomerSeal,
    update: CredentialUpdate,
    phase: StepPhase,
    planned: readonly PlannedStep[],
  ): Promise<void> {
    const [last] = await change.read(lastOrdinals, sql`WHERE ${steps.updateId} = ${update.id}`);
    const before = last?.ordinal ?? 0;
    for (const [index, { step, undo }] of planned.entries()) {
      const id = `cst_${ulid(change.at.getTime())}`;
      await change.insert(credentialSteps, {
        id,
        updateId: update.id,
        ordinal: before + index + 1,
        phase,
        action: step.action,
        state: 'PLANNED',
        keyId: update.keyId,
        stepSealed: seal.seal(credentialSteps, id, 'step', JSON.stringify(step)),
        undoSealed: undo === null ? null : seal.seal(credentialSteps, id, 'undo', JSON.stringify(undo)),
        keyGeneration: 1,
        keyUsedAt: null,
        keySpent: false,
        refusal: null,
        endedAt: null,
      });
    }
  }

  /** True where nothing was ever sent, so that "not applied" is certain; otherwise it goes on until the provider answers. */
  private async giveUp(job: ClaimedJob): Promise<boolean> {
    const steps = await this.stepsOf(job.updateId);
    if (steps.some(({ wasSent }) => wasSent)) return false;
    return this.change(job.updateId, async (change, update, seal) => {
      if (update.state !== 'APPLYING') return false;
      await job.renewLease(change);
      await this.dropPending(change, update.id);
      await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: 'PROVIDER_UNREACHABLE' });
      return true;
    });
  }

  private recordStep(
    change: AnyChange,
    update: CredentialUpdate,
    seal: CustomerSeal,
    { ordinal, phase, action, state, keyGeneration, refusal }: CredentialStep,
  ): void {
    const detail = { step: ordinal, phase, action, state, key: keyGeneration, ...(refusal === null ? {} : { refusal }) };
    change.record('credential.step', { ...factsOf(update, seal), detail });
  }

  private async dropPending(change: AnyChange, updateId: string): Promise<void> {
    await this.drop(change, updateId, isPendingRow);
  }

  private async drop(change: AnyChange, updateId: string, which: Sql): Promise<void> {
    await change.update(credentialSteps, { state: 'DROPPED' }, sql`${steps.updateId} = ${updateId} AND ${which}`);
  }

  private async hasMore(change: AnyChange, updateId: string): Promise<boolean> {
    const [left] = await change.read(stepCounts, sql`WHERE ${steps.updateId} = ${updateId} AND ${isPendingRow}`);
    return (left?.n ?? 0) > 0;
  }

  private async stepsOf(updateId: string): Promise<readonly OpenedStep[]> {
    const rows = await this.database.read(stepRows, sql`WHERE ${steps.updateId} = ${updateId} ORDER BY ${steps.ordinal}`);
    return rows.map((row) => ({
      id: row.id,
      ordinal: row.ordinal,
      phase: row.phase,
      state: row.state,
      step: JSON.parse(this.keys.open(credentialSteps, row, 'step') ?? 'null') as ProviderStep,
      wasSent: row.keyUsedAt !== null || row.keyGeneration > 1,
      key: `${updateId}/${row.ordinal}/${row.keyGeneration}`,
    }));
  }

  private async readSetup(provider: CredentialChanges, reference: string): Promise<SetupReport | null> {
    try {
      return await provider.readSetup(reference);
    } catch (error) {
      if (error instanceof ProviderRefused) return null;
      throw error;
    }
  }

  private sideOf(update: CredentialUpdate): Promise<ProviderSide | null> {
    return providerSideOf(this.database, this.keys, this.sources, update);
  }

  /** The update as it is committed now. */
  private read(id: string): Promise<CredentialUpdate> {
    return this.change(id, async (_, update) => update);
  }

  private change<T>(updateId: string, work: Work<T>): Promise<T> {
    return this.database.change(this.actor, credentialActions.apply, async (change) => {
      const update = await change.lock(CredentialUpdate, { id: updateId });
      change.permit(null);
      return work(change, update, await CustomerSeal.of(change, this.keys, update.customerId));
    });
  }
}
