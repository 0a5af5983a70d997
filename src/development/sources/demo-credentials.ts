import { randomBytes } from 'node:crypto';
import { ProgrammingError } from '../../failure';
import type {
  AddressRecord,
  CredentialChanges,
  MethodState,
  PaymentMethodRecord,
  ProviderRefusal,
  ProviderStep,
  Setup,
  SetupReport,
  SetupRequest,
  StepOutcome,
} from '../../upstream/payments/payments.port';
import { ProviderRefused } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Clock } from '../merchant/change-log';
import { DemoCalls, digestOf } from './demo-calls';
import { type DemoFault, DemoFaults, type FaultTarget } from './demo-faults';
import type { DemoAccount, DemoCall, DemoExecution, DemoSetup, DemoState, Draft } from './demo-state';
import { type SetupCardName, setupCards } from './setup-cards';

export interface DemoCredentialsOptions {
  readonly source: string;
  readonly state: DemoState;
  readonly clock: Clock;
  /** Where the provider shows the card page of a setup. */
  readonly setupUrl: (reference: string) => string;
  /** Throws `SourceUnavailable` while the provider can't be reached. */
  readonly reach: () => void;
}

/** What the provider's card page needs to know of a setup. */
export interface SetupPage extends Pick<DemoSetup, 'returnUrl' | 'cancelUrl' | 'threeDSecure'> {
  readonly status: SetupReport['status'];
}

/** What became of a card that was chosen on the page. `ask`: the issuer wants to hear from the holder first. Only `complete` ends the setup. */
export type CardEntry = 'complete' | 'declined' | 'ask' | 'not-authenticated' | 'ended';

const noAddress: AddressRecord = { line1: null, line2: null, city: null, state: null, postalCode: null, country: null };
const addressParts = ['line1', 'line2', 'city', 'state', 'postalCode', 'country'] as const;
const addressOf = ({ line1, line2, city, state, postalCode, country }: AddressRecord): AddressRecord => ({
  line1,
  line2,
  city,
  state: state ?? null,
  postalCode,
  country,
});
const isSameAddress = (a: AddressRecord | null, b: AddressRecord | null): boolean =>
  addressParts.every((part) => ((a ?? noAddress)[part] ?? null) === ((b ?? noAddress)[part] ?? null));

const usable = (account: DemoAccount | null, reference: string) =>
  account?.methods.find((each) => each.reference === reference && each.status !== 'REMOVED');

const defaultOf = (account: DemoAccount): string | null => account.methods.find((each) => each.isDefault)?.reference ?? null;

/** A subscription charges a method that it names, and the default one where it names none. */
const isCharged = (account: DemoAccount, method: string): boolean =>
  account.subscriptions.some((each) => (each.method ?? defaultOf(account)) === method);

/** Changes the account as the step says, and the cards that wait to be attached; or says why not, and changes nothing. */
const applied = (step: ProviderStep, account: DemoAccount, { contents: { cards } }: Draft): ProviderRefusal | null => {
  switch (step.action) {
    case 'ATTACH': {
      if (usable(account, step.method)) return null;
      const entered = cards.get(step.method);
      if (entered?.customer !== step.customer) return 'METHOD_GONE';
      cards.delete(step.method);
      account.methods.push({ ...entered.method });
      return null;
    }
    case 'SET_DEFAULT':
      if (step.method !== null && !usable(account, step.method)) return 'METHOD_GONE';
      for (const each of account.methods) each.isDefault = each.reference === step.method;
      return null;
    case 'SET_SUBSCRIPTION_DEFAULT': {
      const subscription = account.subscriptions.find((each) => each.reference === step.subscription);
      if (!subscription) return 'REFUSED';
      if (step.method !== null && !usable(account, step.method)) return 'METHOD_GONE';
      subscription.method = step.method;
      return null;
    }
    case 'SET_ADDRESS': {
      const method = usable(account, step.method);
      if (!method) return 'METHOD_GONE';
      if (step.address.country !== null && !/^[A-Z]{2}$/.test(step.address.country)) return 'ADDRESS_REFUSED';
      method.billingAddress = isSameAddress(step.address, noAddress) ? null : addressOf(step.address);
      return null;
    }
    case 'DETACH':
      // A card that was entered and never attached is given up this way.
      if (cards.get(step.method)?.customer === step.customer) {
        cards.delete(step.method);
        return null;
      }
      if (!usable(account, step.method)) return 'METHOD_GONE';
      if (isCharged(account, step.method)) return 'METHOD_IN_USE';
      account.methods = account.methods.filter((each) => each.reference !== step.method);
      return null;
  }
};

