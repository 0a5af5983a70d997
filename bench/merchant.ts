import { DemoMerchant, helpdeskNameOf, helpdeskReferenceOf } from '../src/development/merchant/merchant';
import type { HelpdeskConnector, MessageRecord, TicketBatch, TicketSnapshot } from '../src/upstream/helpdesk/helpdesk.port';
import type {
  PaymentChanges,
  PaymentCustomerRecord,
  PaymentCustomerSearch,
  PaymentCustomerSnapshot,
  PaymentMethodRecord,
  PaymentsConnector,
  TransactionRecord,
} from '../src/upstream/payments/payments.port';

export const helpdeskSource = 'demo';
export const paymentsSource = 'demo-pay';

/** Each agent's queue has this many open tickets, each about another customer, unless a measurement says otherwise. */
const usualTicketsPerAgent = 50;
/** What every ticket and customer has at least: enough to fill the pages that are asked for. */
const filled = { messages: 10, methods: 3, transactions: 20 } as const;

export const agentLogin = (agent: number): string => `agent-${String(agent).padStart(3, '0')}`;

const minute = 60_000;

/** The item at a position of a list that is gone through again and again. */
const cycled = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

/**
 * People, texts and payments of the demo merchant, dealt out anew: one ticket per customer, mostly fifty customers per agent,
 * every link VERIFIED, and messages, methods and transactions repeated where there are fewer than a page shows.
 */
export class BenchMerchant {
  readonly customers: number;
  readonly agents: number;
  private readonly merchant: DemoMerchant;

  private readonly ticketsPerAgent: number;

  constructor(options: { readonly customers: number; readonly anchor: Date; readonly ticketsPerAgent?: number | undefined }) {
    this.ticketsPerAgent = options.ticketsPerAgent ?? usualTicketsPerAgent;
    this.merchant = new DemoMerchant({ seed: 7, size: options.customers / 5_000, anchor: options.anchor });
    this.customers = this.merchant.customers;
    this.agents = Math.floor(this.customers / this.ticketsPerAgent);
  }

  /** References of the tickets in one agent's queue. */
  ticketsOf(agent: number): string[] {
    return Array.from({ length: this.ticketsPerAgent }, (_, position) => String(agent * this.ticketsPerAgent + position + 1));
  }

  ticket(reference: string): Omit<TicketSnapshot, 'asOf'> | null {
    const customer = this.numberOf(reference);
    if (customer === 0) return null;
    const agent = agentLogin(Math.min(Math.floor((customer - 1) / this.ticketsPerAgent), this.agents - 1));
    const { ticket, messages } = this.merchant.ticket(customer);
    const texts = messages.length > 0 ? messages : this.merchant.ticket(0).messages;
    return {
      ticket: {
        ...ticket,
        reference,
        status: 'OPEN',
        team: 'cards',
        assignee: agent,
        assignedBy: null,
        createdByStaff: null,
        customerSetBy: [],
        customer: this.merchant.helpdeskCustomer(customer),
      },
      messages: Array.from({ length: Math.max(filled.messages, messages.length) }, (_, index): MessageRecord => {
        const { channel, body } = cycled(texts, index);
        return {
          reference: `${reference}-${index}`,
          author: index % 2 === 0 ? { kind: 'CUSTOMER', displayName: null } : { kind: 'STAFF', reference: agent },
          channel,
          body,
          createdAt: new Date(ticket.createdAt.getTime() + index * minute),
        };
      }),
      staff: [{ reference: agent, displayName: agent, login: agent, email: null, active: true }],
    };
  }

  /** The number of the customer whom a ticket's or a customer's reference names; 0 for none of ours. */
  numberOf(reference: string): number {
    const number = /^[1-9]\d{0,7}$/.test(reference) ? Number(reference) : 0;
    return this.merchant.hasCustomer(number) ? number : 0;
  }

