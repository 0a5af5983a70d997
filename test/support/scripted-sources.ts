import { plainMoney } from '../../src/development/merchant/money';
import { normalizeEmail } from '../../src/privacy/mail-addresses';
import type {
  HelpdeskConnector,
  HelpdeskCustomerRecord,
  MessageRecord,
  OpenedDraft,
  StaffRecord,
  TicketBatch,
  TicketDraft,
  TicketRecord,
  TicketSnapshot,
  WebhookJudgement,
} from '../../src/upstream/helpdesk/helpdesk.port';
import {
  type CredentialChanges,
  type MethodState,
  type PaymentChanges,
  type PaymentCustomerRecord,
  type PaymentCustomerSearch,
  type PaymentCustomerSnapshot,
  type PaymentMethodRecord,
  type PaymentsConnector,
  ProviderRefused,
  type ProviderStep,
  type Setup,
  type SetupReport,
  type SetupRequest,
  type StepOutcome,
  type TransactionRecord,
} from '../../src/upstream/payments/payments.port';
import { SourceUnavailable } from '../../src/upstream/source-unavailable';

/** An answer that a test holds back: `asked` resolves once somebody waits for it, `release` lets it go. */
export interface Held {
  readonly asked: Promise<void>;
  /** Calls from now on aren't held any more; those that wait go on waiting. */
  letOthersPass(): void;
  release(): void;
}

/** Lets calls pass, or holds them back until told otherwise. */
class Gate {
  private held: { note: () => void; open: Promise<void> } | undefined;

  hold(): Held {
    let note = () => {};
    let release = () => {};
    const asked = new Promise<void>((resolve) => {
      note = resolve;
    });
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.held = { note, open };
    return {
      asked,
      letOthersPass: () => {
        this.held = undefined;
      },
      release: () => {
        this.held = undefined;
        release();
      },
    };
  }

  async pass(): Promise<void> {
    const held = this.held;
    if (!held) return;
    held.note();
    await held.open;
  }
}

const longAgo = new Date('2026-08-20T10:00:00.000Z');

export const staff = (login: string): StaffRecord => ({
  reference: login,
  displayName: `Staff ${login}`,
  login,
  email: `${login}@staff.example.com`,
  active: true,
});

export const helpdeskCustomer = (reference: string, over: Partial<HelpdeskCustomerRecord> = {}): HelpdeskCustomerRecord => ({
  reference,
  displayName: `Person ${reference}`,
  email: `${reference}@people.example.com`,
  phone: null,
  region: 'IE',
  protectedPaymentReference: null,
  ...over,
});

/** A helpdesk whose tickets a test writes itself; by default open, Ana's and of the team cards. */
export class ScriptedHelpdesk implements HelpdeskConnector {
  readonly kind = 'scripted';
  now = (): Date => new Date(Date.UTC(2026, 8, 1, 9));
  readonly fetches: string[] = [];
  /** The backfill fails before this batch, once. */
  failBefore = Number.POSITIVE_INFINITY;
  batchSize = 100;
  readonly backfilled: string[] = [];
  /** What was noted, in its order. */
  readonly notes: { readonly reference: string; readonly text: string }[] = [];
  /** Tickets that the gateway's account may not see any more. */
  readonly hidden = new Set<string>();
  private readonly held = new Map<string, { ticket: TicketRecord; messages: readonly MessageRecord[] }>();
  private readonly log: string[] = [];
  private readonly gate = new Gate();
  private isDown = false;

  constructor(
    private readonly source: string,
    private readonly people: readonly StaffRecord[] = ['ana', 'ben', 'sam', 'rosa'].map(staff),
  ) {}

