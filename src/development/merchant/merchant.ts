import { normalizeEmail } from '../../privacy/mail-addresses';
import {
  type Channel,
  type HelpdeskCustomerRecord,
  type MessageRecord,
  type StaffRecord,
  type TicketRecord,
  type TicketSnapshot,
  type TicketStatus,
  ticketStatuses,
} from '../../upstream/helpdesk/helpdesk.port';
import type { MailAttachment } from '../../upstream/helpdesk/mail-parts';
import type { PaymentCustomerRecord, PaymentMethodRecord, TransactionRecord } from '../../upstream/payments/payments.port';
import { asTyped, testCardOf, testCards } from './cards';
import { type CastTicket, castTickets, firstTicketReference, type Topic } from './cast';
import { priceText } from './catalogue';
import { filled, phrases } from './conversation';
import {
  accountCreatedAt,
  contactChangedAt,
  type DemoSubscription,
  demoHistoryDays,
  methodsOf,
  paymentNumberOf,
  paymentReferenceOf,
  subscriptionsOf,
  transactionsOf,
  transactionsPerHundred,
} from './history';
import { castSize, numbersBehind, type Person, personOf } from './people';
import { Random, weighted } from './random';
import { type DemoTeam, demoStaff, staffOf, takersOf } from './staff';

export interface DemoOptions {
  /** Any safe integer: another seed, another merchant. */
  readonly seed: number;
  /** 1 is 5,000 customers, 12,000 tickets and 80,000 transactions; multiples and fractions in steps of 0.02 (100 customers). */
  readonly size: number;
  /** The day the merchant lives on: everything happened before it, and cards expire by it. Rounded down to the UTC day. */
  readonly anchor: Date;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const kinds = { ticket: 31, conversation: 32 } as const;

const customersPerBlock = 100;
const ticketsPerBlock = 240;
/** Of twelve tickets in a row, five go through all customers in turn and seven fall to whoever has trouble more often. */
const ticketsPerRound = 12;
const turnsPerRound = 5;

const channel = weighted<Channel>(
  ['EMAIL', 45],
  ['WEB', 20],
  ['CHAT', 15],
  ['PHONE', 9],
  ['SMS', 4],
  ['SOCIAL', 4],
  ['API', 2],
  ['OTHER', 1],
);

const messageCount = weighted(
  [1, 20],
  [2, 28],
  [3, 20],
  [4, 14],
  [5, 8],
  [6, 4],
  [7, 2],
  [8, 1.5],
  [9, 1],
  [10, 0.7],
  [11, 0.4],
  [12, 0.4],
);

const isOpen = (status: TicketStatus): boolean => status === 'NEW' || status === 'OPEN' || status === 'PENDING';

/** Largest first step near the golden section that is coprime to `size`: n × step mod size then visits everybody once. */
const strideFor = (size: number): number => {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.floor(size * 0.618));
  while (divisor(stride, size) !== 1) stride += 1;
  return stride;
};

export const helpdeskReferenceOf = (customer: number): string => `hc-${customer}`;

/** The customer's number; 0 for a text that is no such reference. */
export const helpdeskNumberOf = (reference: string): number => {
  const found = /^hc-([1-9]\d{0,8})$/.exec(reference);
  return found ? Number(found[1]) : 0;
};

/** A helpdesk customer as the provider's metadata names them: source and reference, so that no other helpdesk's customer fits. */
export const helpdeskNameOf = (source: string, reference: string): string => `${source}:${reference}`;

/** What a ticket is about and where it stands, before anything is written in it. */
interface Plan extends Omit<CastTicket, 'age'> {
  readonly createdAt: number;
  readonly pastesCard: boolean;
}

/** What a customer sends along with the first message of some tickets. */
const filesOf = (number: number, { order }: Readonly<Record<string, string>>): readonly MailAttachment[] => {
  if (number % 5 === 1) return [{ name: `screenshot-${order}.png`, type: 'image/png', size: 184_213 + number }];
  if (number % 11 === 4) return [{ name: `invoice ${order}.pdf`, type: 'application/pdf', size: 48_120 + number }];
  return [];
};

