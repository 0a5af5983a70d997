import { LRUCache } from 'lru-cache';
import type { LinkAssurance, LiveAssistance, SignedInActor } from '../../authz/actor';
import { joined, type Sql, sql } from '../../db/sql';
import { Failure } from '../../failure';
import { type Keyset, PageRequest } from '../../graphql/page';
import type { RequestAccess } from '../../graphql/request-access';
import { endOfStep } from '../../privacy/answer-time';
import type { Assistances } from '../assistance/assistance.service';
import type { Core } from '../core';
import { customer, linkRows } from '../customers/customers.rows';
import type { Ticket } from './ticket.entity';
import { MessageConnection, MessageType, TicketConnection, type TicketFilter, TicketOrder, TicketType } from './ticket.type';
import { messagesInOrder, type TicketsLoader } from './tickets.loader';
import { ticketScope } from './tickets.policy';
import { type OpenedRow, type TicketRow, ticket, ticketCounts, ticketRows } from './tickets.rows';
import { type FoundTicket, type InScope, type ScopeParts, TicketsInScope } from './tickets.scope';

export interface TicketParts extends ScopeParts, Pick<Core, 'keys' | 'cursors'> {
  readonly assistances: Assistances;
}

export interface TicketPageArguments {
  readonly filter: TicketFilter | null | undefined;
  readonly orderBy: TicketOrder;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** What reaches a helpdesk on behalf of one actor: per minute. */
const readThroughsPerMinute = 60;
const longestReference = 128;
/** Counted by size: where `max` says it, the room for all of them is taken at once. */
const bounded = { maxSize: 20_000, sizeCalculation: () => 1 } as const;

const latestFirst = (by: 'createdAt' | 'updatedAt'): Keyset<TicketRow> => ({
  column: ticket[by],
  id: ticket.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row[by].getTime(), id: row.id }),
});
const ticketsBy: Readonly<Record<TicketOrder, Keyset<TicketRow>>> = {
  [TicketOrder.CREATED_AT]: latestFirst('createdAt'),
  [TicketOrder.UPDATED_AT]: latestFirst('updatedAt'),
};

/** Tickets within an actor's scope; opening one is what begins an assistance. */
export class Tickets {
  /** References that a person asked for a moment ago and may not see, whether they exist or not. */
  private readonly notTheirs = new LRUCache<string, true>({ ...bounded, ttl: 10_000 });
  private readonly withinScope: TicketsInScope;
  private readonly readThroughs = new LRUCache<string, { count: number }>({ ...bounded, ttl: 60_000 });

  constructor(private readonly parts: TicketParts) {
    this.withinScope = new TicketsInScope(parts);
  }

  /** Opens a ticket by our id. Throws `NOT_FOUND` outside the actor's scope. */
  async open(actor: SignedInActor, access: RequestAccess, id: string): Promise<TicketType> {
    return this.opened(access, await this.withinScope.require(actor, id));
  }

  /**
   * Opens a ticket by the helpdesk's number. What isn't in the actor's scope as stored is asked of the helpdesk, whether we have a
   * row or not, so that neither answer nor time tells which. Throws `NOT_FOUND`, `INVALID`, `RATE_LIMITED`, `UPSTREAM_UNAVAILABLE`.
   */
  async openByReference(actor: SignedInActor, access: RequestAccess, source: string, reference: string): Promise<TicketType> {
    if (reference.length === 0 || reference.length > longestReference)
      throw Failure.invalid('reference', `expected 1 to ${longestReference} characters`);
    this.parts.sources.helpdesk(source);
    const byReference = () =>
      this.withinScope.find(actor, sql`${ticket.source} = ${source} AND ${ticket.reference} = ${reference}`);
    const found = await byReference();
    if (found) return this.opened(access, found);
    const asked = `${actor.id} ${source} ${reference}`;
    if (this.notTheirs.has(asked)) throw Failure.notFound('ticket');
    this.spendReadThrough(actor);
    const began = performance.now();
    await this.parts.sources.refreshTicket(source, reference);
    const arrived = await byReference();
    if (arrived) return this.opened(access, arrived);
    this.notTheirs.set(asked, true);
    // A helpdesk says sooner that it has no such ticket than what stands in somebody else's.
    await endOfStep(began);
    throw Failure.notFound('ticket');
  }