const referencesOf = (step: ProviderStep): Pick<DemoExecution, 'method' | 'subscription'> => ({
  method: step.method,
  subscription: step.action === 'SET_SUBSCRIPTION_DEFAULT' ? step.subscription : null,
});

/**
 * Changing methods at the demo provider, which takes idempotency keys as a provider does: what a key brought about the
 * first time, a refusal included, is answered whenever the key comes again within a day, and is not done again. A card
 * that is entered on its page is the customer's only once it was attached. Faults are switched on with `refuse`,
 * `loseAnswers` and `spoilKeys`.
 */
export class DemoCredentials implements CredentialChanges {
  private readonly faults = new DemoFaults();
  private readonly calls: DemoCalls;

  constructor(private readonly options: DemoCredentialsOptions) {
    this.calls = new DemoCalls(options.state, options.clock, this.faults);
  }

  async readMethod(customer: string, reference: string): Promise<MethodState | null> {
    this.options.reach();
    const account = this.options.state.account(customer);
    const method = usable(account, reference);
    if (!account || !method) return null;
    return { method, defaultMethod: defaultOf(account), subscriptions: account.subscriptions };
  }

  /** A key that comes with another step than before is a mistake of whoever sent it. */
  async perform(step: ProviderStep, idempotencyKey: string): Promise<StepOutcome> {
    this.options.reach();
    const execution = { action: step.action, customer: step.customer, ...referencesOf(step) };
    const done = (draft: Draft) => this.done(draft, step);
    return this.calls.perform({ asked: digestOf(step), execution, done }, idempotencyKey);
  }

  async holds(step: ProviderStep): Promise<boolean> {
    this.options.reach();
    const account = this.options.state.account(step.customer);
    switch (step.action) {
      case 'ATTACH':
        return usable(account, step.method) !== undefined;
      case 'SET_DEFAULT':
        return account !== null && defaultOf(account) === step.method;
      case 'SET_SUBSCRIPTION_DEFAULT':
        return (
          account?.subscriptions.some((each) => each.reference === step.subscription && each.method === step.method) ?? false
        );
      case 'SET_ADDRESS': {
        const method = usable(account, step.method);
        return method !== undefined && isSameAddress(method.billingAddress, step.address);
      }
      case 'DETACH':
        return usable(account, step.method) === undefined;
    }
  }

  async openSetup(request: SetupRequest): Promise<Setup> {
    const { source, setupUrl } = this.options;
    this.options.reach();
    const { idempotencyKey: key, customer, returnUrl, cancelUrl, expiresAt, threeDSecure } = request;
    const known = this.calls.known(key, digestOf(request));
    const fault = this.faults.meet('setups', known ? ['lose'] : ['lose', 'refuse']);
    const loss = new SourceUnavailable(source, 'timeout');
    if (fault?.kind === 'lose' && !fault.executed) throw loss;
    const answer =
      known ??
      this.options.state.change((draft): DemoCall['answer'] => {
        const refusal = fault?.kind === 'refuse' ? fault.why : draft.account(customer) === null ? 'CUSTOMER_GONE' : null;
        const reference = `cs_demo_${randomBytes(32).toString('base64url')}`;
        if (refusal === null) {
          draft.contents.setups.set(reference, { customer, returnUrl, cancelUrl, expiresAt, threeDSecure, entered: null });
          this.calls.executed(draft, { action: 'OPEN_SETUP', customer, method: null, subscription: null, key });
        }
        return this.calls.keep(
          draft,
          key,
          digestOf(request),
          refusal === null ? { outcome: 'opened', setup: reference } : { outcome: 'refused', why: refusal },
        );
      });
    if (fault?.kind === 'lose') throw loss;
    if (answer.outcome === 'refused') throw new ProviderRefused(source, answer.why);
    if (answer.outcome !== 'opened') throw new ProgrammingError('this key stands for a step');
    return { reference: answer.setup, url: setupUrl(answer.setup) };
  }

