import { ProgrammingError } from '../../../failure';
import { ChangeLog, type Clock, wallClock } from '../../demo/change-log';
import { positionIn, writeDemoCursor } from '../../demo/cursor';
import { DemoMerchant, type DemoOptions, helpdeskNameOf, helpdeskNumberOf } from '../../demo/merchant';
import type { WebhookJudgement } from '../../helpdesk/helpdesk.port';
import { SourceUnavailable } from '../../source-unavailable';
import type {
  PaymentChanges,
  PaymentCustomerRecord,
  PaymentCustomerSearch,
  PaymentCustomerSnapshot,
  PaymentMethodRecord,
  PaymentsConnector,
  TransactionRecord,
} from '../payments.port';

export interface DemoPaymentsOptions extends DemoOptions {
  /** Name of the configured source. */
  readonly source: string;
  /** Name of the source whose customers the metadata of these payment customers names. */
  readonly helpdeskSource: string;
  readonly clock?: Clock;
}

interface Held {
  readonly methods: readonly PaymentMethodRecord[];
  readonly transactions: readonly TransactionRecord[];
}

/** What a new transaction needs; the rest follows from the customer or is empty. */
export type NewTransaction = Pick<TransactionRecord, 'amount' | 'status'> &
  Partial<Omit<TransactionRecord, 'reference' | 'createdAt'>>;

/**
 * The demo merchant's payment provider. Customers name their helpdesk customer as `<helpdeskSource>:<reference>`
 * (`helpdeskNameOf`). What is changed here lives in memory and is seen by `changes` and `fetchCustomer`.
 */
export class DemoPayments implements PaymentsConnector {
  readonly kind = 'demo';
  readonly merchant: DemoMerchant;
  private readonly source: string;
  private readonly helpdeskSource: string;
  private readonly clock: Clock;
  private readonly log: ChangeLog;
  private readonly changed = new Map<number, Held>();
  private isDown = false;

  constructor(options: DemoPaymentsOptions) {
    this.merchant = new DemoMerchant(options);
    this.source = options.source;
    this.helpdeskSource = options.helpdeskSource;
    this.clock = options.clock ?? wallClock;
    this.log = new ChangeLog(this.clock);
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
    const { methods, transactions } = this.held(number);
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
    const held = this.held(number);
    const person = this.merchant.person(number);
    const method = held.methods.find((each) => each.isDefault);
    const transaction: TransactionRecord = {
      paymentMethodReference: method?.reference ?? null,
      orderReference: null,
      orderDescription: null,
      currency: person.currency,
      declineCode: null,
      declineAdvice: null,
      deviceFingerprint: null,
      country: person.country,
      riskBand: 'UNKNOWN',
      riskScore: null,
      riskSignals: [],
      dispute: null,
      ...added,
      reference: `ch_demo_${String(number).padStart(6, '0')}_${String(held.transactions.length + 1).padStart(3, '0')}`,
      createdAt: this.clock.now(),
    };
    const { paymentMethodReference: used } = transaction;
    if (used !== null && !held.methods.some((each) => each.reference === used)) {
      throw new ProgrammingError('no such method of this customer of the demo provider');
    }
    this.keep(number, { ...held, transactions: [...held.transactions, transaction] });
    return transaction;
  }

  /** Changes a stored method; one that becomes the default takes that from the others. */
  changeMethod(customer: string, method: string, changes: Partial<Omit<PaymentMethodRecord, 'reference'>>): PaymentMethodRecord {
    const number = this.numberOf(customer);
    const held = this.held(number);
    const current = held.methods.find((each) => each.reference === method);
    if (!current) throw new ProgrammingError('no such method of this customer of the demo provider');
    const changed = { ...current, ...changes };
    this.keep(number, {
      ...held,
      methods: held.methods.map((each) =>
        each.reference === method ? changed : changes.isDefault === true ? { ...each, isDefault: false } : each,
      ),
    });
    return changed;
  }

  /** From now on every call fails, as when the provider can't be reached. */
  goDown(): void {
    this.isDown = true;
  }

  comeBack(): void {
    this.isDown = false;
  }

  private held(number: number): Held {
    return (
      this.changed.get(number) ?? { methods: this.merchant.methods(number), transactions: this.merchant.transactionsOf(number) }
    );
  }

  private keep(number: number, held: Held): void {
    this.changed.set(number, held);
    this.log.note(this.merchant.paymentCustomer(number, this.helpdeskSource).reference);
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
