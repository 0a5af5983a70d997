import { canonicalize } from '../../../audit/canonical';
import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import type { VerificationMethodName } from '../../../authz/policy/verification';
import type { Database } from '../../../db/database';
import { Failure } from '../../../failure';
import { ulid } from '../../../ulid';
import type { DeliveryChannels } from '../../../upstream/delivery/delivery.port';
import { ProviderRefused, type Setup } from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import type { Keys } from '../../keys/keys.service';
import type { Sources } from '../../sources/sources.service';
import { credentialConfirmations, credentialUpdates } from '../credential-update.entity';
import { end, factsOf, move } from '../credential-update.moves';
import { credentialActions } from '../credentials.policy';
import { type CredentialJobs, enqueue } from '../jobs.service';
import { describeMethod, describePlace, type MethodSummary } from '../method-summary';
import { providerSideOf } from '../provider-side';
import { setupLifetime } from '../setup-page';
import { again, dead } from './answers';
import { Codes } from './codes';
import {
  type ConfirmationAnswer,
  type ConfirmationDesk,
  type ConfirmationInput,
  type ConfirmationView,
  type NewAddress,
  needsAgreement,
} from './confirmation.view';
import { type Answering, type Asked, Links } from './links';
import { problemsOf, trimmed } from './new-address';

const hour = 3_600_000;
/** When the provider is first asked whether the card was entered. */
const firstLookAtSetup = 5_000;

export interface ConfirmationParts {
  readonly database: Database;
  readonly keys: Keys;
  readonly sources: Sources;
  readonly delivery: DeliveryChannels;
  readonly policy: UpdatePolicy;
  /** The merchant's name as customers know it. */
  readonly merchant: string;
  readonly publicUrl: () => string;
  readonly jobs: CredentialJobs;
  readonly clock: () => Date;
}

/** What a customer did, as it is kept. */
interface CustomerAct {
  readonly outcome: 'CONFIRMED' | 'REFUSED';
  readonly proofs: readonly VerificationMethodName[];
  readonly address: NewAddress | null;
  readonly setup: Setup | null;
}

/** The customer's side of an update. A token opens it for as long as it can be answered, and for nothing else. */
export class Confirmations implements ConfirmationDesk {
  private readonly links: Links;
  private readonly codes: Codes;

  constructor(private readonly parts: ConfirmationParts) {
    const { database, keys, policy, merchant, delivery } = parts;
    this.links = new Links(database, keys, policy, merchant);
    this.codes = new Codes(keys, this.links, delivery, merchant);
  }

  async view(token: string): Promise<ConfirmationView | null> {
    return (await this.asked(token))?.view ?? null;
  }

  async sendCode(token: string): Promise<ConfirmationAnswer> {
    const sent = await this.codes.send(token);
    if ('outcome' in sent) return sent;
    const view = await this.view(token);
    return view ? again(view, sent) : dead;
  }

  async confirm(token: string, input: ConfirmationInput): Promise<ConfirmationAnswer> {
    const asked = await this.asked(token);
    if (!asked) return dead;
    if (asked.view.stage === 'AT_PROVIDER') return this.goOn(token, asked, input);
    const isAddress = asked.row.kind === 'BILLING_ADDRESS';
    const address = isAddress && input.address ? trimmed(input.address) : null;
    const problems = isAddress ? problemsOf(address) : [];
    if (problems.length > 0) return again(asked.view, problems);
    let setup: Setup | null = null;
    if (asked.row.kind === 'REPLACE_CARD') {
      const prepared = await this.prepareSetup(token, input);
      if ('outcome' in prepared) return prepared;
      setup = prepared;
    }
    const answer = await this.links.answer(token, credentialActions.confirm, async (answering) => {
      const refused = await this.judge(answering, input);
      return refused ?? this.confirmed(answering, address, setup);
    });
    this.parts.jobs.wake();
    return answer;
  }

  /** Needs no agreement about what was shown: whoever says no to anything says no. */
  async refuse(token: string, shown: string): Promise<ConfirmationAnswer> {
    const answer = await this.links.answer(token, credentialActions.refuse, async (answering) => {
      const { change, update, seal } = answering;
      const { view } = answering.asked;
      await this.keep(answering, { outcome: 'REFUSED', proofs: [], address: null, setup: null });
      await end(change, seal, update, 'credential.refuse', {
        to: 'REFUSED',
        detail: { channel: 'MAIL', as_shown: shown === view.shown },
      });
      return { outcome: 'refused' as const, view };
    });
    this.parts.jobs.wake();
    return answer;
  }

  /**
   * Back to the provider's page, for whoever left it. Where the yes took a code, so does this: who reads the mailbox and
   * waits for that yes would enter a card of their own.
   */
  private async goOn(token: string, { view }: Asked, input: ConfirmationInput): Promise<ConfirmationAnswer> {
    if (view.code === null) return { outcome: 'continue', view };
    return this.links.answer(
      token,
      credentialActions.confirm,
      async (answering) => {
        const refused = await this.judge(answering, input);
        const { view, setup } = answering.asked;
        return refused ?? { outcome: 'continue', view: { ...view, continueAt: setup?.url ?? null } };
      },
      ['AT_PROVIDER'],
    );
  }

  /** What the token leads to, as committed. */
  private asked(token: string): Promise<Asked | null> {
    return this.links.follow(this.parts.database, token, this.parts.clock());
  }

