import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import { isPending } from '../../../background/effect';
import type { JobResult } from '../../../background/outbox';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import type { AddressRecord, MethodState, ProviderStep } from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import { customer, linkRows } from '../../customers/customers.rows';
import type { Keys } from '../../keys/keys.service';
import { SealedChanges, type SealedWork } from '../../keys/sealed-changes';
import type { Sources } from '../../sources/sources.service';
import { CredentialUpdate, credentialUpdates } from '../credential-update.entity';
import { end, factsOf } from '../credential-update.moves';
import { type FailureReason, isTerminal } from '../credential-update.states';
import type { CustomerSigns } from '../customer-signs';
import type { ClaimedJob, JobHandler } from '../jobs.service';
import { isStill, methodSummarySchema, summaryOfRow } from '../method-summary';
import { type ProviderSide, providerSideOf } from '../provider-side';
import { ProviderCalls } from './provider-calls';
import { type PlannedStep, planSteps } from './provider-steps';
import { Steps } from './steps';

/** A card that is saved more often than this is cleared up at the provider. */
const mostCopies = 20;

export interface ApplyingParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Sources;
  readonly policy: UpdatePolicy;
  readonly signs: CustomerSigns;
}

/**
 * Brings confirmed updates about at the provider: asks once more whether it may be done, plans the calls and has them made
 * one after the other. Whatever crashes, each call has its effect once, or the state says that it isn't known.
 */
export class Applying {
  private readonly changes: SealedChanges<CredentialUpdate>;
  private readonly steps: Steps;
  private readonly calls: ProviderCalls;

  constructor(private readonly parts: ApplyingParts) {
    this.changes = new SealedChanges(parts.database, parts.keys, 'worker', CredentialUpdate);
    this.steps = new Steps(parts.database, parts.keys);
    this.calls = new ProviderCalls(this.changes, this.steps);
  }