/**
 * A merchant that doesn't exist: customers, their payments and their tickets, each computed from (seed, size, anchor)
 * and its own number alone. Two merchants with equal options are equal; nothing is kept, so size costs no memory.
 */
export class DemoMerchant {
  readonly seed: number;
  readonly size: number;
  readonly anchor: Date;
  /** Customers are numbered from 1 to this. */
  readonly customers: number;
  /** Tickets are numbered from 0 to one less than this. */
  readonly tickets: number;
  readonly transactions: number;
  private readonly stride: number;

  constructor({ seed, size, anchor }: DemoOptions) {
    if (!Number.isSafeInteger(seed)) throw new RangeError('seed: a whole number');
    if (!(size > 0 && size <= 1_000)) throw new RangeError('size: above 0, at most 1000');
    if (Number.isNaN(anchor.getTime())) throw new RangeError('anchor: a valid date');
    const blocks = Math.max(1, Math.round(size * 50));
    this.seed = seed;
    this.size = blocks / 50;
    this.anchor = new Date(Math.floor(anchor.getTime() / day) * day);
    this.customers = blocks * customersPerBlock;
    this.tickets = blocks * ticketsPerBlock;
    this.transactions = blocks * transactionsPerHundred;
    this.stride = strideFor(this.customers - castSize);
  }

  person(customer: number): Person {
    if (!this.hasCustomer(customer)) throw new RangeError('no such customer');
    return personOf(this.seed, customer);
  }

  hasCustomer(customer: number): boolean {
    return Number.isInteger(customer) && customer >= 1 && customer <= this.customers;
  }

  helpdeskCustomer(customer: number): HelpdeskCustomerRecord {
    const person = this.person(customer);
    return {
      reference: helpdeskReferenceOf(customer),
      displayName: person.displayName,
      email: person.helpdeskEmail,
      phone: person.phone,
      region: person.country,
      protectedPaymentReference: null,
    };
  }

  paymentCustomer(customer: number, helpdeskSource: string): PaymentCustomerRecord {
    const person = this.person(customer);
    return {
      reference: paymentReferenceOf(customer),
      email: person.paymentEmail,
      displayName: person.cardName,
      phone: person.phone,
      helpdeskReference: person.link === 'VERIFIED' ? helpdeskNameOf(helpdeskSource, helpdeskReferenceOf(customer)) : null,
      createdAt: accountCreatedAt(this.seed, customer, this.anchor),
      emailChangedAt: person.paymentEmail === null ? null : contactChangedAt(this.seed, customer, this.anchor),
      phoneChangedAt: person.phone === null ? null : contactChangedAt(this.seed, customer, this.anchor),
    };
  }

  /** Number of the payment customer, 0 when there is none. */
  paymentCustomerNumber(reference: string): number {
    const number = paymentNumberOf(reference);
    return this.hasCustomer(number) ? number : 0;
  }

  /** Numbers of all payment customers with this e-mail, compared as the link does. */
  paymentCustomersByEmail(email: string): number[] {
    const wanted = normalizeEmail(email);
    if (wanted === null) return [];
    return numbersBehind(wanted).filter((number) => {
      const held = this.hasCustomer(number) ? this.person(number).paymentEmail : null;
      return held !== null && normalizeEmail(held) === wanted;
    });
  }

  methods(customer: number): PaymentMethodRecord[] {
    return methodsOf(this.seed, this.person(customer), this.anchor);
  }

  subscriptions(customer: number): readonly DemoSubscription[] {
    return subscriptionsOf(this.seed, customer, this.methods(customer));
  }

  /** In the order of time. */
  transactionsOf(customer: number): TransactionRecord[] {
    const person = this.person(customer);
    return transactionsOf(this.seed, person, methodsOf(this.seed, person, this.anchor), this.anchor);
  }

  ticketReference(ticket: number): string {
    return String(firstTicketReference + ticket);
  }

