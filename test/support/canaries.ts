import type { LinkAssurance } from '../../src/authz/actor';
import type { HelpdeskConnector, MessageRecord, TicketSnapshot, TicketStatus } from '../../src/upstream/helpdesk/helpdesk.port';
import type { PaymentCustomerSnapshot, PaymentsConnector } from '../../src/upstream/payments/payments.port';
import { SourceUnavailable } from '../../src/upstream/source-unavailable';

/**
 * What a canary may be shown on the word of: sight of its ticket, an assistance on that ticket, one that covers its customer, an
 * assistance where an alert is told (on its ticket, or with its customer), being told that there is an alert, or nothing at all.
 */
export type Ground = 'scope' | 'ticket' | 'customer' | 'alert' | 'told' | 'never';

/** One sensitive value that occurs nowhere else. */
export interface Canary {
  readonly value: string | number;
  /** For people who read a failed test: `own-verified: city of method 1`. */
  readonly what: string;
  readonly ground: Ground;
  readonly ticket: CanaryTicket | null;
  readonly customer: CanaryCustomer | null;
  /** Fields that all have to be in clear for the value to leave, as `Type.field`; several ways where there are. */
  readonly ways: readonly (readonly string[])[];
  /** Nothing of it is personal: a second factor isn't needed. */
  readonly unpoliced?: boolean;
}

export interface CanaryCustomer {
  readonly name: string;
  readonly reference: string;
  readonly link: LinkAssurance;
}

export interface CanaryTicket {
  readonly name: string;
  readonly reference: string;
  readonly status: TicketStatus;
  readonly team: string;
  readonly assignee: string | null;
  readonly assignedBy: string | null;
  readonly createdByStaff: string | null;
  readonly customerSetBy: readonly string[];
  readonly customer: CanaryCustomer | null;
}

/** Finds canaries in whatever the gateway sends or writes. */
export class CanaryBook {
  private readonly byToken = new Map<string, Canary>();
  private readonly byNumber = new Map<number, Canary>();
  private readonly byExactText = new Map<string, Canary>();
  private readonly bySubstring = new Map<string, Canary>();
  private issued = 0;

  /** A word that occurs nowhere else: `kq7z` and four digits. */
  word(of: Omit<Canary, 'value'>): string {
    this.issued += 1;
    const value = `kq7z${String(this.issued).padStart(4, '0')}`;
    this.byToken.set(value, { ...of, value });
    return value;
  }

  /** A number that nothing counts up to. */
  number(value: number, of: Omit<Canary, 'value'>): number {
    this.byNumber.set(value, { ...of, value });
    return value;
  }

  /** A text too short to be sought within others; found where it is the whole of a value. */
  short(value: string, of: Omit<Canary, 'value'>): string {
    this.byExactText.set(value, { ...of, value });
    return value;
  }

  /** A text without a word of ours in it, such as a telephone number or a surrogate. */
  text(value: string, of: Omit<Canary, 'value'>): string {
    this.bySubstring.set(value, { ...of, value });
    return value;
  }

  get all(): readonly Canary[] {
    return [this.byToken, this.byNumber, this.byExactText, this.bySubstring].flatMap((book) => [...book.values()]);
  }

  /** Canaries in any text: logs, headers, metrics, errors, leaves. */
  inText(text: string): readonly Canary[] {
    const found = new Set<Canary>();
    const add = (canary: Canary | undefined) => canary && found.add(canary);
    for (const [word] of text.matchAll(/kq7z\d{4}/gi)) add(this.byToken.get(word.toLowerCase()));
    for (const [digits] of text.matchAll(/(?<![0-9A-Za-z.+/_-])\d{6,9}(?![0-9A-Za-z+/_-])/g))
      add(this.byNumber.get(Number(digits)));
    for (const [value, canary] of this.bySubstring) if (text.includes(value)) add(canary);
    return [...found];
  }

