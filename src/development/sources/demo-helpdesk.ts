import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ProgrammingError } from '../../failure';
import type {
  HelpdeskConnector,
  MessageRecord,
  OpenedDraft,
  TicketBatch,
  TicketDraft,
  TicketRecord,
  TicketSnapshot,
  WebhookJudgement,
} from '../../upstream/helpdesk/helpdesk.port';
import { noteText } from '../../upstream/helpdesk/note-text';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { ChangeLog, type Clock, wallClock } from '../merchant/change-log';
import { positionIn, writeDemoCursor } from '../merchant/cursor';
import { demoHistoryDays } from '../merchant/history';
import { DemoMerchant, type DemoOptions, helpdeskNumberOf, staffRecords } from '../merchant/merchant';
import { staffOf } from '../merchant/staff';

export interface DemoHelpdeskOptions extends DemoOptions {
  /** Name of the configured source. */
  readonly source: string;
  readonly clock?: Clock;
}

/** A note as staff of the demo helpdesk would read it on the ticket. */
export interface DemoNote {
  /** The ticket's. */
  readonly reference: string;
  readonly text: string;
  readonly at: Date;
}

/** A ticket that the gateway opened, as it was at first. */
interface DemoOpened {
  readonly ticket: TicketRecord;
  readonly messages: readonly MessageRecord[];
}

const batchSize = 200;
const ticketsOpened = 1_000;
const notesKept = 1_000;
const day = 24 * 60 * 60 * 1_000;

/**
 * The demo merchant's helpdesk. Its tickets are computed, not stored; changes made here live in memory, get a higher
 * revision and are seen by `poll`, `fetchTicket` and `backfill`, as in a helpdesk where people work.
 */
export class DemoHelpdesk implements HelpdeskConnector {
  readonly kind = 'demo';
  readonly merchant: DemoMerchant;
  private readonly source: string;
  private readonly clock: Clock;
  private readonly changes: ChangeLog;
  private readonly changed = new Map<string, TicketRecord>();
  private readonly rewritten = new Map<string, readonly MessageRecord[]>();
  private readonly written: DemoNote[] = [];
  /** Tickets that the gateway opened, by the key of each, in their order. */
  private readonly opened = new Map<string, DemoOpened>();
  private isDown = false;

  constructor(options: DemoHelpdeskOptions) {
    this.merchant = new DemoMerchant(options);
    this.source = options.source;
    this.clock = options.clock ?? wallClock;
    this.changes = new ChangeLog(this.clock);
  }

  async fetchTicket(reference: string): Promise<TicketSnapshot | null> {
    const asOf = this.clock.now();
    this.reach();
    return this.snapshot(reference, asOf);
  }

  async visibleTickets(references: readonly string[]): Promise<ReadonlySet<string>> {
    this.reach();
    return new Set(references.filter((reference) => this.has(reference)));
  }

  async messageMarks(references: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map([...(await this.visibleTickets(references))].map((reference) => [reference, this.markOf(reference)]));
  }

  /** Throws `SourceUnavailable` (malformed) for a cursor of another merchant; see `readDemoCursor`. */
  async *backfill(since: Date, cursor: string | null): AsyncIterable<TicketBatch> {
    const resumed = cursor === null ? null : this.position(cursor);
    // A resumed run claims no more than the one that it continues.
    const asOf = resumed?.begunAt === undefined ? this.clock.now() : new Date(resumed.begunAt);
    const seen = resumed?.seen ?? this.changes.newest;
    const coversAll = since.getTime() <= this.merchant.anchor.getTime() - demoHistoryDays * day;
    let next = resumed === null ? 0 : (resumed.next ?? this.merchant.tickets);
    do {
      this.reach();
      const tickets: TicketSnapshot[] = [];
      const readAt = this.clock.now();
      for (; next < this.merchant.tickets && tickets.length < batchSize; next += 1) {
        const snapshot = this.snapshot(this.merchant.ticketReference(next), readAt);
        if (snapshot && snapshot.ticket.updatedAt >= since) tickets.push(snapshot);
      }
      const complete = next >= this.merchant.tickets;
      yield {
        tickets,
        cursor: writeDemoCursor(this.merchant, complete ? { seen } : { seen, next, begunAt: asOf.getTime() }),
        complete,
        asOf,
        ...(coversAll ? { total: this.merchant.tickets } : {}),
      };
      if (complete) return;
      // Computing tickets never waits for anything; let the rest of the process have its turn.
      await setImmediate();
    } while (next < this.merchant.tickets);
  }

