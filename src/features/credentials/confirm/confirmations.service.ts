import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { canonicalize } from '../../../audit/canonical';
import type { ActionName } from '../../../audit/events';
import { type CustomerActor, customerActor } from '../../../authz/actor';
import { maskValue } from '../../../authz/mask';
import type { Action } from '../../../authz/rule';
import type { UpdatePolicy } from '../../../authz/update-policy';
import type { VerificationMethodName } from '../../../authz/verification';
import type { Change } from '../../../db/change';
import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { Failure } from '../../../failure';
import { findCardData } from '../../../privacy/card-data';
import { ulid } from '../../../ulid';
import { type DeliveryChannels, DeliveryFailed } from '../../../upstream/delivery/delivery.port';
import { ProviderRefused, type Setup } from '../../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../../upstream/source-unavailable';
import type { Keys } from '../../keys/keys.service';
import { payer, payerRows } from '../../payments/payments.rows';
import type { Sources } from '../../sources/sources.service';
import { CredentialUpdate, credentialConfirmations, credentialUpdates } from '../credential-update.entity';
import { CustomerSeal, end, factsOf, move } from '../credential-update.moves';
import { type AnswerSubject, credentialActions } from '../credentials.policy';
import { type CredentialJobs, enqueue } from '../jobs.service';
import { describeMethod, describePlace, type MethodSummary, methodSummarySchema } from '../method-summary';
import { providerSideOf } from '../provider-side';
import { setupLifetime, setupOf } from '../setup-page';
import type {
  ConfirmationAnswer,
  ConfirmationDesk,
  ConfirmationField,
  ConfirmationInput,
  ConfirmationView,
  NewAddress,
} from './confirmation.view';
import { type AskedRow, askedRows, linkedUpdateIds, link as links } from './confirmations.rows';
import { countryCodes } from './country-codes';

const minute = 60_000;
const hour = 3_600_000;
const codeLifetime = 10 * minute;
const mostCodeTries = 5;
const mostCodeSends = 5;
/** When the provider is first asked whether the card was entered. */
const firstLookAtSetup = 5_000;

/** Committed rows, or those that a change sees. */
type Reader = Pick<Database, 'read'>;

interface Asked {
  readonly row: AskedRow;
  readonly view: ConfirmationView;
  readonly before: MethodSummary;
  readonly setup: Setup | null;
}

/** What becomes of the method, before the customer has entered anything. */
const outcomeOf: Readonly<Record<CredentialUpdate['kind'], string>> = {
  REPLACE_CARD: 'It is replaced by a new card, which you enter on the payment provider’s own page.',
  BILLING_ADDRESS: 'Its billing address becomes the one that you enter here.',
  SET_DEFAULT: 'Payments are taken from it from now on.',
  REMOVE: 'It is removed and can no longer be used for payments.',
};

const beforeOf = (kind: CredentialUpdate['kind'], before: MethodSummary): string =>
  kind === 'BILLING_ADDRESS'
    ? `${describeMethod(before)}, billing address in ${describePlace(before.billingAddress)}`
    : describeMethod(before);

const dead: ConfirmationAnswer = { outcome: 'dead' };

const codeStages: readonly ConfirmationView['stage'][] = ['ASKED', 'AT_PROVIDER'];