  put(reference: string, over: Partial<TicketRecord> = {}, messages?: readonly MessageRecord[]): TicketRecord {
    const known = this.held.get(reference);
    this.log.push(reference);
    const ticket: TicketRecord = {
      reference,
      subject: `Subject ${reference}`,
      status: 'OPEN',
      channel: 'EMAIL',
      team: 'cards',
      assignee: 'ana',
      assignedBy: null,
      createdByStaff: null,
      customerSetBy: [],
      customer: helpdeskCustomer(`person-${reference}`),
      createdAt: longAgo,
      updatedAt: longAgo,
      ...known?.ticket,
      ...over,
      revision: over.revision ?? this.log.length,
    };
    this.held.set(reference, { ticket, messages: messages ?? known?.messages ?? [] });
    return ticket;
  }

  /** Changes what stands in a ticket behind the helpdesk's own back, as tools do that erase: neither a poll nor the revision tells. */
  rewrite(reference: string, messages: readonly MessageRecord[], over: Partial<TicketRecord> = {}): void {
    const held = this.held.get(reference);
    if (held) this.held.set(reference, { ticket: { ...held.ticket, ...over }, messages });
  }

  /** The helpdesk erased the ticket itself. */
  erase(reference: string): void {
    this.held.delete(reference);
  }

  /** Tickets of whose messages some can't be read. */
  readonly partial = new Set<string>();

  /** Answers of `fetchTicket` are taken at once and given when released. */
  hold(): Held {
    return this.gate.hold();
  }

  goDown(): void {
    this.isDown = true;
  }

  comeBack(): void {
    this.isDown = false;
  }

  async fetchTicket(reference: string): Promise<TicketSnapshot | null> {
    this.fetches.push(reference);
    const snapshot = this.snapshot(reference);
    await this.gate.pass();
    this.reach();
    return snapshot;
  }

  async visibleTickets(references: readonly string[]): Promise<ReadonlySet<string>> {
    this.reach();
    return new Set(references.filter((each) => this.held.has(each) && !this.hidden.has(each)));
  }

  async *backfill(_since: Date, cursor: string | null): AsyncIterable<TicketBatch> {
    const asOf = this.now();
    const references = [...this.held.keys()];
    let next = cursor === null ? 0 : Number(cursor.split('/')[1]);
    for (let batch = 0; ; batch += 1) {
      this.reach();
      if (batch >= this.failBefore) {
        this.failBefore = Number.POSITIVE_INFINITY;
        throw new SourceUnavailable(this.source, 'fault');
      }
      const part = references.slice(next, next + this.batchSize);
      next += part.length;
      this.backfilled.push(...part);
      const complete = next >= references.length;
      yield {
        tickets: part.flatMap((reference) => this.snapshot(reference) ?? []),
        cursor: complete ? `poll/${this.log.length}` : `backfill/${next}`,
        complete,
        asOf,
      };
      if (complete) return;
    }
  }

  async *poll(cursor: string): AsyncIterable<TicketBatch> {
    const asOf = this.now();
    this.reach();
    const changed = [...new Set(this.log.slice(Number(cursor.split('/')[1])))];
    const end = this.log.length;
    const unread = changed.filter((each) => this.hidden.has(each));
    const tickets = changed.flatMap((each) => this.snapshot(each) ?? []);
    yield { tickets, unread, cursor: `poll/${end}`, complete: true, asOf };
  }

  /** As a helpdesk that is down after it took the note: written, and the answer is lost. */
  loseNotes = false;

  async addNote(reference: string, text: string): Promise<boolean> {
    this.reach();
    if (this.hidden.has(reference) || !this.held.has(reference)) return false;
    this.notes.push({ reference, text });
    if (this.loseNotes) throw new SourceUnavailable(this.source, 'timeout');
    return true;
  }

  /** Every call that reached it, in their order. */
  readonly asked: ('open' | 'look')[] = [];
  readonly openings: TicketDraft[] = [];
  /** As a helpdesk whose account may open no ticket. */
  refusesTickets = false;
  /** What the next calls of `openTicket` meet, in their order: done or not, and no answer. */
  readonly losesTickets: { readonly isOpened: boolean; readonly why?: 'timeout' | 'circuit-open' }[] = [];
  private readonly openGate = new Gate();

