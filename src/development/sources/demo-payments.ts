import { ProgrammingError } from '../../failure';
import type { WebhookJudgement } from '../../upstream/helpdesk/helpdesk.port';
import type {
  AuthenticationReport,
  PaymentChanges,
  PaymentCustomerRecord,
  PaymentCustomerSearch,
  PaymentCustomerSnapshot,
  PaymentMethodRecord,
  PaymentsConnector,
  TransactionRecord,
} from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { ChangeLog, type Clock, wallClock } from '../merchant/change-log';
import { positionIn, writeDemoCursor } from '../merchant/cursor';
import { nothingKnown } from '../merchant/history';
import { DemoMerchant, type DemoOptions, helpdeskNameOf, helpdeskNumberOf } from '../merchant/merchant';
import { plainMoney } from '../merchant/money';
import { DemoCredentials } from './demo-credentials';
import { DemoHolds } from './demo-holds';
import { DemoState } from './demo-state';

export interface DemoPaymentsOptions extends DemoOptions {
  /** Name of the configured source. */
  readonly source: string;
  /** Name of the source whose customers the metadata of these payment customers names. */
  readonly helpdeskSource: string;
  readonly clock?: Clock;
  /** Where changed methods outlive a restart; without it they live in memory only. */
  readonly stateFile?: string;
  /** Address of the page on which a card is entered, of a setup's reference. */
  readonly setupUrl?: (reference: string) => string;
}

/** What a new transaction needs; the rest follows from the customer or is empty. */
export type NewTransaction = Pick<TransactionRecord, 'amount' | 'status'> &
  Partial<Omit<TransactionRecord, 'reference' | 'createdAt'>>;

/**
 * The demo merchant's payment provider. Customers name their helpdesk customer as `<helpdeskSource>:<reference>`
 * (`helpdeskNameOf`). What is changed here is seen by `changes` and `fetchCustomer` at once; methods outlive a restart
 * where a state file is named, added transactions live in memory.
 */
export class DemoPayments implements PaymentsConnector {
  readonly kind = 'demo';
  readonly merchant: DemoMerchant;
  private readonly source: string;
  private readonly helpdeskSource: string;
  private readonly clock: Clock;
  readonly credentials: DemoCredentials;
  readonly holds: DemoHolds;
  private readonly log: ChangeLog;
  private readonly state: DemoState;
  private readonly added = new Map<string, readonly TransactionRecord[]>();
  private readonly changed = new Map<string, Partial<TransactionRecord>>();
  private readonly authentications = new Map<string, AuthenticationReport>();
  private isDown = false;

  /** Throws `DemoStateBroken`. */
  constructor(options: DemoPaymentsOptions) {
    this.merchant = new DemoMerchant(options);
    this.source = options.source;
    this.helpdeskSource = options.helpdeskSource;
    this.clock = options.clock ?? wallClock;
    this.log = new ChangeLog(this.clock);
    const { merchant, log, clock, source } = this;
    this.state = new DemoState({ merchant, log, clock, source, file: options.stateFile ?? null });
    this.credentials = new DemoCredentials({
      source,
      clock,
      state: this.state,
      setupUrl: options.setupUrl ?? ((reference) => `https://provider.invalid/setup/${reference}`),
      reach: () => this.reach(),
    });
    this.holds = new DemoHolds({
      clock,
      state: this.state,
      transaction: (customer, reference) => this.transactionOf(customer, reference),
      reach: () => this.reach(),
    });
  }

  async readAuthentication(reference: string): Promise<AuthenticationReport | null> {
    this.reach();
    const told = this.authentications.get(reference);
    const [, number] = /^ch_demo_(\d{6,})_\d+$/.exec(reference) ?? [];
    if (told || number === undefined) return told ?? null;
    const customer = `cus_demo_${number}`;
    const payment = this.transactionOf(customer, reference);
    if (payment === null) return null;
    const { createdAt: at, deviceFingerprint } = payment;
    return { id: reference, customer, at, flow: null, result: 'NONE', isOffSession: false, isWallet: false, deviceFingerprint };
  }

  async findCustomers(search: PaymentCustomerSearch): Promise<readonly PaymentCustomerRecord[]> {
    this.reach();
    const prefix = helpdeskNameOf(this.helpdeskSource, '');
    const candidates = new Set<number>();
    if (search.helpdeskReference.startsWith(prefix)) {
      const named = helpdeskNumberOf(search.helpdeskReference.slice(prefix.length));
      if (this.merchant.hasCustomer(named)) candidates.add(named);
    }
    const byEmail = new Set(search.email === null ? [] : this.merchant.paymentCustomersByEmail(search.email));
    return [...new Set([...candidates, ...byEmail])]
      .map((number) => ({ number, record: this.merchant.paymentCustomer(number, this.helpdeskSource) }))
      .filter(({ number, record }) => record.helpdeskReference === search.helpdeskReference || byEmail.has(number))
      .map(({ record }) => record);
  }