  readonly provider: JobHandler = {
    // With doubling pauses a bit more than four hours.
    mostTries: 14,
    run: (job) => this.work(job),
    giveUp: (job) => this.giveUp(job),
  };

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
    let steps = await this.steps.of(update.id);
    if (isApplying && steps.every(({ wasSent }) => !wasSent)) {
      // Nothing was sent: whatever was true when it was confirmed must be true still.
      if (!(await this.prepare(job, update, steps.length > 0))) return 'done';
      steps = await this.steps.of(update.id);
    }
    if (!isApplying && steps.every(({ phase }) => phase !== 'UNDO')) {
      await this.planDiscard(job, update.id);
      steps = await this.steps.of(update.id);
    }
    const side = await this.sideOf(update);
    for (let step = steps.find(isPending); step; step = (await this.steps.of(update.id)).find(isPending)) {
      if (!side) throw new SourceUnavailable(update.source, 'malformed');
      const fault = await this.calls.advance(job, side.provider, step);
      if (fault !== null) return { fault };
    }
    // What agents see shall be what holds now; where the provider is slow, the next poll brings it.
    await this.parts.sources.confirmLink(update.customerId).catch((error: unknown) => {
      if (!(error instanceof SourceUnavailable)) throw error;
    });
    return 'done';
  }

  /** What was to be sent, and what was, went with the customer's key: nobody can ask any more what came of it. */
  private endErased(job: ClaimedJob): Promise<void> {
    return this.change(job.updateId, async (change, update, seal) => {
      if (isTerminal(update.state)) return;
      await job.renewLease(change);
      await this.steps.dropPending(change, update.id);
      await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: 'CUSTOMER_ERASED' });
    });
  }

  /**
   * Asks again whether it may be applied and, the first time, plans the calls. False where the update ended instead. Throws
   * `SourceUnavailable`.
   */
  private async prepare(job: ClaimedJob, update: CredentialUpdate, isPlanned: boolean): Promise<boolean> {
    await this.parts.sources.confirmLink(update.customerId);
    const { planned, refusal } = await this.wantedSteps(update);
    return this.change(update.id, async (change, locked, seal) => {
      if (locked.state !== 'APPLYING') return locked.state === 'UNKNOWN';
      await job.renewLease(change);
      const reason = refusal ?? ((await this.isHeldSince(change, locked)) ? 'ON_HOLD' : null);
      if (reason !== null) {
        await this.steps.dropPending(change, locked.id);
        await end(change, seal, locked, 'credential.apply', { to: 'FAILED', reason });
        return false;
      }
      if (isPlanned) return true;
      await this.steps.plan(change, seal, locked, 'APPLY', planned);
      if (planned.length > 0) {
        const actions = planned.map(({ step }) => step.action);
        change.record('credential.plan', { ...factsOf(locked, seal), detail: { steps: actions } });
        return true;
      }
      // It holds already, by whoever's doing: there is nothing to be done twice.
      await end(change, seal, locked, 'credential.apply', { to: 'APPLIED', detail: { calls: 0 } });
      return false;
    });
  }

  /** A hold stands that nobody who approved it knew of. */
  private async isHeldSince(change: Change, update: CredentialUpdate): Promise<boolean> {
    const heldSince = await this.parts.signs.heldSince(change, update);
    return heldSince !== null && (update.decidedAt === null || update.decidedAt < heldSince);
  }

  /** The calls that bring it about as the provider has the method now, or why it isn't done. Throws `SourceUnavailable`. */
  private async wantedSteps(
    update: CredentialUpdate,
  ): Promise<{ readonly planned: readonly PlannedStep[]; readonly refusal: FailureReason | null }> {
    const refused = (refusal: FailureReason) => ({ planned: [], refusal });
    if (this.parts.policy.kinds[update.kind] === undefined) return refused('NOT_OFFERED');
    const [linked] = await this.parts.database.read(linkRows, sql`WHERE ${customer.id} = ${update.customerId}`);
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
    const now = summaryOfRow(side.method.row, this.parts.keys);
    const regards = {
      address: update.kind === 'BILLING_ADDRESS',
      default: update.kind === 'SET_DEFAULT' || update.kind === 'REMOVE',
    };
    if (!isStill(methodSummarySchema.parse(JSON.parse(texts.before)), now, regards)) return refused('CHANGED_MEANWHILE');
    const current = await side.provider.readMethod(side.customer, side.method.reference);
    if (!current) return refused('METHOD_GONE');
    const copies = await this.copiesAsTheyAre(update, side, texts.newMethod);
    if (copies === null) return refused('REFUSED');
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
      current,
      copies,
      replacement,
      address: texts.address === null ? null : (JSON.parse(texts.address) as AddressRecord),
    });
    return typeof steps === 'string' ? refused(steps) : { planned: steps, refusal: null };
  }

  /** The same card or account, wherever else it is saved; null where that is too often to be changed in one go. Throws `SourceUnavailable`. */
  private async copiesAsTheyAre(
    { kind }: CredentialUpdate,
    { provider, customer, method }: ProviderSide,
    newMethod: string | null,
  ): Promise<readonly MethodState[] | null> {
    const copies = kind === 'SET_DEFAULT' ? [] : (method?.copies ?? []).filter((each) => each !== newMethod);
    if (copies.length > mostCopies) return null;
    const states: MethodState[] = [];
    for (const copy of copies) {
      const state = await provider.readMethod(customer, copy);
      if (state !== null) states.push(state);
    }
    return states;
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
      await this.steps.plan(change, seal, update, 'UNDO', [{ step: detach, undo: null }]);
      change.record('credential.plan', { ...factsOf(update, seal), detail: { steps: ['DETACH'] } });
    });
  }

  /** True where nothing was ever sent, so that "not applied" is certain; otherwise it goes on until the provider answers. */
  private async giveUp(job: ClaimedJob): Promise<boolean> {
    const steps = await this.steps.of(job.updateId);
    if (steps.some(({ wasSent }) => wasSent)) return false;
    return this.change(job.updateId, async (change, update, seal) => {
      if (update.state !== 'APPLYING') return false;
      await job.renewLease(change);
      await this.steps.dropPending(change, update.id);
      await end(change, seal, update, 'credential.apply', { to: 'FAILED', reason: 'PROVIDER_UNREACHABLE' });
      return true;
    });
  }

  private sideOf(update: CredentialUpdate): Promise<ProviderSide | null> {
    return providerSideOf(this.parts.database, this.parts.keys, this.parts.sources, update);
  }

  /** The update as it is committed now. */
  private read(id: string): Promise<CredentialUpdate> {
    return this.change(id, async (_, update) => update);
  }

  private change<T>(updateId: string, work: SealedWork<CredentialUpdate, T>): Promise<T> {
    return this.changes.make('credential.apply', updateId, work);
  }
}