  /** Canaries in the values of a parsed answer, short ones and small numbers included. */
  inValue(value: unknown): readonly Canary[] {
    const found = new Set<Canary>();
    const walk = (at: unknown): void => {
      if (typeof at === 'number') {
        const canary = this.byNumber.get(at);
        if (canary) found.add(canary);
      } else if (typeof at === 'string') {
        const canary = this.byExactText.get(at);
        if (canary) found.add(canary);
        for (const each of this.inText(at)) found.add(each);
      } else if (Array.isArray(at)) at.forEach(walk);
      else if (typeof at === 'object' && at !== null) for (const [key, each] of Object.entries(at)) [walk(key), walk(each)];
    };
    walk(value);
    return [...found];
  }
}

interface CustomerPlan {
  readonly link: LinkAssurance;
}

const customerPlans = {
  'verified of ana': { link: 'VERIFIED' },
  'matched of ana': { link: 'MATCHED' },
  'unlinked of ana': { link: 'NONE' },
  'of an unassigned ticket': { link: 'VERIFIED' },
  'verified of ben': { link: 'VERIFIED' },
  'matched of ben': { link: 'MATCHED' },
  'of another team': { link: 'VERIFIED' },
  'of a closed ticket': { link: 'VERIFIED' },
  'of a ticket ana made': { link: 'VERIFIED' },
  'of a ticket ana re-addressed': { link: 'MATCHED' },
  'of a ticket ana took': { link: 'VERIFIED' },
  'verified of sam': { link: 'VERIFIED' },
  'matched of sam': { link: 'MATCHED' },
} as const satisfies Record<string, CustomerPlan>;
export type CanaryCustomerName = keyof typeof customerPlans;

type TicketPlan = Omit<CanaryTicket, 'name' | 'reference' | 'customer'> & { readonly customer: CanaryCustomerName | null };

const open = { status: 'OPEN', assignedBy: null, createdByStaff: null, customerSetBy: [] } as const;
const anas = { ...open, team: 'cards', assignee: 'ana' } as const;

const ticketPlans = {
  own: { ...anas, customer: 'verified of ana' },
  matched: { ...anas, customer: 'matched of ana' },
  unlinked: { ...anas, customer: 'unlinked of ana' },
  /** About the same customer as `own`, but a colleague's: an assistance on the one opens no messages of the other. */
  colleagues: { ...anas, assignee: 'chloe', customer: 'verified of ana' },
  unassigned: { ...anas, status: 'NEW', assignee: null, customer: 'of an unassigned ticket' },
  bens: { ...open, team: 'wallets', assignee: 'ben', assignedBy: 'sam', customer: 'verified of ben' },
  bensMatched: { ...open, team: 'wallets', assignee: 'ben', customer: 'matched of ben' },
  otherTeam: { ...open, team: 'disputes', assignee: 'rosa', customer: 'of another team' },
  closed: { ...anas, status: 'RESOLVED', customer: 'of a closed ticket' },
  selfMade: { ...anas, createdByStaff: 'ana', customerSetBy: ['ana'], customer: 'of a ticket ana made' },
  readdressed: { ...anas, customerSetBy: ['ana'], customer: 'of a ticket ana re-addressed' },
  taken: { ...anas, team: 'disputes', assignedBy: 'ana', customer: 'of a ticket ana took' },
  noCustomer: { ...anas, customer: null },
  sams: { ...open, team: 'cards', assignee: 'sam', customer: 'verified of sam' },
  samsMatched: { ...open, team: 'wallets', assignee: 'sam', customer: 'matched of sam' },
} as const satisfies Record<string, TicketPlan>;
export type CanaryTicketName = keyof typeof ticketPlans;

const agents = ['ana', 'ben', 'sam', 'chloe', 'rosa'] as const;
const hour = 3_600_000;

/** A merchant whose every sensitive value is a canary, as a helpdesk and a payment provider. */
export class CanaryMerchant {
  readonly book = new CanaryBook();
  readonly customers: Readonly<Record<CanaryCustomerName, CanaryCustomer>>;
  readonly tickets: Readonly<Record<CanaryTicketName, CanaryTicket>>;
  /** The gateway's clock; the start of every test's clock until it is given. */
  now: () => Date = () => new Date(Date.UTC(2026, 8, 1, 9));
  /** References that the helpdesk was asked for, in order. */
  readonly asked: string[] = [];
  helpdeskIsDown = false;
  private readonly snapshots = new Map<string, Omit<TicketSnapshot, 'asOf'>>();
  private readonly changed = new Set<string>();
  private readonly paymentSnapshots: Omit<PaymentCustomerSnapshot, 'asOf'>[] = [];
  private shortCodes = 0;
  private numbers = 0;