  /** Number of the ticket, -1 when there is none. */
  ticketNumber(reference: string): number {
    if (!/^[1-9]\d{0,9}$/.test(reference)) return -1;
    const number = Number(reference) - firstTicketReference;
    return number >= 0 && number < this.tickets ? number : -1;
  }

  /** The ticket with its messages, as the helpdesk held it at the anchor. */
  ticket(number: number): Omit<TicketSnapshot, 'asOf'> {
    if (!Number.isInteger(number) || number < 0 || number >= this.tickets) throw new RangeError('no such ticket');
    const person = this.customerOfTicket(number);
    const methods = person === null ? [] : methodsOf(this.seed, person, this.anchor);
    const transactions = person === null ? [] : transactionsOf(this.seed, person, methods, this.anchor);
    const random = new Random(this.seed, kinds.ticket, number);
    const createdAt = this.createdAtOfTicket(number, random);
    const subject = subjectTransaction(castTickets[number]?.topic, transactions, createdAt, random);
    const plan = this.plan(number, createdAt, person, methods, subject, random);
    return this.written(number, plan, person, methods, subject);
  }

  private customerOfTicket(number: number): Person | null {
    const cast = castTickets[number];
    if (cast) return cast.customer === null ? null : this.person(cast.customer);
    const others = this.customers - castSize;
    const position = number % ticketsPerRound;
    const turn = Math.floor(number / ticketsPerRound) * turnsPerRound + position;
    const chosen =
      position < turnsPerRound ? turn : Math.floor(others * new Random(this.seed, kinds.ticket, -1 - number).fraction() ** 1.3);
    return this.person(castSize + 1 + ((chosen * this.stride) % others));
  }

  private createdAtOfTicket(number: number, random: Random): number {
    const cast = castTickets[number];
    if (cast) return this.anchor.getTime() - cast.age * hour - random.below(50) * minute;
    // By number, with an hour of disorder; the last ones a few hours before the anchor.
    const span = (demoHistoryDays - 2) * day;
    const begin = this.anchor.getTime() - span - 4 * hour;
    return begin + Math.floor((number / this.tickets) * span) + random.below(hour);
  }

  private plan(
    number: number,
    createdAt: number,
    person: Person | null,
    methods: readonly PaymentMethodRecord[],
    subject: TransactionRecord | null,
    random: Random,
  ): Plan {
    const cast = castTickets[number];
    if (cast) return { ...cast, createdAt, pastesCard: cast.pastesCard === true };
    const topic = topicOf(subject, methods, random);
    const method = methods.find((each) => each.reference === subject?.paymentMethodReference);
    const team: DemoTeam = topic === 'unrecognized' ? 'disputes' : method?.kind === 'WALLET' ? 'wallets' : 'cards';
    const age = (this.anchor.getTime() - createdAt) / day;
    const staysOpen = random.chance(age < 2 ? 0.75 : age < 10 ? 0.45 : age < 30 ? 0.1 : 0.015);
    const status: TicketStatus = staysOpen
      ? age < 1.5 && random.chance(0.4)
        ? 'NEW'
        : random.chance(0.25)
          ? 'PENDING'
          : 'OPEN'
      : random.chance(age > 20 ? 0.75 : 0.3)
        ? 'CLOSED'
        : 'RESOLVED';
    const taker = !isOpen(status) && team === 'cards' && age > 40 && random.chance(0.15) ? 'wanda' : random.pick(takersOf[team]);
    const assignee = status === 'NEW' || (staysOpen && random.chance(0.1)) ? null : taker;
    const draw = random.fraction();
    const supervisor = team === 'disputes' ? null : 'sam';
    const assignedBy = assignee === null ? null : draw < 0.2 ? assignee : draw < 0.4 ? supervisor : null;
    const via = channel(random);
    const createdByStaff = via === 'PHONE' && random.chance(0.5) ? random.pick(takersOf[team]) : null;
    const changedBy = random.chance(0.02) ? random.pick(takersOf[team]) : null;
    return {
      customer: person?.number ?? null,
      status,
      channel: via,
      team,
      assignee,
      assignedBy,
      createdByStaff,
      customerSetBy: [...new Set([createdByStaff, changedBy].filter((each) => each !== null))],
      topic,
      messages: status === 'NEW' ? 1 : messageCount(random),
      createdAt,
      pastesCard: random.chance(0.05),
    };
  }