  async page(actor: SignedInActor, { filter, orderBy, first, after }: TicketPageArguments) {
    const given = filter ?? {};
    const list = ['Query.tickets', given, orderBy];
    const request = new PageRequest(
      { cursors: this.parts.cursors, actorId: actor.id, list, keyset: ticketsBy[orderBy] },
      { first, after },
    );
    const now = this.parts.clock();
    const conditions = [ticketScope(actor, this.parts.scope, now)];
    const among = (column: Sql, values: readonly string[]) =>
      conditions.push(values.length > 0 ? sql`${column} IN (${values})` : sql`1 = 0`);
    if (given.status) among(ticket.status, given.status);
    if (given.channel) among(ticket.channel, given.channel);
    if (typeof given.source === 'string')
      conditions.push(sql`${ticket.source} = ${this.parts.sources.helpdesk(given.source).name}`);
    if (typeof given.team === 'string') conditions.push(sql`${ticket.team} = ${given.team}`);
    if (given.assignedToMe === true) among(ticket.assigneeId, actor.staffIds);
    if (given.updatedFrom) conditions.push(sql`${ticket.updatedAt} >= ${given.updatedFrom}`);
    if (given.updatedBefore) conditions.push(sql`${ticket.updatedAt} < ${given.updatedBefore}`);
    const where = sql`WHERE ${joined(conditions, ' AND ')}`;
    const rows = await this.parts.database.read(ticketRows, sql`${where} ${request.clause}`);
    return new TicketConnection(
      request.pageOf(
        rows,
        (row) => this.toType(row, now, false),
        async () => {
          const [counted] = await this.parts.database.read(ticketCounts, where);
          return counted?.n ?? 0;
        },
      ),
    );
  }

  /** Those of these tickets that are within the actor's scope, as stored: none of them is opened by it. */
  async reachable(actor: SignedInActor, ids: readonly string[]): Promise<readonly TicketType[]> {
    const now = this.parts.clock();
    const rows = await this.parts.database.read(
      ticketRows,
      sql`WHERE ${ticket.id} IN (${ids}) AND ${ticketScope(actor, this.parts.scope, now)}`,
    );
    return rows.map((row) => this.toType(row, now, false));
  }

  /** The ticket as whatever is asked for on it needs it. Throws `NOT_FOUND` outside the actor's scope. */
  async inScope(actor: SignedInActor, id: string): Promise<InScope<Ticket>> {
    const { ticket } = await this.withinScope.confirmed(await this.withinScope.require(actor, id));
    return ticket;
  }

  /** The assurance of the link behind a ticket. Throws `NOT_FOUND` outside the actor's scope. */
  async linkOf(actor: SignedInActor, id: string): Promise<LinkAssurance> {
    const { row } = await this.withinScope.require(actor, id);
    const [linked] = await this.parts.database.read(linkRows, sql`WHERE ${customer.id} = ${row.customerId}`);
    return linked?.link ?? 'NONE';
  }

  async messages(
    actor: SignedInActor,
    loader: TicketsLoader,
    ticket: TicketType,
    first: number | null,
    after: string | null | undefined,
  ) {
    const list = ['Ticket.messages', ticket.id];
    const request = new PageRequest(
      { cursors: this.parts.cursors, actorId: actor.id, list, keyset: messagesInOrder },
      { first, after },
    );
    const rows = await loader.messages({ ticketId: ticket.id, limit: request.limit, after: request.after });
    return new MessageConnection(
      request.pageOf(
        rows,
        (row) => new MessageType(ticket, row, this.parts.keys),
        () => loader.messageCount(ticket.id),
      ),
    );
  }

  private async opened(access: RequestAccess, found: FoundTicket): Promise<TicketType> {
    const { ticket, row } = await this.withinScope.confirmed(found);
    const { actor } = ticket;
    const now = this.parts.clock();
    const shown = this.toType(row, now, true);
    if (!access.knowsAll) {
      const own = this.grantOf(row, now);
      if (own) access.grant(own);
      // Without one on this ticket, one on another ticket of the same customer may cover what a beginning would be denied for.
      else access.grantAll(await this.parts.assistances.confirmedOf(actor));
    }
    if (shown.customerId !== null && !access.onTicket(shown.id, shown.customerId)) {
      try {
        const begun = await this.parts.assistances.open(ticket);
        access.grant(begun);
      } catch (error) {
        // The ticket is theirs to see; its customer is not, for this reason.
        if (!(error instanceof Failure) || error.code !== 'DENIED' || error.details.reason === undefined) throw error;
        shown.openingDenial = error.details.reason;
      }
    }
    return shown;
  }

  /** The actor's live assistance on the ticket as the row has it: of this customer, and with an assignment that was confirmed lately. */
  private grantOf(row: OpenedRow, now: Date): LiveAssistance | null {
    const { grantId: id, grantCustomerId: customerId, grantExpiresAt: expiresAt } = row;
    if (id === null || customerId === null || expiresAt === null || customerId !== row.customerId) return null;
    if (now.getTime() - row.confirmedAt.getTime() > this.parts.maximumAge) return null;
    return { id, ticketId: row.id, customerId, expiresAt };
  }

  private toType(row: TicketRow, now: Date, isOpened: boolean): TicketType {
    return new TicketType(row, this.parts.keys, { maximumAge: this.parts.maximumAge, at: now }, isOpened);
  }

  private spendReadThrough(actor: SignedInActor): void {
    const spent = this.readThroughs.get(actor.id) ?? { count: 0 };
    if (spent.count >= readThroughsPerMinute) {
      throw new Failure('RATE_LIMITED', 'Too many tickets were asked of the helpdesk.', {
        remedy: 'Wait a minute.',
        retryAfter: 60,
      });
    }
    spent.count += 1;
    this.readThroughs.set(actor.id, spent, { noUpdateTTL: true });
  }
}