  /** Calls of `openTicket` are done at once and answered when released. */
  holdOpening(): Held {
    return this.openGate.hold();
  }

  /** By its own account: `gateway` created the ticket and set its customer. */
  async openTicket(draft: TicketDraft): Promise<string | null> {
    this.reach();
    this.asked.push('open');
    if (this.refusesTickets) return null;
    const lost = this.losesTickets.shift();
    const reference = `opened-${this.openings.length + 1}`;
    if (lost?.isOpened ?? true) {
      this.openings.push(draft);
      this.put(reference, {
        subject: `${draft.subject} [${draft.idempotencyKey}]`,
        status: 'NEW',
        team: draft.queue,
        assignee: null,
        createdByStaff: 'gateway',
        customerSetBy: ['gateway'],
        customer: helpdeskCustomer(draft.customerReference),
        createdAt: this.now(),
        updatedAt: this.now(),
      });
    }
    await this.openGate.pass();
    if (lost) throw new SourceUnavailable(this.source, lost.why ?? 'timeout');
    return reference;
  }

  async openedTicket({ queue, idempotencyKey }: OpenedDraft): Promise<string | null> {
    this.reach();
    this.asked.push('look');
    const at = this.openings.findIndex((each) => each.queue === queue && each.idempotencyKey === idempotencyKey);
    return at === -1 ? null : `opened-${at + 1}`;
  }

  judgeWebhook(): WebhookJudgement {
    return { outcome: 'rejected', why: 'a scripted helpdesk sends none' };
  }

  async ping(): Promise<void> {
    this.reach();
  }

  private snapshot(reference: string): TicketSnapshot | null {
    const held = this.hidden.has(reference) ? undefined : this.held.get(reference);
    return held ? { ...held, staff: this.people, asOf: this.now(), isPartial: this.partial.has(reference) } : null;
  }

  private reach(): void {
    if (this.isDown) throw new SourceUnavailable(this.source, 'refused');
  }
}

export const card = (reference: string, over: Partial<PaymentMethodRecord> = {}): PaymentMethodRecord => ({
  reference,
  kind: 'CARD',
  brand: 'visa',
  last4: '4242',
  expiryMonth: 12,
  expiryYear: 2030,
  status: 'ACTIVE',
  isDefault: true,
  billingAddress: null,
  createdAt: longAgo,
  ...over,
});

export const payment = (reference: string, over: Partial<TransactionRecord> = {}): TransactionRecord => ({
  reference,
  paymentMethodReference: null,
  orderReference: null,
  orderDescription: null,
  ...plainMoney(over.status ?? 'CAPTURED', over.amount ?? 1_000, over.createdAt ?? longAgo),
  currency: 'EUR',
  presentment: null,
  declineCode: null,
  declineAdvice: null,
  deviceFingerprint: null,
  country: 'IE',
  riskBand: 'LOW',
  riskScore: 10,
  riskSignals: [],
  dispute: null,
  createdAt: longAgo,
  ...over,
});

export type ScriptedCustomer = Omit<PaymentCustomerSnapshot, 'asOf'>;

/** What the next call meets: its outcome in place of the provider's, or an error that is thrown. `executed`: it is done even so. */
export interface ScriptedAnswer {
  readonly answer: StepOutcome | Error;
  readonly executed: boolean;
}

/** Changing the methods that a test has put; each call that changes something is written down. */
class ScriptedCredentials implements CredentialChanges {
  /** Every call that reached the provider, repeated keys included. */
  readonly calls: { readonly step: ProviderStep; readonly key: string }[] = [];
  readonly executed: { readonly step: ProviderStep; readonly key: string }[] = [];
  /** By customer. */
  readonly subscriptions = new Map<string, { readonly reference: string; readonly method: string | null }[]>();
  private readonly outcomes = new Map<string, StepOutcome>();
  private readonly setups = new Map<string, SetupReport>();
  private readonly answers: ScriptedAnswer[] = [];
  private readonly gate = new Gate();