  private written(
    number: number,
    plan: Plan,
    person: Person | null,
    methods: readonly PaymentMethodRecord[],
    subject: TransactionRecord | null,
  ): Omit<TicketSnapshot, 'asOf'> {
    const random = new Random(this.seed, kinds.conversation, number);
    const reference = this.ticketReference(number);
    const words = phrases[person?.language ?? 'en'];
    const method = methods.find((each) => each.reference === subject?.paymentMethodReference) ?? methods[0];
    const answering = plan.assignee ?? plan.createdByStaff ?? random.pick(takersOf[plan.team as DemoTeam]);
    const card = testCardOf(method?.brand ?? null, method?.last4 ?? null) ?? random.pick(testCards);
    const facts: Record<string, string> = {
      order: subject?.orderReference ?? 'A-100000',
      item: subject?.orderDescription ?? 'order',
      amount: subject ? priceText(subject.amount, subject.currency) : priceText(4_990, 'EUR'),
      date: new Date(subject?.createdAt ?? plan.createdAt).toISOString().slice(0, 10),
      last4: method?.last4 ?? '0000',
      name: person?.givenName ?? 'N. N.',
      agent: staffOf(answering)?.displayName ?? answering,
      card: asTyped(card, random.pick([' ', '-', '', '.', ' '])),
    };
    facts.answer = filled(words.answers[plan.topic], facts);
    const subjectLine = filled(words.subjects[plan.topic], facts);

    const end = this.anchor.getTime() - 10 * minute;
    const isDone = !isOpen(plan.status);
    const pasteAt = plan.pastesCard && plan.messages > 2 ? 2 : plan.pastesCard ? 0 : -1;
    const firstLine = random.below(12);
    const customer = { kind: 'CUSTOMER', displayName: person?.displayName ?? null } as const;
    const messages: MessageRecord[] = [];
    const named = new Set<string>(
      [plan.assignee, plan.assignedBy, plan.createdByStaff, ...plan.customerSetBy].filter((each) => each !== null),
    );
    let at = plan.createdAt;
    for (let position = 0; position < plan.messages; position += 1) {
      if (position > 0) {
        // At most an even share of the time that is left, so that the last message still lies before the anchor.
        const usual = random.between(4, plan.channel === 'CHAT' ? 15 : 900) * minute;
        at += Math.floor(Math.min(usual, Math.max(second, (end - at) / (plan.messages - position + 1))));
      }
      const isAnswer = position % 2 === 1;
      const line = firstLine + (position >> 1);
      let author: MessageRecord['author'] = customer;
      let text: string;
      if (position === 0) {
        text = filled(random.pick(words.openings[plan.topic]), facts);
        if (plan.createdByStaff !== null) {
          author = { kind: 'STAFF', reference: plan.createdByStaff };
          text = `Note of a call by ${person?.displayName ?? 'an unknown caller'}: ${subjectLine}`;
        }
      } else if (isAnswer) {
        author = { kind: 'STAFF', reference: answering };
        named.add(answering);
        text = position === 1 ? filled(words.greeting, facts) : (words.agentLines[line % words.agentLines.length] as string);
      } else if (isDone && position >= plan.messages - 2 && position !== pasteAt) {
        text = filled(words.closing, facts);
      } else {
        text = words.customerLines[line % words.customerLines.length] as string;
      }
      if (position === pasteAt) text = position === 0 ? `${text}\n\n${filled(words.pasted, facts)}` : filled(words.pasted, facts);
      messages.push({
        reference: `${reference}-${position + 1}`,
        author,
        channel: plan.channel,
        body: text,
        attachments: position === 0 && author === customer ? filesOf(number, facts) : [],
        createdAt: new Date(at),
      });
    }
    const updatedAt = isDone ? Math.min(end, at + random.between(1, 120) * minute) : at;
    const ticket: TicketRecord = {
      reference,
      // One for the creation, one a message, one each for whatever else is known to have happened.
      revision:
        1 + plan.messages + plan.customerSetBy.length + (plan.assignee === null ? 0 : 1) + ticketStatuses.indexOf(plan.status),
      subject: subjectLine,
      status: plan.status,
      channel: plan.channel,
      team: plan.team,
      assignee: plan.assignee,
      assignedBy: plan.assignedBy,
      createdByStaff: plan.createdByStaff,
      customerSetBy: plan.customerSetBy,
      customer: person === null ? null : this.helpdeskCustomer(person.number),
      createdAt: new Date(plan.createdAt),
      updatedAt: new Date(updatedAt),
    };
    return { ticket, messages, staff: staffRecords(named) };
  }
}

