import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import type { JobResult } from '../../../background/outbox';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { type Redactor, withoutCardData } from '../../../privacy/redaction';
import { type CredentialChanges, ProviderRefused, type Setup, type SetupReport } from '../../../upstream/payments/payments.port';
import type { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import { SealedChanges, type SealedWork } from '../../keys/sealed-changes';
import { paymentTexts } from '../../payments/payments.ingest';
import { methodIds, method as methods } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { CredentialUpdate, credentialUpdates } from '../credential-update.entity';
import { end, factsOf, move } from '../credential-update.moves';
import { type FailureReason, isTerminal } from '../credential-update.states';
import { addSigns, type CustomerSigns } from '../customer-signs';
import { type ClaimedJob, enqueue, type JobHandler } from '../jobs.service';
import { describeMethod, methodSummarySchema, summaryOf } from '../method-summary';
import { providerSideOf } from '../provider-side';
import { setupLifetime, setupOf } from '../setup-page';
import { boundSetups, confirmation } from './applying.rows';

const hour = 3_600_000;
/** Pauses, in milliseconds, between looks at the provider's page: soon while somebody is likely at it, later a twentieth of the time that has passed. */
const shortestSetupPause = 5_000;
const longestSetupPause = 60_000;
/** How long after its end a page may still turn out to have been completed. */
const setupAftermath = hour;

/** Providers tell the time in whole seconds. */
const inWholeSeconds = (at: Date): Date => new Date(Math.floor(at.getTime() / 1_000) * 1_000);

export interface SetupParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly redactor: Redactor;
  readonly sources: Sources;
  readonly policy: UpdatePolicy;
  readonly signs: CustomerSigns;
  readonly clock: () => Date;
}

/** Follows the provider's page on which a customer enters their new card. */
export class Setups {
  private readonly changes: SealedChanges<CredentialUpdate>;

  constructor(private readonly parts: SetupParts) {
    this.changes = new SealedChanges(parts.database, parts.keys, 'worker', CredentialUpdate);
  }

  readonly setup: JobHandler = {
    mostTries: Number.POSITIVE_INFINITY,
    run: (job) => this.look(job),
    giveUp: async () => false,
  };

  /** Whether the customer has entered the new card. Goes on after the update has ended: a card that comes late is taken away again. */
  private async look(job: ClaimedJob): Promise<JobResult> {
    const { database, keys, sources, clock } = this.parts;
    const { update, setup } = await this.change(job.updateId, async (_, locked, seal) => ({
      update: locked,
      setup: setupOf(seal.open(credentialUpdates, locked, 'setup')),
    }));
    const isWaiting = update.state === 'AWAITING_PROVIDER';
    if (setup === null || update.newMethodSealed !== null || !(isWaiting || isTerminal(update.state))) return 'done';
    const side = await providerSideOf(database, keys, sources, update);
    const report = side ? await read(side.provider, setup.reference) : null;
    if (report?.status === 'COMPLETE') {
      const wouldBe = await this.parts.signs.wouldBeAgainstHistory(update);
      await this.change(job.updateId, (change, locked, seal) =>
        this.cardEntered(job, { change, update: locked, seal }, { setup, report, wouldBe }),
      );
      return 'done';
    }
    if (report?.status === 'OPEN') {
      const end = (update.setupExpiresAt?.getTime() ?? 0) + setupAftermath;
      const now = clock().getTime();
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
    { change, update, seal }: { readonly change: Change; readonly update: CredentialUpdate; readonly seal: CustomerSeal },
    { setup, report, wouldBe }: { readonly setup: Setup; readonly report: SetupReport; readonly wouldBe: boolean },
  ): Promise<void> {
    const { method, authenticated } = report;
    if (method === null || update.newMethodSealed !== null) return;
    await job.renewLease(change);
    // A card that the customer had before isn't the new one, and nothing of ours to take away when this comes to nothing.
    const [known] = await change.read(
      methodIds,
      sql`WHERE ${methods.paymentCustomerId} = ${update.paymentCustomerId}
          AND ${methods.referenceDigest} = ${this.parts.keys.searchDigest(`payment-method:${update.source}`, method.reference)}
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
    const after = { ...summaryOf(withoutCardData(method, paymentTexts, this.parts.redactor)), isDefault };
    update.afterSealed = seal.seal(credentialUpdates, update.id, 'after', JSON.stringify(after));
    const fail = (reason: FailureReason) => end(change, seal, update, 'credential.card-refused', { to: 'FAILED', reason });
    // The page that the customer's act was bound to, and no other.
    if (act?.setupDigest !== this.parts.keys.searchDigest('credential-setup', setup.reference)) return fail('SETUP_ENDED');
    if (update.needsThreeDSecure && !authenticated && act.demandId === null) return fail('NOT_AUTHENTICATED');
    update.authenticated = authenticated;
    await addSigns(change, this.parts.signs, { update, seal, wouldBe });
    if (update.needsApproval) update.expiresAt = new Date(change.at.getTime() + this.parts.policy.approvalHours * hour);
    else await enqueue(change, update.id, 'PROVIDER');
    await move(change, seal, update, 'credential.card-entered', {
      to: update.needsApproval ? 'AWAITING_APPROVAL' : 'APPLYING',
      notes: { after: describeMethod(after), country: after.country },
      detail: { authenticated },
    });
  }

  private change<T>(updateId: string, work: SealedWork<CredentialUpdate, T>): Promise<T> {
    return this.changes.make('credential.apply', updateId, work);
  }
}

/** Null where the provider has no such page. */
const read = async (provider: CredentialChanges, reference: string): Promise<SetupReport | null> => {
  try {
    return await provider.readSetup(reference);
  } catch (error) {
    if (error instanceof ProviderRefused) return null;
    throw error;
  }
};