  constructor(
    private readonly source: string,
    private readonly methodsOf: (customer: string) => readonly PaymentMethodRecord[] | undefined,
    private readonly putMethods: (customer: string, methods: readonly PaymentMethodRecord[]) => void,
    private readonly reach: () => void,
  ) {}

  /** Calls of `perform` are done at once and answered when released. */
  hold(): Held {
    return this.gate.hold();
  }

  /** The next calls of `perform` meet these, in their order. */
  answerNext(...answers: readonly ScriptedAnswer[]): void {
    this.answers.push(...answers);
  }

  /** The customer entered this card, which is theirs once it is attached. */
  complete(setup: string, method: PaymentMethodRecord, { country = 'IE', authenticated = true } = {}): void {
    if (!this.setups.has(setup)) throw new Error('no such setup');
    this.setups.set(setup, { status: 'COMPLETE', method: { ...method, isDefault: false, country }, authenticated });
  }

  async readMethod(customer: string, reference: string): Promise<MethodState | null> {
    this.reach();
    const methods = this.methodsOf(customer) ?? [];
    const method = methods.find((each) => each.reference === reference);
    const defaultMethod = methods.find((each) => each.isDefault)?.reference ?? null;
    return method ? { method, defaultMethod, subscriptions: this.subscriptions.get(customer) ?? [] } : null;
  }

  async perform(step: ProviderStep, key: string): Promise<StepOutcome> {
    this.reach();
    this.calls.push({ step, key });
    const scripted = this.answers.shift();
    const known = this.outcomes.get(key);
    const outcome = known ?? (scripted?.executed === false ? null : this.done(step, key));
    if (outcome) this.outcomes.set(key, outcome);
    await this.gate.pass();
    if (scripted?.answer instanceof Error) throw scripted.answer;
    return scripted?.answer ?? outcome ?? { outcome: 'lost', keySpent: false };
  }

  async holds(step: ProviderStep): Promise<boolean> {
    this.reach();
    const methods = this.methodsOf(step.customer) ?? [];
    const method = methods.find((each) => each.reference === step.method);
    switch (step.action) {
      case 'ATTACH':
        return method !== undefined;
      case 'DETACH':
        return method === undefined;
      case 'SET_DEFAULT':
        return (methods.find((each) => each.isDefault)?.reference ?? null) === step.method;
      case 'SET_ADDRESS':
        return JSON.stringify(method?.billingAddress) === JSON.stringify(step.address);
      case 'SET_SUBSCRIPTION_DEFAULT': {
        const own = this.subscriptions.get(step.customer)?.find((each) => each.reference === step.subscription);
        return own !== undefined && own.method === step.method;
      }
    }
  }

  async openSetup({ idempotencyKey }: SetupRequest): Promise<Setup> {
    this.reach();
    const reference = `setup-${idempotencyKey}`;
    if (!this.setups.has(reference)) this.setups.set(reference, { status: 'OPEN', method: null, authenticated: false });
    return { reference, url: `https://provider.example/${reference}` };
  }

  async readSetup(reference: string): Promise<SetupReport> {
    this.reach();
    const report = this.setups.get(reference);
    if (!report) throw new ProviderRefused(this.source, 'REFUSED');
    return report;
  }