  async readSetup(reference: string): Promise<SetupReport> {
    this.options.reach();
    const setup = this.options.state.now.setups.get(reference);
    if (!setup) throw new ProviderRefused(this.options.source, 'REFUSED');
    return {
      status: this.statusOf(setup),
      method: setup.entered?.method ?? null,
      authenticated: setup.entered?.authenticated ?? false,
    };
  }

  /** Null where there is no such setup. Throws `SourceUnavailable`. */
  setupPage(reference: string): SetupPage | null {
    this.options.reach();
    const setup = this.options.state.now.setups.get(reference);
    if (!setup) return null;
    const { returnUrl, cancelUrl, threeDSecure } = setup;
    return { status: this.statusOf(setup), returnUrl, cancelUrl, threeDSecure };
  }

  /**
   * The customer chose a card on the page of an open setup; `holder` is what they told the card's issuer, if it asked.
   * Throws `SourceUnavailable`, and `ProviderRefused` where there is no such setup.
   */
  enterCard(reference: string, name: SetupCardName, holder: 'approves' | 'refuses' | null): CardEntry {
    this.options.reach();
    return this.options.state.change((draft) => {
      const setup = draft.contents.setups.get(reference);
      if (!setup) throw new ProviderRefused(this.options.source, 'REFUSED');
      if (this.statusOf(setup) !== 'OPEN') return 'ended';
      const card = setupCards[name];
      if (card.authentication === 'challenge' && holder === null) return 'ask';
      if (card.authentication === 'challenge' && holder === 'refuses') return 'not-authenticated';
      if (!card.isAccepted) return 'declined';
      const now = this.options.clock.now();
      const method: PaymentMethodRecord = {
        reference: `pm_demo_${randomBytes(12).toString('base64url')}`,
        kind: 'CARD',
        brand: card.brand,
        last4: card.last4,
        expiryMonth: 8,
        expiryYear: now.getUTCFullYear() + 4,
        country: card.country,
        status: 'ACTIVE',
        isDefault: false,
        billingAddress: null,
        createdAt: now,
      };
      draft.contents.cards.set(method.reference, { customer: setup.customer, method });
      const authenticated = card.authentication === 'challenge' || (card.authentication === 'frictionless' && setup.threeDSecure);
      draft.contents.setups.set(reference, {
        ...setup,
        entered: { method: { ...method, country: card.country }, authenticated },
      });
      return 'complete';
    });
  }

  /** The next `times` calls are refused, and what was asked for is not done. */
  refuse(why: ProviderRefusal, times = 1, of: FaultTarget = 'steps'): void {
    this.faults.add({ kind: 'refuse', of, times, why });
  }

  /** The answers of the next `times` calls are lost, as when the connection breaks: after the call was executed, or before. */
  loseAnswers(times: number, { executed, of = 'steps' }: { readonly executed: boolean; readonly of?: FaultTarget }): void {
    this.faults.add({ kind: 'lose', of, times, executed });
  }

  /** The next `times` calls are answered by a fault that is repeated for their keys: whoever tries again needs another key. */
  spoilKeys(times: number, { executed = false }: { readonly executed?: boolean } = {}): void {
    this.faults.add({ kind: 'spoil', of: 'steps', times, executed });
  }

  clearFaults(): void {
    this.faults.clear();
  }

  get switchedOn(): readonly DemoFault[] {
    return this.faults.switchedOn;
  }

  /** The newest thousand calls that changed something here, oldest first; since the state was first kept, not since the process began. */
  get executions(): readonly DemoExecution[] {
    return this.options.state.now.executions;
  }

  private statusOf({ entered, expiresAt }: DemoSetup): SetupReport['status'] {
    if (entered !== null) return 'COMPLETE';
    return expiresAt <= this.options.clock.now() ? 'EXPIRED' : 'OPEN';
  }

  /** Does what the step says, or says why not. */
  private done(draft: Draft, step: ProviderStep): ProviderRefusal | null {
    const account = draft.account(step.customer);
    if (account === null) return 'CUSTOMER_GONE';
    const refusal = applied(step, account, draft);
    if (refusal === null) draft.put(step.customer, account);
    return refusal;
  }
}