  async fetchCustomer(reference: string, since: Date): Promise<PaymentCustomerSnapshot | null> {
    const asOf = this.clock.now();
    this.reach();
    const number = this.merchant.paymentCustomerNumber(reference);
    if (number === 0) return null;
    const methods = this.state.now.accounts.get(reference)?.methods ?? this.merchant.methods(number);
    const transactions = this.transactions(reference, number);
    return {
      customer: this.merchant.paymentCustomer(number, this.helpdeskSource),
      methods,
      transactions: transactions.filter((transaction) => transaction.createdAt >= since),
      asOf,
    };
  }

  /** One complete batch. Throws `SourceUnavailable` (malformed) for a cursor of another merchant; see `readDemoCursor`. */
  async *changes(cursor: string | null): AsyncIterable<PaymentChanges> {
    const seen = cursor === null ? this.log.newest : this.seenBy(cursor);
    const asOf = this.clock.now();
    this.reach();
    this.state.takeIn();
    yield {
      customers: this.log.after(seen),
      cursor: writeDemoCursor(this.merchant, { seen: Math.max(seen, this.log.newest) }),
      complete: true,
      asOf,
    };
  }

  judgeWebhook(): WebhookJudgement {
    return { outcome: 'rejected', why: 'the demo payment provider sends no webhooks' };
  }

  async ping(): Promise<void> {
    this.reach();
  }

  /** A payment attempt of now, with the customer's default method and currency unless told otherwise. */
  addTransaction(customer: string, added: NewTransaction): TransactionRecord {
    const number = this.numberOf(customer);
    const methods = this.state.account(customer)?.methods ?? [];
    const transactions = this.transactions(customer, number);
    const person = this.merchant.person(number);
    const transaction: TransactionRecord = {
      ...nothingKnown,
      paymentMethodReference: methods.find((each) => each.isDefault)?.reference ?? null,
      currency: person.currency,
      country: person.country,
      ...plainMoney(added.status, added.amount, this.clock.now()),
      ...added,
      reference: `ch_demo_${String(number).padStart(6, '0')}_${String(transactions.length + 1).padStart(3, '0')}`,
      createdAt: this.clock.now(),
    };
    const { paymentMethodReference: used } = transaction;
    if (used !== null && !methods.some((each) => each.reference === used)) {
      throw new ProgrammingError('no such method of this customer of the demo provider');
    }
    this.added.set(customer, [...(this.added.get(customer) ?? []), transaction]);
    this.log.note(customer);
    return transaction;
  }

  /** What becomes of a payment; in memory, as what is added. */
  changeTransaction(
    customer: string,
    reference: string,
    changes: Partial<Omit<TransactionRecord, 'reference'>>,
  ): TransactionRecord {
    if (this.transactionOf(customer, reference) === null)
      throw new ProgrammingError('no such payment of this customer of the demo provider');
    this.changed.set(reference, { ...this.changed.get(reference), ...changes });
    this.log.note(customer);
    return this.transactionOf(customer, reference) as TransactionRecord;
  }

  /** The customer was asked by their card's issuer; by default they completed a challenge just now. Under a payment's reference, or one of its own. */
  addAuthentication(reference: string, report: Partial<AuthenticationReport> & Pick<AuthenticationReport, 'customer'>): void {
    this.authentications.set(reference, {
      id: reference,
      at: this.clock.now(),
      flow: 'CHALLENGE',
      result: 'AUTHENTICATED',
      isOffSession: false,
      isWallet: false,
      deviceFingerprint: null,
      ...report,
    });
  }

  /** Changes a stored method; one that becomes the default takes that from the others. */
  changeMethod(customer: string, method: string, changes: Partial<Omit<PaymentMethodRecord, 'reference'>>): PaymentMethodRecord {
    this.numberOf(customer);
    return this.state.change((draft) => {
      const account = draft.account(customer);
      const current = account?.methods.find((each) => each.reference === method);
      if (!account || !current) throw new ProgrammingError('no such method of this customer of the demo provider');
      if (changes.isDefault === true) for (const each of account.methods) each.isDefault = false;
      Object.assign(current, changes);
      draft.put(customer, account);
      return current;
    });
  }

  /** From now on every call fails, as when the provider can't be reached. */
  goDown(): void {
    this.isDown = true;
  }

  comeBack(): void {
    this.isDown = false;
  }

  get isReachable(): boolean {
    return !this.isDown;
  }

  private transactions(customer: string, number: number): readonly TransactionRecord[] {
    const all = [...this.merchant.transactionsOf(number), ...(this.added.get(customer) ?? [])];
    return this.changed.size === 0 ? all : all.map((each) => ({ ...each, ...this.changed.get(each.reference) }));
  }

  private transactionOf(customer: string, reference: string): TransactionRecord | null {
    const number = this.merchant.paymentCustomerNumber(customer);
    return number === 0 ? null : (this.transactions(customer, number).find((each) => each.reference === reference) ?? null);
  }

  private numberOf(customer: string): number {
    const number = this.merchant.paymentCustomerNumber(customer);
    if (number === 0) throw new ProgrammingError('no such customer of the demo provider');
    return number;
  }

  private seenBy(cursor: string): number {
    const position = positionIn(this.merchant, cursor);
    if (position === null) throw new SourceUnavailable(this.source, 'malformed');
    return position.seen;
  }

  private reach(): void {
    if (this.isDown) throw new SourceUnavailable(this.source, 'refused');
  }
}