  constructor() {
    const never = { ground: 'never', ticket: null, customer: null, ways: [] } as const;
    const staff = agents.map((login) => ({
      reference: login,
      displayName: this.book.word({
        what: `name of ${login}`,
        ground: 'scope',
        ticket: null,
        customer: null,
        ways: [['Ticket.assignee', 'Staff.displayName'], ['Hold.owner', 'Staff.displayName'], ['StaffAuthor.displayName']],
        unpoliced: true,
      }),
      login,
      email: `${this.book.word({ ...never, what: `e-mail of ${login}` })}@staff.example.com`,
      active: true,
    }));
    const records = new Map<CanaryCustomerName, TicketSnapshot['ticket']['customer']>();
    const customers: Partial<Record<CanaryCustomerName, CanaryCustomer>> = {};
    for (const [name, { link }] of Object.entries(customerPlans) as [CanaryCustomerName, CustomerPlan][]) {
      const reference = this.book.word({ ...never, what: `${name}: the helpdesk's reference` });
      const customer: CanaryCustomer = { name, reference, link };
      customers[name] = customer;
      const of = (field: string) => ({
        what: `${name}: ${field}`,
        ground: 'customer' as const,
        ticket: null,
        customer,
        ways: [[`Customer.${field}`]],
      });
      const email = `${this.book.word(of('email'))}@mail.example`;
      records.set(name, {
        reference,
        displayName: `${this.book.word(of('displayName'))} ${this.book.word(of('displayName'))}`,
        email,
        phone: this.book.text(`+4930${7_000_000 + 1_009 * this.next()}`, of('phone')),
        region: this.country(of('region')),
        protectedPaymentReference: null,
      });
      this.addPayments(customer, email);
      // A second candidate makes the link NONE: a guess would show the wrong person's payments.
      if (link === 'NONE') this.addPayments(customer, email);
    }
    this.customers = customers as Record<CanaryCustomerName, CanaryCustomer>;
    const tickets: Partial<Record<CanaryTicketName, CanaryTicket>> = {};
    for (const [name, plan] of Object.entries(ticketPlans) as [CanaryTicketName, TicketPlan][]) {
      const customer = plan.customer === null ? null : this.customers[plan.customer];
      const shell = { ...plan, name, customer } as CanaryTicket & { reference: string };
      shell.reference = this.book.word({
        what: `${name}: reference`,
        ground: 'scope',
        ticket: shell,
        customer,
        ways: [['Ticket.reference']],
        unpoliced: true,
      });
      tickets[name] = shell;
      const created = Date.UTC(2026, 8, 1, 9) - (this.snapshots.size + 2) * hour;
      const message = (author: MessageRecord['author'], minute: number): MessageRecord => ({
        reference: this.book.word({ ...never, what: `${name}: reference of a message` }),
        author,
        channel: 'EMAIL',
        body: `Hello, ${this.book.word({ what: `${name}: body`, ground: 'ticket', ticket: shell, customer, ways: [['Ticket.messages', 'Message.body']] })}.`,
        attachments: [
          {
            name: `${this.book.word({ what: `${name}: name of a file`, ground: 'ticket', ticket: shell, customer, ways: [['Ticket.messages', 'Message.attachments', 'Attachment.name']] })}.pdf`,
            type: 'application/pdf',
            size: 4_711,
          },
        ],
        createdAt: new Date(created + minute * 60_000),
      });
      this.snapshots.set(shell.reference, {
        ticket: {
          reference: shell.reference,
          revision: 1,
          subject: `About ${this.book.word({ what: `${name}: subject`, ground: 'scope', ticket: shell, customer, ways: [['Ticket.subject']] })}`,
          status: plan.status,
          channel: 'EMAIL',
          team: plan.team,
          assignee: plan.assignee,
          assignedBy: plan.assignedBy,
          createdByStaff: plan.createdByStaff,
          customerSetBy: plan.customerSetBy,
          customer: plan.customer === null ? null : (records.get(plan.customer) ?? null),
          createdAt: new Date(created),
          updatedAt: new Date(created + hour),
        },
        messages: [
          message({ kind: 'CUSTOMER', displayName: null }, 1),
          message({ kind: 'STAFF', reference: plan.assignee ?? 'chloe' }, 2),
          message({ kind: 'SYSTEM' }, 3),
        ],
        staff,
      });
    }
    this.tickets = tickets as Record<CanaryTicketName, CanaryTicket>;
  }