/** The records of these staff members, in the order of the roster and without the demo's own fields. */
export const staffRecords = (references: ReadonlySet<string>): StaffRecord[] =>
  demoStaff
    .filter((each) => references.has(each.reference))
    .map(({ reference, displayName, login, email, active }) => ({ reference, displayName, login, email, active }));

/** The last transaction before the ticket that its topic is about; without a topic, the most troublesome of three. */
const subjectTransaction = (
  topic: Topic | undefined,
  transactions: readonly TransactionRecord[],
  before: number,
  random: Random,
): TransactionRecord | null => {
  let known = transactions.length;
  while (known > 0 && (transactions[known - 1] as TransactionRecord).createdAt.getTime() > before) known -= 1;
  if (known === 0) return null;
  if (topic !== undefined) {
    for (let position = known - 1; position >= 0; position -= 1) {
      const transaction = transactions[position] as TransactionRecord;
      if (fits(topic, transaction, transactions[position - 1])) return transaction;
    }
    return transactions[known - 1] as TransactionRecord;
  }
  let best = transactions[random.below(known)] as TransactionRecord;
  for (let tries = 0; tries < 2 && best.status === 'CAPTURED'; tries += 1)
    best = transactions[random.below(known)] as TransactionRecord;
  return best;
};

const fits = (topic: Topic, transaction: TransactionRecord, previous: TransactionRecord | undefined): boolean => {
  switch (topic) {
    case 'declined':
      return transaction.status === 'DECLINED';
    case 'twice':
      return transaction.orderReference === previous?.orderReference && previous?.declineCode === null;
    case 'expired':
      return transaction.declineCode === 'expired_card';
    case 'refund':
      return transaction.status === 'REFUNDED' || transaction.status === 'PARTIALLY_REFUNDED';
    case 'authentication':
      return transaction.status === 'REQUIRES_ACTION' || transaction.declineCode === 'authentication_required';
    case 'unrecognized':
      return transaction.status === 'DISPUTED' || transaction.declineCode === 'fraudulent';
    case 'change':
    case 'receipt':
      return transaction.status === 'CAPTURED';
  }
};

const settledTopic = weighted<Topic>(['receipt', 30], ['change', 20], ['refund', 18], ['unrecognized', 6]);

const topicOf = (subject: TransactionRecord | null, methods: readonly PaymentMethodRecord[], random: Random): Topic => {
  if (subject === null) return 'change';
  if (subject.declineCode === 'expired_card') return 'expired';
  if (subject.declineCode === 'authentication_required' || subject.status === 'REQUIRES_ACTION') return 'authentication';
  if (subject.declineCode === 'fraudulent' || subject.status === 'DISPUTED') return 'unrecognized';
  if (subject.status === 'DECLINED') return 'declined';
  if (subject.status === 'REFUNDED') return random.chance(0.4) ? 'twice' : 'refund';
  if (subject.status === 'PARTIALLY_REFUNDED') return 'refund';
  if (methods.some((method) => method.status === 'EXPIRED' || method.status === 'EXPIRING') && random.chance(0.4))
    return 'expired';
  return settledTopic(random);
};
