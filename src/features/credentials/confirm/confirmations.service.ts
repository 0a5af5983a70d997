import { canonicalize } from '../../../audit/canonical';
import type { ActionName } from '../../../audit/events';
import type { Invitation } from '../../../authz/actor';
import type { UpdatePolicy } from '../../../authz/policy/update-policy';
import type { VerificationMethodName } from '../../../authz/policy/verification';
import type { Action } from '../../../authz/rule';
import type { Database } from '../../../db/database';
import type { Reads } from '../../../db/reads';
import { sql } from '../../../db/sql';
import { Failure } from '../../../failure';
import { ulid } from '../../../ulid';
import type { DeliveryChannels } from '../../../upstream/delivery/delivery.port';
import { ProviderRefused, type Setup } from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import { Codes } from '../../invitations/codes';
import { type Dead, dead, again as notYet } from '../../invitations/invitation.view';
import { Links } from '../../invitations/links';
import { isDigestOfPhone } from '../../keys/contact-digests';
import { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import { payer, payerRows } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { CredentialUpdate, credentialConfirmations, credentialUpdates } from '../credential-update.entity';
import { end, factsOf, move } from '../credential-update.moves';
import { credentialActions } from '../credentials.policy';
import { addSigns, type CustomerSigns } from '../customer-signs';
import { type CredentialJobs, enqueue } from '../jobs.service';
import { describeMethod, describePlace, type MethodSummary } from '../method-summary';
import { providerSideOf } from '../provider-side';
import { setupLifetime } from '../setup-page';
import { type AnsweringUpdate, type Asked, askedAbout, phoneOf } from './asked';
import {
  type ConfirmationAnswer,
  type ConfirmationDesk,
  type ConfirmationField,
  type ConfirmationInput,
  type ConfirmationView,
  type NewAddress,
  needsAgreement,
} from './confirmation.view';
import { link, linkedUpdates } from './confirmations.rows';

/** Loaded where a customer enters an address: it knows every country's. */
const addresses = () => require('./new-address') as typeof import('./new-address');

const hour = 3_600_000;
/** For so long, in milliseconds, a step-up at checkout counts as an authentication of the customer by their card's issuer. */
const stepUpCounts = hour;
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
  readonly signs: CustomerSigns;
  readonly jobs: CredentialJobs;
  readonly clock: () => Date;
  /** The step-up that the payment customer met at checkout since then and that shows no less than the authentication of a card; null without one. */
  readonly satisfiedFor: (reads: Pick<Reads, 'read'>, payerId: string, since: Date) => Promise<{ readonly id: string } | null>;
}

const again = notYet<ConfirmationView, ConfirmationField>;

/** What a customer did, as it is kept. */
interface CustomerAct {
  readonly outcome: 'CONFIRMED' | 'REFUSED';
  readonly proofs: readonly VerificationMethodName[];
  readonly address: NewAddress | null;
  readonly setup: Setup | null;
  readonly demandId: string | null;
}

/** What a customer's answer is worked with, and their key. */
interface Answering extends AnsweringUpdate {
  readonly seal: CustomerSeal;
}

/** Where an update still takes codes: until its customer is through. */
const anyStage: readonly ConfirmationView['stage'][] = ['ASKED', 'AT_PROVIDER'];

/** The customer's side of an update. A token opens it for as long as it can be answered, and for nothing else. */
export class Confirmations implements ConfirmationDesk {
  private readonly links: Links<CredentialUpdate, Asked>;
  private readonly codes: Codes<CredentialUpdate, Answering>;

  constructor(private readonly parts: ConfirmationParts) {
    const { database, keys, merchant, delivery } = parts;
    this.links = new Links({
      database,
      keys,
      purpose: 'CREDENTIAL_UPDATE',
      links: { rows: linkedUpdates, tokenDigest: link.tokenDigest },
      asked: askedAbout(parts),
      subjectOf: ({ row }) => row.id,
      lock: (change, id) => change.lock(CredentialUpdate, { id }),
    });
    this.codes = new Codes({
      keys,
      channels: delivery,
      answer: (token, work) => this.answer(token, credentialActions.sendCode, work, anyStage),
      phoneOf: (answering) => this.judgedPhone(answering),
      text: (code) =>
        `${code} is your code to confirm a change of payment details at ${merchant}. Nobody of ${merchant} will ask you for it.`,
      phoneChanged: ({ change, row, seal }) =>
        end(change, seal, row, 'credential.contact-changed', { to: 'FAILED', reason: 'CONTACT_CHANGED' }),
      triesSpent: ({ change, row, seal }) =>
        end(change, seal, row, 'credential.code-tries-spent', { to: 'CANCELLED', reason: 'CODE_TRIES' }),
      recordSent: ({ change, row, seal }) =>
        change.record('credential.code', { ...factsOf(row, seal), detail: { sends: row.codeSends } }),
      recordUnsent: ({ change, row, seal }) =>
        change.record('credential.code-unsent', { ...factsOf(row, seal), detail: { sends: row.codeSends } }),
      recordFailed: ({ change, row, seal }) =>
        change.record('credential.code-failed', { ...factsOf(row, seal), detail: { tries: row.codeTries } }),
    });
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
    const address = isAddress && input.address ? addresses().trimmed(input.address) : null;
    const problems = isAddress ? addresses().problemsOf(address) : [];
    if (problems.length > 0) return again(asked.view, problems);
    let setup: Setup | null = null;
    if (asked.row.kind === 'REPLACE_CARD') {
      const prepared = await this.prepareSetup(token, input);
      if ('outcome' in prepared) return prepared;
      setup = prepared;
    }
    const wouldBe = await this.parts.signs.wouldBeAgainstHistory({ ...asked.row, paymentCustomerId: asked.row.payerId });
    const answer = await this.answer(token, credentialActions.confirm, async (answering) => {
      const refused = await this.judge(answering, input);
      return refused ?? this.confirmed(answering, { address, setup, wouldBe });
    });
    this.parts.jobs.wake();
    return answer;
  }