/** The customer's side of an update. A token opens it for as long as it can be answered, and for nothing else. */
export class Confirmations implements ConfirmationDesk {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly sources: Sources,
    private readonly channels: DeliveryChannels,
    private readonly policy: UpdatePolicy,
    private readonly merchant: string,
    private readonly publicUrl: () => string,
    private readonly jobs: CredentialJobs,
    private readonly clock: () => Date,
  ) {}

  async view(token: string): Promise<ConfirmationView | null> {
    const asked = await this.asked(this.database, token, this.clock());
    return asked?.view ?? null;
  }

  async sendCode(token: string): Promise<ConfirmationAnswer> {
    const made = await this.answer(
      token,
      credentialActions.sendCode,
      async (change, update, asked, seal) => {
        if (!update.needsCode) return { answer: again(asked.view, []) };
        const phone = this.phoneOf(asked.row);
        const [current] = await change.read(payerRows, sql`WHERE ${payer.id} = ${update.paymentCustomerId}`);
        // The number that was judged, or none: a code must not follow a number that somebody changed meanwhile.
        if (phone === null || current?.phoneDigest !== update.phoneDigest) {
          await end(change, seal, update, 'credential.contact-changed', { to: 'FAILED', reason: 'CONTACT_CHANGED' });
          return { answer: dead };
        }
        if (update.codeSends >= mostCodeSends)
          return { answer: again(asked.view, [[null, 'No further code can be sent. Contact us if none has reached you.']]) };
        const code = String(randomInt(1_000_000)).padStart(6, '0');
        update.codeDigest = this.codeDigest(update.id, code);
        update.codeExpiresAt = new Date(change.at.getTime() + codeLifetime);
        update.codeSends += 1;
        await change.save(update);
        change.record('credential.code', { ...factsOf(update, seal), detail: { sends: update.codeSends } });
        return { code, phone };
      },
      codeStages,
    );
    if ('outcome' in made) return made;
    if ('answer' in made) return made.answer;
    const text = `${made.code} is your code to confirm a change of payment details at ${this.merchant}. Nobody of ${this.merchant} will ask you for it.`;
    const problems: Problem[] = [];
    try {
      if (!this.channels.sms) throw new DeliveryFailed('sms', 'refused');
      await this.channels.sms.send({ to: made.phone, text });
    } catch (error) {
      if (!(error instanceof DeliveryFailed)) throw error;
      // Where it may have arrived all the same, it counts.
      if (error.why !== 'timeout' && error.why !== 'fault') await this.forgetCode(token, made.code);
      problems.push([
        null,
        error.isFinal
          ? 'The code can’t be sent to the number that we hold. Contact us to have it corrected.'
          : 'The code could not be sent just now. Try again in a minute.',
      ]);
    }
    const view = await this.view(token);
    return view ? again(view, problems) : dead;
  }

  async confirm(token: string, input: ConfirmationInput): Promise<ConfirmationAnswer> {
    const asked = await this.asked(this.database, token, this.clock());
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
    const answer = await this.answer(token, credentialActions.confirm, async (change, update, found, seal) => {
      const refused = await this.judge(change, update, found, seal, input);
      if (refused) return refused;
      return this.confirmed(change, update, found, seal, address, setup);
    });
    this.jobs.wake();
    return answer;
  }

  /** Needs no agreement about what was shown: whoever says no to anything says no. */
  async refuse(token: string, shown: string): Promise<ConfirmationAnswer> {
    const answer = await this.answer(token, credentialActions.refuse, async (change, update, { view }, seal) => {
      await this.keep(change, update, seal, 'REFUSED', view, null, [], null);
      await end(change, seal, update, 'credential.refuse', {
        to: 'REFUSED',
        detail: { channel: 'MAIL', as_shown: shown === view.shown },
      });
      return { outcome: 'refused' as const, view };
    });
    this.jobs.wake();
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
      async (change, update, found, seal) => {
        const refused = await this.judge(change, update, found, seal, input);
        return refused ?? { outcome: 'continue', view: { ...found.view, continueAt: found.setup?.url ?? null } };
      },
      ['AT_PROVIDER'],
    );
  }

  /** A code that certainly didn't leave is none, unless another one took its place meanwhile. */
  private async forgetCode(token: string, code: string): Promise<void> {
    await this.answer(
      token,
      credentialActions.sendCode,
      async (change, update, _, seal) => {
        if (update.codeDigest !== this.codeDigest(update.id, code)) return;
        update.codeDigest = null;
        await change.save(update);
        change.record('credential.code-unsent', { ...factsOf(update, seal), detail: { sends: update.codeSends } });
      },
      codeStages,
    );
  }

  /** What the token leads to, while it can be answered. One statement for every token, whatever is wrong with it. */
  private async asked(reader: Reader, token: string, now: Date): Promise<Asked | null> {
    const [row] = await reader.read(askedRows, sql`WHERE ${links.tokenDigest} = ${this.tokenDigest(token)}`);
    if (!row || row.expiresAt <= now || this.policy.kinds[row.kind] === undefined) return null;
    const isAsked = row.state === 'AWAITING_CUSTOMER' && row.linkExpiresAt > now;
    if (!isAsked && row.state !== 'AWAITING_PROVIDER') return null;
    const reason = this.keys.open(credentialUpdates, row, 'reason');
    const text = this.keys.open(credentialUpdates, row, 'before');
    const setup = setupOf(this.keys.open(credentialUpdates, row, 'setup'));
    // Erased meanwhile.
    if (reason === null || text === null) return null;
    const before = methodSummarySchema.parse(JSON.parse(text));
    const decidedOn = {
      kind: row.kind,
      merchant: this.merchant,
      ticket: row.ticketReference,
      askedBy: row.askedBy,
      reason,
      before: beforeOf(row.kind, before),
      after: outcomeOf[row.kind],
    };
    const view: ConfirmationView = {
      ...decidedOn,
      stage: isAsked ? 'ASKED' : 'AT_PROVIDER',
      expiresAt: row.expiresAt,
      code: row.needsCode
        ? {
            sentTo:
              row.codeDigest !== null ? (maskValue('phone', this.phoneOf(row), { digest: () => '' }) as string | null) : null,
            triesLeft: Math.max(0, mostCodeTries - row.codeTries),
            sendsLeft: Math.max(0, mostCodeSends - row.codeSends),
          }
        : null,
      shown: createHash('sha256').update(canonicalize(decidedOn)).digest('hex'),
      continueAt: isAsked || row.needsCode || setup === null ? null : setup.url,
    };
    return { row, view, before, setup };
  }

  /** Runs a change as the customer whom the token stands for, with the update locked and in one of the stages; otherwise `dead`. */
  private async answer<T>(
    token: string,
    action: Action<AnswerSubject, ActionName>,
    work: (change: Change, update: CredentialUpdate, asked: Asked, seal: CustomerSeal) => Promise<T>,
    stages: readonly ConfirmationView['stage'][] = ['ASKED'],
  ): Promise<T | typeof dead> {
    const [link] = await this.database.read(linkedUpdateIds, sql`WHERE ${links.tokenDigest} = ${this.tokenDigest(token)}`);
    if (!link) return dead;
    const actor: CustomerActor = customerActor(link.updateId);
    return this.database.change(actor, action, async (change, permit) => {
      const update = await change.lock(CredentialUpdate, { id: link.updateId });
      const asked = await this.asked(change, token, change.at);
      if (!asked || !stages.includes(asked.view.stage)) return dead;
      permit({ updateId: asked.row.id });
      return work(change, update, asked, await CustomerSeal.of(change, this.keys, update.customerId));
    });
  }

  /** Whether the customer decides on what they were shown and, where asked for, holds the code; a wrong one counts. Null where all is well. */
  private async judge(
    change: Change,
    update: CredentialUpdate,
    { view }: Asked,
    seal: CustomerSeal,
    input: Pick<ConfirmationInput, 'shown' | 'code'>,
  ): Promise<ConfirmationAnswer | null> {
    if (input.shown !== view.shown)
      return again(view, [[null, 'What is asked has changed since this page was made. Read it again before you answer.']]);
    if (!update.needsCode) return null;
    const code = input.code.replace(/[\s-]/g, '');
    if (update.codeDigest === null) return again(view, [['code', 'Have a code sent to you first.']]);
    if (!/^\d{6}$/.test(code)) return again(view, [['code', 'Enter the six digits of the code.']]);
    if (update.codeExpiresAt === null || update.codeExpiresAt <= change.at)
      return again(view, [['code', 'This code has expired. Have a new one sent.']]);
    const [given, expected] = [Buffer.from(this.codeDigest(update.id, code)), Buffer.from(update.codeDigest)];
    if (given.length === expected.length && timingSafeEqual(given, expected)) return null;
    update.codeTries += 1;
    change.record('credential.code-failed', { ...factsOf(update, seal), detail: { tries: update.codeTries } });
    if (update.codeTries >= mostCodeTries) {
      await end(change, seal, update, 'credential.code-tries-spent', { to: 'CANCELLED', reason: 'CODE_TRIES' });
      return dead;
    }
    await change.save(update);
    const triesLeft = mostCodeTries - update.codeTries;
    return again({ ...view, code: view.code && { ...view.code, triesLeft } }, [
      ['code', `This is not the code. ${triesLeft === 1 ? 'One try is' : `${triesLeft} tries are`} left.`],
    ]);
  }

  /** The provider's page for the new card: what it is asked for is written down first, so that asking again asks for the same. */
  private async prepareSetup(token: string, input: ConfirmationInput): Promise<Setup | ConfirmationAnswer> {
    const prepared = await this.answer(token, credentialActions.confirm, async (change, update, asked, seal) => {
      const refused = await this.judge(change, update, asked, seal, input);
      if (refused) return { answer: refused };
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
    const side = await providerSideOf(this.database, this.keys, this.sources, update);
    try {
      if (!side) throw new ProviderRefused(update.source, 'CUSTOMER_GONE');
      return await side.provider.openSetup({
        customer: side.customer,
        idempotencyKey: `${update.id}/setup/${expiresAt.getTime()}`,
        returnUrl: `${this.publicUrl()}/confirm/returned`,
        cancelUrl: `${this.publicUrl()}/confirm/cancelled`,
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
      return this.answer(token, credentialActions.confirm, async (change, locked, _, seal) => {
        await end(change, seal, locked, 'credential.setup-refused', { to: 'FAILED', reason: why });
        return dead;
      });
    }
  }

  private async confirmed(
    change: Change,
    update: CredentialUpdate,
    { view, before }: Asked,
    seal: CustomerSeal,
    address: NewAddress | null,
    setup: Setup | null,
  ): Promise<ConfirmationAnswer> {
    const proofs: VerificationMethodName[] = ['link', ...(update.needsCode ? (['code'] as const) : [])];
    const shownDigest = await this.keep(change, update, seal, 'CONFIRMED', view, address, proofs, setup);
    const after: MethodSummary | null =
      update.kind === 'SET_DEFAULT'
        ? { ...before, isDefault: true }
        : address
          ? { ...before, billingAddress: { ...address, line2: address.line2 === '' ? null : address.line2 } }
          : null;
    if (after) update.afterSealed = seal.seal(credentialUpdates, update.id, 'after', JSON.stringify(after));
    if (address) update.addressSealed = seal.seal(credentialUpdates, update.id, 'address', JSON.stringify(after?.billingAddress));
    const to = setup ? 'AWAITING_PROVIDER' : update.needsApproval ? 'AWAITING_APPROVAL' : 'APPLYING';
    if (setup) {
      update.setupSealed = seal.seal(credentialUpdates, update.id, 'setup', JSON.stringify(setup));
      update.expiresAt = update.setupExpiresAt as Date;
      await enqueue(change, update.id, 'SETUP', new Date(change.at.getTime() + firstLookAtSetup));
    } else if (update.needsApproval) {
      update.expiresAt = new Date(change.at.getTime() + this.policy.approvalHours * hour);
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
    change: Change,
    update: CredentialUpdate,
    seal: CustomerSeal,
    outcome: 'CONFIRMED' | 'REFUSED',
    { kind, merchant, ticket, askedBy, reason, before, after }: ConfirmationView,
    address: NewAddress | null,
    proofs: readonly VerificationMethodName[],
    setup: Setup | null,
  ): Promise<string> {
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
      setupDigest: setup ? this.keys.searchDigest('credential-setup', setup.reference) : null,
      at: change.at,
    });
    return shownDigest;
  }

  private phoneOf(row: AskedRow): string | null {
    const { payerId: id, payerKeyId: keyId, payerKeyWrapped: keyWrapped, payerKeyOwner: keyOwner, phoneSealed } = row;
    return this.keys.open(payer, { id, keyId, keyWrapped, keyOwner, phoneSealed }, 'phone');
  }

  private tokenDigest(token: string): string {
    return this.keys.searchDigest('credential-link', token) ?? '';
  }

  private codeDigest(updateId: string, code: string): string {
    return this.keys.searchDigest('credential-code', `${updateId} ${code}`) as string;
  }
}

type Problem = readonly [ConfirmationField | null, string];

const again = (view: ConfirmationView, problems: readonly Problem[]): ConfirmationAnswer => ({
  outcome: 'again',
  view,
  problems: problems.map(([field, message]) => ({ field, message })),
});

const trimmed = (address: NewAddress): NewAddress => {
  const clean = (text: string) => text.normalize('NFC').replace(/\s+/g, ' ').trim();
  return {
    line1: clean(address.line1),
    line2: clean(address.line2),
    city: clean(address.city),
    postalCode: clean(address.postalCode),
    country: clean(address.country).toUpperCase(),
  };
};

/** Characters that a provider's address takes, in each part. */
const longest: Readonly<Record<keyof NewAddress, number>> = { line1: 200, line2: 200, city: 100, postalCode: 20, country: 2 };
const labels: Readonly<Record<keyof NewAddress, string>> = {
  line1: 'Street and house number',
  line2: 'Further details',
  city: 'City',
  postalCode: 'Postal code',
  country: 'Country',
};

/** What is wrong with an address: never with its value, which may be anything. */
const problemsOf = (address: NewAddress | null): Problem[] => {
  if (!address) return [['line1', 'Enter the new billing address.']];
  const problems: Problem[] = [];
  for (const field of ['line1', 'line2', 'city', 'postalCode', 'country'] as const) {
    const value = address[field];
    if (value === '' && ['line1', 'city', 'country'].includes(field)) problems.push([field, `${labels[field]}: this is needed.`]);
    else if (value.length > longest[field]) problems.push([field, `${labels[field]}: at most ${longest[field]} characters.`]);
    else if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value))
      problems.push([field, `${labels[field]}: letters, digits and punctuation only.`]);
    else if (findCardData(value) !== null)
      problems.push([field, `${labels[field]}: card data doesn’t belong here. Enter the address only.`]);
    else if (field === 'country' && !countryCodes.has(value)) problems.push([field, `${labels[field]}: choose one of the list.`]);
  }
  // A card number may be spread over several fields.
  if (problems.length === 0 && findCardData(Object.values(address).join(' ')) !== null)
    problems.push(['line1', 'Card data doesn’t belong here. Enter the address only.']);
  return problems;
};