  private next(): number {
    this.numbers += 1;
    return this.numbers;
  }

  /** Codes that ISO 3166-1 leaves to its users: no other value of an answer is one. */
  private country(of: Omit<Canary, 'value'>): string {
    const code = `${'XQ'[Math.floor(this.shortCodes / 26)] ?? 'Z'}${String.fromCharCode(65 + (this.shortCodes % 26))}`;
    this.shortCodes += 1;
    return this.book.short(code, of);
  }

  private addPayments(customer: CanaryCustomer, email: string): void {
    const { name, link } = customer;
    const second = this.paymentSnapshots.some((each) => each.customer.email === email);
    const word = (what: string, ...way: string[]) => this.book.word(under(what, ...way));
    const under = (what: string, ...way: string[]): Omit<Canary, 'value'> => ({
      what: `${name}: ${what}`,
      ground: link === 'NONE' || way.length === 0 ? 'never' : 'customer',
      ticket: null,
      customer,
      ways: [way],
    });
    const method = (position: number): PaymentCustomerSnapshot['methods'][number] => {
      const at = ['Customer.paymentMethods'];
      const address = [...at, 'PaymentMethod.billingAddress'];
      return {
        reference: word('token of the provider'),
        kind: 'CARD',
        brand: word('brand', 'PaymentMethod.brand'),
        last4: this.book.short(String(8_100 + this.next()), under('last four', 'PaymentMethod.last4')),
        expiryMonth: 4,
        expiryYear: this.book.number(7_300 + this.next(), under('year of expiry', 'PaymentMethod.expiryYear')),
        status: 'ACTIVE',
        isDefault: position === 0,
        billingAddress: {
          line1: `${word('address line 1', ...address, 'Address.line1')} street`,
          line2: word('address line 2', ...address, 'Address.line2'),
          city: word('city', ...address, 'Address.city'),
          state: word('state', ...address, 'Address.state'),
          postalCode: word('postal code', ...address, 'Address.postalCode').toUpperCase(),
          country: this.shortCodes < 60 ? this.country(under('country of the address', ...address, 'Address.country')) : 'DE',
        },
        createdAt: new Date(Date.UTC(2026, 7, 1 + position)),
      };
    };
    const methods = [method(0), method(1)];
    const at = 'Customer.transactions';
    const money = (what: string, ...way: string[]) =>
      this.book.number(7_318_045 + 1_009 * this.next(), under(what, at, ...way, 'Money.minorUnits'));
    this.paymentSnapshots.push({
      customer: {
        reference: word('reference at the provider'),
        email,
        displayName: word('name at the provider'),
        phone: this.book.text(`+4420${7_000_000 + 1_013 * this.next()}`, under('phone at the provider')),
        helpdeskReference: link === 'VERIFIED' ? `demo:${customer.reference}` : null,
        createdAt: new Date(Date.UTC(2026, 6, 1)),
      },
      methods,
      transactions: [0, 1, 2].map((position) => ({
        reference: word('reference of a payment', at, 'Transaction.reference'),
        paymentMethodReference: methods[position % 2]?.reference ?? null,
        orderReference: word('order', at, 'Transaction.order', 'Order.reference'),
        orderDescription: `${word('what was bought', at, 'Transaction.order', 'Order.description')} in blue`,
        amount: money('amount', 'Transaction.amount'),
        authorized: money('authorized', 'Transaction.authorized'),
        captured: money('captured', 'Transaction.captured'),
        refunded: money('refunded', 'Transaction.refunded'),
        open: money('still open', 'Transaction.open'),
        presentment: { amount: money('what the customer saw', 'Transaction.presentment'), currency: 'EUR' },
        refunds: [
          {
            amount: money('a refund', 'Transaction.refunds', 'Refund.amount'),
            state: 'PENDING' as const,
            reason: word('reason of a refund', at, 'Transaction.refunds', 'Refund.reason'),
            createdAt: new Date(Date.UTC(2026, 7, 12)),
          },
        ],
        currency: 'EUR',
        status: position === 0 ? ('DECLINED' as const) : ('CAPTURED' as const),
        declineCode: word('decline code', at, 'Transaction.declineCode'),
        declineAdvice: word('decline advice', at, 'Transaction.declineAdvice'),
        deviceFingerprint: word('device'),
        country:
          second || this.shortCodes >= 60 ? 'DE' : this.country(under('place', at, 'Transaction.location', 'Location.country')),
        riskBand: 'ELEVATED' as const,
        riskScore: this.book.number(640_000 + this.next(), under('risk score', at, 'Transaction.risk', 'Risk.score')),
        riskSignals: [word('risk signal', at, 'Transaction.risk', 'Risk.signals')],
        dispute:
          position === 2
            ? {
                status: word('dispute', at, 'Transaction.dispute', 'Dispute.status'),
                reason: word('reason of the dispute', at, 'Transaction.dispute', 'Dispute.reason'),
                openedAt: new Date(Date.UTC(2026, 7, 20)),
              }
            : null,
        createdAt: new Date(Date.UTC(2026, 7, 10 + position)),
      })),
    });
  }