  /** Whether the customer decides on what they were shown and, where asked for, has the code. Null where all is well. */
  private async judge(
    answering: Answering,
    input: Pick<ConfirmationInput, 'shown' | 'code' | 'agreed'>,
  ): Promise<ConfirmationAnswer | null> {
    const { view } = answering.asked;
    if (input.shown !== view.shown)
      return again(view, [[null, 'What is asked has changed since this page was made. Read it again before you answer.']]);
    if (needsAgreement(view) && input.agreed !== true)
      return again(view, [['agreed', 'Tick the box if you asked for this yourself; otherwise say no.']]);
    return this.codes.judge(answering, input.code);
  }

  /** The provider's page for the new card: what it is asked for is written down first, so that asking again asks for the same. */
  private async prepareSetup(token: string, input: ConfirmationInput): Promise<Setup | ConfirmationAnswer> {
    const prepared = await this.links.answer(token, credentialActions.confirm, async (answering) => {
      const refused = await this.judge(answering, input);
      if (refused) return { answer: refused };
      const { change, update, seal } = answering;
      if (update.setupExpiresAt === null || update.setupExpiresAt <= change.at) {
        update.setupExpiresAt = new Date(change.at.getTime() + setupLifetime);
        await change.save(update);
        change.record('credential.setup-asked', {
          ...factsOf(update, seal),
          detail: { until: update.setupExpiresAt.toISOString() },
        });
      }
      return { update, expiresAt: update.setupExpiresAt };
    });
    if ('outcome' in prepared) return prepared;
    if ('answer' in prepared) return prepared.answer;
    const { update, expiresAt } = prepared;
    const { database, keys, sources, publicUrl } = this.parts;
    const side = await providerSideOf(database, keys, sources, update);
    try {
      if (!side) throw new ProviderRefused(update.source, 'CUSTOMER_GONE');
      return await side.provider.openSetup({
        customer: side.customer,
        idempotencyKey: `${update.id}/setup/${expiresAt.getTime()}`,
        returnUrl: `${publicUrl()}/confirm/returned`,
        cancelUrl: `${publicUrl()}/confirm/cancelled`,
        expiresAt,
        threeDSecure: update.needsThreeDSecure,
      });
    } catch (error) {
      if (error instanceof SourceUnavailable)
        throw new Failure('UPSTREAM_UNAVAILABLE', 'The payment provider does not answer just now.', {
          remedy: 'Nothing was changed. Open the link again in a few minutes.',
          retryAfter: 60,
        });
      if (!(error instanceof ProviderRefused)) throw error;
      const { why } = error;
      return this.links.answer(token, credentialActions.confirm, async ({ change, update: locked, seal }) => {
        await end(change, seal, locked, 'credential.setup-refused', { to: 'FAILED', reason: why });
        return dead;
      });
    }
  }

  /** The customer's yes, with what they entered. */
  private async confirmed(answering: Answering, address: NewAddress | null, setup: Setup | null): Promise<ConfirmationAnswer> {
    const { change, update, seal } = answering;
    const { view, before } = answering.asked;
    const proofs: VerificationMethodName[] = ['link', ...(update.needsCode ? (['code'] as const) : [])];
    const shownDigest = await this.keep(answering, { outcome: 'CONFIRMED', proofs, address, setup });
    const after: MethodSummary | null =
      update.kind === 'SET_DEFAULT'
        ? { ...before, isDefault: true }
        : address
          ? { ...before, billingAddress: { ...address, line2: address.line2 || null, state: address.state || null } }
          : null;
    if (after) update.afterSealed = seal.seal(credentialUpdates, update.id, 'after', JSON.stringify(after));
    if (address) update.addressSealed = seal.seal(credentialUpdates, update.id, 'address', JSON.stringify(after?.billingAddress));
    const to = setup ? 'AWAITING_PROVIDER' : update.needsApproval ? 'AWAITING_APPROVAL' : 'APPLYING';
    if (setup) {
      update.setupSealed = seal.seal(credentialUpdates, update.id, 'setup', JSON.stringify(setup));
      update.expiresAt = update.setupExpiresAt as Date;
      await enqueue(change, update.id, 'SETUP', new Date(change.at.getTime() + firstLookAtSetup));
    } else if (update.needsApproval) {
      update.expiresAt = new Date(change.at.getTime() + this.parts.policy.approvalHours * hour);
    } else {
      await enqueue(change, update.id, 'PROVIDER');
    }
    await move(change, seal, update, 'credential.confirm', {
      to,
      notes: {
        before: view.before,
        after: after ? (address ? `billing address in ${describePlace(address)}` : describeMethod(after)) : view.after,
      },
      detail: { channel: 'MAIL', proofs: [...proofs], shown: shownDigest },
    });
    if (setup) return { outcome: 'continue', view: { ...view, stage: 'AT_PROVIDER', continueAt: setup.url } };
    return { outcome: 'confirmed', view, waitsForApproval: update.needsApproval };
  }

  /** The customer's act, with the digest of what they were shown and what they entered. Returns that digest. */
  private async keep(
    { change, update, asked, seal }: Answering,
    { outcome, proofs, address, setup }: CustomerAct,
  ): Promise<string> {
    const { kind, merchant, ticket, askedBy, reason, before, after } = asked.view;
    const text = canonicalize({
      shown: { kind, merchant, ticket, askedBy, reason, before, after },
      entered: address ? { ...address } : null,
    });
    const id = `cnf_${ulid(change.at.getTime())}`;
    const shownDigest = seal.digest(text);
    await change.insert(credentialConfirmations, {
      id,
      updateId: update.id,
      outcome,
      channel: 'MAIL',
      proofs,
      shownDigest,
      keyId: update.keyId,
      shownSealed: seal.seal(credentialConfirmations, id, 'shown', text),
      setupDigest: setup ? this.parts.keys.searchDigest('credential-setup', setup.reference) : null,
      at: change.at,
    });
    return shownDigest;
  }
}