  paymentCustomer(customer: number): PaymentCustomerRecord {
    const record = this.merchant.paymentCustomer(customer, helpdeskSource);
    return {
      ...record,
      reference: String(customer),
      helpdeskReference: helpdeskNameOf(helpdeskSource, helpdeskReferenceOf(customer)),
    };
  }

  methods(customer: number): PaymentMethodRecord[] {
    const own = this.merchant.methods(customer).filter(({ status }) => status !== 'REMOVED');
    const models = own.length > 0 ? own : this.merchant.methods(1);
    return Array.from({ length: filled.methods }, (_, index) => ({
      ...cycled(models, index),
      reference: `pm-${customer}-${index}`,
      isDefault: index === 0,
    }));
  }

  transactions(customer: number): TransactionRecord[] {
    const own = this.merchant.transactionsOf(customer);
    const models = own.length > 0 ? own : this.merchant.transactionsOf(1);
    return Array.from({ length: Math.max(filled.transactions, own.length) }, (_, index) => {
      const model = cycled(models, index);
      return {
        ...model,
        reference: `ch-${customer}-${index}`,
        paymentMethodReference: `pm-${customer}-${index % filled.methods}`,
        createdAt: new Date(model.createdAt.getTime() - Math.floor(index / models.length) * minute),
      };
    });
  }
}

const batchSize = 200;
/** Nothing that is said in a ticket changes while it is measured. */
const markOf = (reference: string): string => `as read ${reference}`;
const noWebhooks = () => ({ outcome: 'rejected' as const, why: 'sends no webhooks' });

export class BenchHelpdesk implements HelpdeskConnector {
  readonly kind = 'demo';
  readonly judgeWebhook = noWebhooks;

  constructor(private readonly merchant: BenchMerchant) {}

  async fetchTicket(reference: string): Promise<TicketSnapshot | null> {
    const found = this.merchant.ticket(reference);
    return found && { ...found, mark: markOf(reference), asOf: new Date() };
  }

  /** As Request Tracker's connector has them: no ticket has to be read to know that it is the same. */
  async messageMarks(references: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map(references.map((reference) => [reference, markOf(reference)]));
  }

  async visibleTickets(references: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(references);
  }

  async *backfill(): AsyncIterable<TicketBatch> {
    const asOf = new Date();
    for (let first = 1; first <= this.merchant.customers; first += batchSize) {
      const last = Math.min(first + batchSize - 1, this.merchant.customers);
      const tickets: TicketSnapshot[] = [];
      for (let number = first; number <= last; number += 1) {
        const ticket = await this.fetchTicket(String(number));
        if (ticket) tickets.push(ticket);
      }
      yield { tickets, cursor: 'read', complete: last === this.merchant.customers, asOf, total: this.merchant.customers };
    }
  }

  /** Nothing changes while it is measured. */
  async *poll(): AsyncIterable<TicketBatch> {
    yield { tickets: [], cursor: 'read', complete: true, asOf: new Date() };
  }

  async ping(): Promise<void> {}
}

export class BenchPayments implements PaymentsConnector {
  readonly kind = 'demo';
  readonly judgeWebhook = noWebhooks;

  constructor(private readonly merchant: BenchMerchant) {}

  async findCustomers({ helpdeskReference }: PaymentCustomerSearch): Promise<readonly PaymentCustomerRecord[]> {
    const customer = this.merchant.numberOf(helpdeskReference.replace(helpdeskNameOf(helpdeskSource, 'hc-'), ''));
    return customer === 0 ? [] : [this.merchant.paymentCustomer(customer)];
  }

  async fetchCustomer(reference: string): Promise<PaymentCustomerSnapshot | null> {
    const asOf = new Date();
    const customer = this.merchant.numberOf(reference);
    if (customer === 0) return null;
    return {
      customer: this.merchant.paymentCustomer(customer),
      methods: this.merchant.methods(customer),
      transactions: this.merchant.transactions(customer),
      asOf,
    };
  }

  async *changes(): AsyncIterable<PaymentChanges> {
    yield { customers: [], cursor: 'read', complete: true, asOf: new Date() };
  }

  async ping(): Promise<void> {}
}