  /** One complete batch, empty unless something was changed here. Throws like `backfill`. */
  async *poll(cursor: string): AsyncIterable<TicketBatch> {
    const { seen } = this.position(cursor);
    const asOf = this.clock.now();
    this.reach();
    const newest = Math.max(seen, this.changes.newest);
    const tickets = this.changes
      .after(seen)
      .map((reference) => this.snapshot(reference, asOf))
      .filter((snapshot) => snapshot !== null);
    yield { tickets, cursor: writeDemoCursor(this.merchant, { seen: newest }), complete: true, asOf };
  }

  /** Kept in memory, the newest thousand; no message of the ticket. */
  async addNote(reference: string, text: string): Promise<boolean> {
    this.reach();
    if (!this.has(reference)) return false;
    this.written.push({ reference, text: noteText(text), at: this.clock.now() });
    this.written.splice(0, Math.max(0, this.written.length - notesKept));
    return true;
  }

  /** Every note that is kept, oldest first. */
  get notes(): readonly DemoNote[] {
    return this.written;
  }

  /** Kept in memory, a thousand; null past that. An automation's, as this helpdesk has no account of the gateway. */
  async openTicket({ customerReference, queue, subject, body, idempotencyKey }: TicketDraft): Promise<string | null> {
    this.reach();
    const known = this.opened.get(idempotencyKey);
    if (known) return known.ticket.reference;
    const customer = helpdeskNumberOf(customerReference);
    if (!this.merchant.hasCustomer(customer) || this.opened.size === ticketsOpened) return null;
    const reference = this.merchant.ticketReference(this.merchant.tickets + this.opened.size);
    const at = this.clock.now();
    const ticket: TicketRecord = {
      reference,
      revision: this.changes.note(reference),
      subject,
      status: 'NEW',
      channel: 'API',
      team: queue,
      assignee: null,
      assignedBy: null,
      createdByStaff: null,
      customerSetBy: [],
      customer: this.merchant.helpdeskCustomer(customer),
      createdAt: at,
      updatedAt: at,
    };
    const message: MessageRecord = {
      reference: `${reference}-1`,
      author: { kind: 'SYSTEM' },
      channel: 'API',
      body: noteText(body),
      createdAt: at,
    };
    this.opened.set(idempotencyKey, { ticket, messages: [message] });
    return reference;
  }

  async openedTicket({ idempotencyKey }: OpenedDraft): Promise<string | null> {
    this.reach();
    return this.opened.get(idempotencyKey)?.ticket.reference ?? null;
  }

  judgeWebhook(): WebhookJudgement {
    return { outcome: 'rejected', why: 'the demo helpdesk sends no webhooks' };
  }

  async ping(): Promise<void> {
    this.reach();
  }

  /** Gives the ticket to somebody, or to nobody. `by` is who did it, null for an automation. */
  reassign(reference: string, assignee: string | null, by: string | null = null): TicketRecord {
    return this.change(reference, [assignee, by], () => ({ assignee, assignedBy: assignee === null ? null : by }));
  }

  close(reference: string): TicketRecord {
    return this.change(reference, [], () => ({ status: 'CLOSED' }));
  }

  reopen(reference: string): TicketRecord {
    return this.change(reference, [], () => ({ status: 'OPEN' }));
  }

  /** Makes the ticket about another customer, or about nobody. `by` is who did it, null for an automation. */
  setCustomer(reference: string, customer: string | null, by: string | null): TicketRecord {
    const number = customer === null ? 0 : helpdeskNumberOf(customer);
    if (customer !== null && !this.merchant.hasCustomer(number))
      throw new ProgrammingError('no such customer of the demo helpdesk');
    return this.change(reference, [by], (ticket) => ({
      customer: customer === null ? null : this.merchant.helpdeskCustomer(number),
      customerSetBy: by === null ? ticket.customerSetBy : [...new Set([...ticket.customerSetBy, by])],
    }));
  }