  /** What the helpdesk has stored, with changes since; the next fetch or poll tells of it. */
  change(name: CanaryTicketName, values: Partial<TicketSnapshot['ticket']>): void {
    const { reference } = this.tickets[name];
    const snapshot = this.snapshots.get(reference);
    if (!snapshot) throw new Error(`no ticket ${name}`);
    this.snapshots.set(reference, {
      ...snapshot,
      ticket: { ...snapshot.ticket, ...values, revision: snapshot.ticket.revision + 1 },
    });
    this.changed.add(reference);
  }

  /** Of a ticket's customer, as the helpdesk would name them in another ticket. */
  recordOf(name: CanaryTicketName): TicketSnapshot['ticket']['customer'] {
    return this.snapshots.get(this.tickets[name].reference)?.ticket.customer ?? null;
  }

  readonly helpdesk: HelpdeskConnector = {
    kind: 'canary',
    fetchTicket: async (reference) => {
      this.asked.push(reference);
      if (this.helpdeskIsDown) throw new SourceUnavailable('demo', 'timeout');
      const snapshot = this.snapshots.get(reference);
      return snapshot ? { ...snapshot, asOf: this.now() } : null;
    },
    visibleTickets: async (references) => new Set(references.filter((reference) => this.snapshots.has(reference))),
    backfill: () => this.batches([...this.snapshots.keys()]),
    poll: () => {
      const references = [...this.changed];
      this.changed.clear();
      return this.batches(references);
    },
    judgeWebhook: () => ({ outcome: 'rejected', why: 'canaries send none' }),
    ping: async () => {},
  };

  private async *batches(references: readonly string[]) {
    const asOf = this.now();
    const tickets = references.flatMap((reference) => {
      const snapshot = this.snapshots.get(reference);
      return snapshot ? [{ ...snapshot, asOf }] : [];
    });
    yield { tickets, cursor: 'here', complete: true, asOf };
  }

  readonly payments: PaymentsConnector = {
    kind: 'canary',
    findCustomers: async ({ helpdeskReference, email }) =>
      this.paymentSnapshots
        .map(({ customer }) => customer)
        .filter((each) => each.helpdeskReference === helpdeskReference || (email !== null && each.email === email)),
    fetchCustomer: async (reference) => {
      const snapshot = this.paymentSnapshots.find(({ customer }) => customer.reference === reference);
      return snapshot ? { ...snapshot, asOf: this.now() } : null;
    },
    changes: () => this.noChanges(),
    judgeWebhook: () => ({ outcome: 'rejected', why: 'canaries send none' }),
    ping: async () => {},
  };

  private async *noChanges() {
    yield { customers: [], cursor: 'here', complete: true, asOf: this.now() };
  }

  /** In place of the demo merchant. */
  get connectors() {
    return { demo: this.helpdesk, 'demo-pay': this.payments };
  }
}