  private done(step: ProviderStep, key: string): StepOutcome {
    const { customer } = step;
    const methods = this.methodsOf(customer);
    if (!methods) return { outcome: 'refused', why: 'CUSTOMER_GONE' };
    const entered = [...this.setups.values()].find(({ method }) => method?.reference === step.method)?.method;
    const isThere = methods.some((each) => each.reference === step.method);
    if (step.action === 'ATTACH' ? !isThere && !entered : step.method !== null && !isThere)
      return { outcome: 'refused', why: 'METHOD_GONE' };
    this.executed.push({ step, key });
    switch (step.action) {
      case 'ATTACH': {
        if (isThere || !entered) break;
        const { country: _country, ...method } = entered;
        this.putMethods(customer, [...methods, method]);
        break;
      }
      case 'DETACH':
        this.putMethods(
          customer,
          methods.filter((each) => each.reference !== step.method),
        );
        break;
      case 'SET_DEFAULT':
        this.putMethods(
          customer,
          methods.map((each) => ({ ...each, isDefault: each.reference === step.method })),
        );
        break;
      case 'SET_ADDRESS':
        this.putMethods(
          customer,
          methods.map((each) => (each.reference === step.method ? { ...each, billingAddress: step.address } : each)),
        );
        break;
      case 'SET_SUBSCRIPTION_DEFAULT':
        this.subscriptions.set(
          customer,
          (this.subscriptions.get(customer) ?? []).map((each) =>
            each.reference === step.subscription ? { ...each, method: step.method } : each,
          ),
        );
        break;
    }
    return { outcome: 'done' };
  }
}

/** A payment provider whose customers a test writes itself. */
export class ScriptedPayments implements PaymentsConnector {
  readonly kind = 'scripted';
  now = (): Date => new Date(Date.UTC(2026, 8, 1, 9));
  readonly credentials: ScriptedCredentials;
  private readonly held = new Map<string, ScriptedCustomer>();
  private readonly log: string[] = [];
  private readonly gate = new Gate();
  private isDown = false;

  constructor(private readonly source: string) {
    this.credentials = new ScriptedCredentials(
      source,
      (customer) => this.held.get(customer)?.methods,
      (customer, methods) => {
        const held = this.held.get(customer);
        if (held) this.held.set(customer, { ...held, methods });
        this.log.push(customer);
      },
      () => this.reach(),
    );
  }

  put(
    reference: string,
    customer: Partial<PaymentCustomerRecord>,
    methods: readonly PaymentMethodRecord[] = [],
    transactions: readonly TransactionRecord[] = [],
  ): void {
    this.log.push(reference);
    this.held.set(reference, {
      customer: {
        reference,
        email: null,
        displayName: null,
        phone: null,
        helpdeskReference: null,
        createdAt: longAgo,
        ...customer,
      },
      methods,
      transactions,
    });
  }

  remove(reference: string): void {
    this.log.push(reference);
    this.held.delete(reference);
  }

  /** Answers of `fetchCustomer` are taken at once and given when released. */
  hold(): Held {
    return this.gate.hold();
  }

  goDown(): void {
    this.isDown = true;
  }

  comeBack(): void {
    this.isDown = false;
  }

  async findCustomers({ helpdeskReference, email }: PaymentCustomerSearch): Promise<readonly PaymentCustomerRecord[]> {
    this.reach();
    return [...this.held.values()]
      .map(({ customer }) => customer)
      .filter(
        (customer) =>
          customer.helpdeskReference === helpdeskReference || (email !== null && normalizeEmail(customer.email ?? '') === email),
      );
  }

  async fetchCustomer(reference: string): Promise<PaymentCustomerSnapshot | null> {
    const held = this.held.get(reference);
    const snapshot = held ? { ...held, asOf: this.now() } : null;
    await this.gate.pass();
    this.reach();
    return snapshot;
  }

  async *changes(cursor: string | null): AsyncIterable<PaymentChanges> {
    const asOf = this.now();
    this.reach();
    const customers = cursor === null ? [] : [...new Set(this.log.slice(Number(cursor)))];
    yield { customers, cursor: String(this.log.length), complete: true, asOf };
  }

  judgeWebhook(): WebhookJudgement {
    return { outcome: 'rejected', why: 'a scripted provider sends none' };
  }

  async ping(): Promise<void> {
    this.reach();
  }

  private reach(): void {
    if (this.isDown) throw new SourceUnavailable(this.source, 'refused');
  }
}