  /**
   * Overwrites what the customer wrote first in a ticket, or removes it where there is no text, behind the helpdesk's own history: neither
   * revision nor poll tells. False where the customer wrote nothing, or there is no such ticket.
   */
  rewrite(reference: string, text: string | null): boolean {
    const original = this.original(reference);
    if (original === null) return false;
    const current = this.messagesOf(reference, original.messages);
    const index = current.findIndex(({ author }) => author.kind === 'CUSTOMER');
    const message = current[index];
    if (message === undefined) return false;
    this.rewritten.set(reference, current.toSpliced(index, 1, ...(text === null ? [] : [{ ...message, body: text }])));
    return true;
  }

  /** From now on every call fails, as when the helpdesk can't be reached. */
  goDown(): void {
    this.isDown = true;
  }

  comeBack(): void {
    this.isDown = false;
  }

  private change(
    reference: string,
    staff: readonly (string | null)[],
    changes: (ticket: TicketRecord) => Partial<TicketRecord>,
  ): TicketRecord {
    const original = this.original(reference);
    if (original === null) throw new ProgrammingError('no such ticket of the demo helpdesk');
    if (staff.some((each) => each !== null && !staffOf(each))) throw new ProgrammingError('no such staff of the demo helpdesk');
    const current = this.changed.get(reference) ?? original.ticket;
    const revision = this.changes.note(reference, current.revision);
    const ticket: TicketRecord = { ...current, ...changes(current), revision, updatedAt: this.clock.now() };
    this.changed.set(reference, ticket);
    return ticket;
  }

  private snapshot(reference: string, asOf: Date): TicketSnapshot | null {
    const original = this.original(reference);
    if (original === null) return null;
    const ticket = this.changed.get(reference);
    // Whoever the ticket is about by now, it was its first customer who wrote.
    const isTheirs = (ticket ?? original.ticket).customer?.reference === original.ticket.customer?.reference;
    const messages = this.messagesOf(reference, original.messages).map((message) =>
      message.author.kind === 'CUSTOMER' ? { ...message, isByCustomer: isTheirs } : message,
    );
    const mark = this.markOf(reference);
    if (!ticket) return { ...original, messages, mark, asOf };
    const named = new Set([
      ...original.staff.map((each) => each.reference),
      ...[ticket.assignee, ticket.assignedBy, ...ticket.customerSetBy].filter((each) => each !== null),
    ]);
    return { ticket, messages, staff: staffRecords(named), mark, asOf };
  }

  /** A ticket as it was before anything was changed here. */
  private original(reference: string): Omit<TicketSnapshot, 'asOf'> | null {
    const number = this.merchant.ticketNumber(reference);
    if (number >= 0) return this.merchant.ticket(number);
    const opened = this.openedAs(reference);
    return opened ? { ...opened, staff: [] } : null;
  }

  private has(reference: string): boolean {
    return this.merchant.ticketNumber(reference) >= 0 || this.openedAs(reference) !== undefined;
  }

  private openedAs(reference: string): DemoOpened | undefined {
    return [...this.opened.values()].find(({ ticket }) => ticket.reference === reference);
  }

  private markOf(reference: string): string {
    const messages = this.rewritten.get(reference);
    return messages === undefined ? 'as written' : createHash('sha256').update(JSON.stringify(messages)).digest('base64url');
  }

  private messagesOf(reference: string, original: readonly MessageRecord[]): readonly MessageRecord[] {
    return this.rewritten.get(reference) ?? original;
  }

  private position(cursor: string) {
    const position = positionIn(this.merchant, cursor);
    if (position === null) throw new SourceUnavailable(this.source, 'malformed');
    return position;
  }

  private reach(): void {
    if (this.isDown) throw new SourceUnavailable(this.source, 'refused');
  }
}