  /** Needs no agreement about what was shown: whoever says no to anything says no. */
  async refuse(token: string, shown: string): Promise<ConfirmationAnswer> {
    const answer = await this.answer(token, credentialActions.refuse, async (answering) => {
      const { change, row: update, seal } = answering;
      const { view } = answering.asked;
      await this.keep(answering, { outcome: 'REFUSED', proofs: [], address: null, setup: null, demandId: null });
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
    return this.answer(
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
      return again(view, [
        [
          'agreed',
          view.ticket === null
            ? 'Tick the box if you want this yourself; otherwise say no.'
            : 'Tick the box if you asked for this yourself; otherwise say no.',
        ],
      ]);
    const verdict = await this.codes.judge(answering, input.code);
    if (verdict.is === 'right') return null;
    if (verdict.is === 'dead') return dead;
    const { problem, triesLeft } = verdict;
    const told = triesLeft === null ? view : { ...view, code: view.code && { ...view.code, triesLeft } };
    return again(told, [['code', problem]]);
  }

  /** The number that was judged, where it still is what the payment side holds. */
  private async judgedPhone({ change, row: update, asked }: Answering): Promise<string | null> {
    const { keys } = this.parts;
    const phone = phoneOf(keys, asked.row);
    const [current] = await change.read(payerRows, sql`WHERE ${payer.id} = ${update.paymentCustomerId}`);
    const isIt = (digest: string | null | undefined) =>
      phone !== null && typeof digest === 'string' && isDigestOfPhone(keys, digest, phone);
    return isIt(current?.phoneDigest) && isIt(update.phoneDigest) ? phone : null;
  }

  /** A change as the customer whom the token was sent to, in one of these stages of their update; otherwise `dead`. */
  private answer<T>(
    token: string,
    action: Action<Invitation, ActionName>,
    work: (answering: Answering) => Promise<T>,
    stages: readonly ConfirmationView['stage'][] = ['ASKED'],
  ): Promise<T | Dead> {
    return this.links.answer(
      token,
      action,
      async (answering) => {
        const { change, row } = answering;
        return work({ ...answering, seal: await CustomerSeal.of(change, this.parts.keys, row.customerId) });
      },
      ({ view }) => stages.includes(view.stage),
    );
  }

  /** The provider's page for the new card: what it is asked for is written down first, so that asking again asks for the same. */
  private async prepareSetup(token: string, input: ConfirmationInput): Promise<Setup | ConfirmationAnswer> {
    const prepared = await this.answer(token, credentialActions.confirm, async (answering) => {
      const refused = await this.judge(answering, input);
      if (refused) return { answer: refused };
      const { change, row: update, seal } = answering;
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
      return this.answer(token, credentialActions.confirm, async ({ change, row: locked, seal }) => {
        await end(change, seal, locked, 'credential.setup-refused', { to: 'FAILED', reason: why });
        return dead;
      });
    }
  }

  /** The customer's yes, with what they entered. */
  private async confirmed(
    answering: Answering,
    { address, setup, wouldBe }: Pick<CustomerAct, 'address' | 'setup'> & { readonly wouldBe: boolean },
  ): Promise<ConfirmationAnswer> {
    const { change, row: update, seal } = answering;
    const { view, before } = answering.asked;
    const since = new Date(change.at.getTime() - stepUpCounts);
    const met = update.needsThreeDSecure ? await this.parts.satisfiedFor(change, update.paymentCustomerId, since) : null;
    const proofs: VerificationMethodName[] = [
      'link',
      ...(update.needsCode ? (['code'] as const) : []),
      ...(met ? (['three-d-secure'] as const) : []),
    ];
    const demandId = met?.id ?? null;
    const shownDigest = await this.keep(answering, { outcome: 'CONFIRMED', proofs, address, setup, demandId });
    const after: MethodSummary | null =
      update.kind === 'SET_DEFAULT'
        ? { ...before, isDefault: true }
        : address
          ? { ...before, billingAddress: { ...address, line2: address.line2 || null, state: address.state || null } }
          : null;
    if (after) update.afterSealed = seal.seal(credentialUpdates, update.id, 'after', JSON.stringify(after));
    if (address) update.addressSealed = seal.seal(credentialUpdates, update.id, 'address', JSON.stringify(after?.billingAddress));
    await addSigns(change, this.parts.signs, { update, seal, wouldBe });
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
      detail: { channel: 'MAIL', proofs: [...proofs], shown: shownDigest, ...(met ? { restsOn: [met.id] } : {}) },
    });
    if (setup) return { outcome: 'continue', view: { ...view, stage: 'AT_PROVIDER', continueAt: setup.url } };
    return { outcome: 'confirmed', view, waitsForApproval: update.needsApproval };
  }

  /** The customer's act, with the digest of what they were shown and what they entered. Returns that digest. */
  private async keep(
    { change, row: update, asked, seal }: Answering,
    { outcome, proofs, address, setup, demandId }: CustomerAct,
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
      demandId,
      at: change.at,
    });
    return shownDigest;
  }
}
