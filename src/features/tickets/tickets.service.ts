import { LRUCache } from 'lru-cache';
import type { HeldAssistance, LinkAssurance, SignedInActor } from '../../authz/actor';
import type { ScopePolicy } from '../../authz/exposure.file';
import type { Database } from '../../db/database';
import { marks, raw } from '../../db/sql';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { type Keyset, PageRequest } from '../../graphql/page';
import type { RequestAccess } from '../../graphql/request-access';
import { endOfStep } from '../../privacy/answer-time';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Assistances } from '../assistance/assistance.service';
import { heldBy } from '../assistance/held';
import { joinKey, type Keys, keyColumns } from '../keys/keys.service';
import type { Sources } from '../sources/sources.service';
import {
  MessageConnection,
  MessageType,
  TicketConnection,
  type TicketFilter,
  TicketOrder,
  type TicketRow,
  TicketType,
} from './ticket.type';
import { messagesInOrder, type TicketsLoader } from './tickets.loader';
import { ticketScope } from './tickets.policy';

export interface TicketPageArguments {
  readonly filter: TicketFilter | null | undefined;
  readonly orderBy: TicketOrder;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** A ticket with what its reader holds on it. */
interface OpenedRow extends TicketRow {
  readonly held_id: string | null;
  readonly held_customer_id: string | null;
  readonly held_until: number | null;
}

/** What reaches a helpdesk on behalf of one actor: per minute. */
const readThroughsPerMinute = 60;
const longestReference = 128;

export const ticketColumns = `t.id, t.source, t.reference, t.subject_sealed, t.status, t.channel, t.team, t.assignee_id, t.customer_id, t.created_at, t.updated_at, t.observed_at AS confirmed_at, ${keyColumns}`;
export const ticketJoins = joinKey('t');

const latestFirst = (column: 'created_at' | 'updated_at'): Keyset<TicketRow> => ({
  column: raw(`t.${column}`),
  id: raw('t.id'),
  direction: 'DESC',
  positionOf: (row) => ({ value: row[column], id: row.id }),
});
const ticketsBy: Readonly<Record<TicketOrder, Keyset<TicketRow>>> = {
  [TicketOrder.CREATED_AT]: latestFirst('created_at'),
  [TicketOrder.UPDATED_AT]: latestFirst('updated_at'),
};

/** Tickets within an actor's scope; opening one is what begins an assistance. */
export class Tickets {
  /** References that a person asked for a moment ago and may not see, whether they exist or not. */
  private readonly notTheirs = new LRUCache<string, true>({ max: 20_000, ttl: 10_000 });
  private readonly readThroughs = new LRUCache<string, { count: number }>({ max: 20_000, ttl: 60_000 });

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly sources: Sources,
    private readonly assistances: Assistances,
    private readonly cursors: Cursors,
    private readonly scope: ScopePolicy,
    private readonly assignmentBound: number,
    private readonly clock: () => Date,
  ) {}

  /** Opens a ticket by our id. Throws `NOT_FOUND` outside the actor's scope. */
  async open(actor: SignedInActor, access: RequestAccess, id: string): Promise<TicketType> {
    const found = await this.inScope(actor, 't.id = ?', [id]);
    if (!found) throw Failure.notFound('ticket');
    return this.opened(actor, access, found);
  }

  /**
   * Opens a ticket by the helpdesk's number. What isn't in the actor's scope as stored is asked of the helpdesk, whether we have a
   * row or not, so that neither answer nor time tells which. Throws `NOT_FOUND`, `INVALID`, `RATE_LIMITED`, `UPSTREAM_UNAVAILABLE`.
   */
  async openByReference(actor: SignedInActor, access: RequestAccess, source: string, reference: string): Promise<TicketType> {
    if (reference.length === 0 || reference.length > longestReference)
      throw Failure.invalid('reference', `expected 1 to ${longestReference} characters`);
    this.sources.helpdesk(source);
    const byReference = () => this.inScope(actor, 't.source = ? AND t.reference = ?', [source, reference]);
    const found = await byReference();
    if (found) return this.opened(actor, access, found);
    const asked = `${actor.id} ${source} ${reference}`;
    if (this.notTheirs.has(asked)) throw Failure.notFound('ticket');
    this.spendReadThrough(actor);
    const began = performance.now();
    await this.sources.refreshTicket(source, reference);
    const arrived = await byReference();
    if (arrived) return this.opened(actor, access, arrived);
    this.notTheirs.set(asked, true);
    // A helpdesk says sooner that it has no such ticket than what stands in somebody else's.
    await endOfStep(began);
    throw Failure.notFound('ticket');
  }

  async page(actor: SignedInActor, { filter, orderBy, first, after }: TicketPageArguments) {
    const given = filter ?? {};
    const list = ['Query.tickets', given, orderBy];
    const request = new PageRequest(this.cursors, actor.id, list, ticketsBy[orderBy], { first, after });
    const now = this.clock();
    const scope = ticketScope(actor, this.scope, now);
    const conditions = [scope.sql];
    const parameters = [...scope.parameters];
    const add = (sql: string, ...values: readonly unknown[]) => {
      conditions.push(sql);
      parameters.push(...values);
    };
    if (given.status) add(given.status.length > 0 ? `t.status IN (${marks(given.status)})` : '1 = 0', ...given.status);
    if (given.channel) add(given.channel.length > 0 ? `t.channel IN (${marks(given.channel)})` : '1 = 0', ...given.channel);
    if (typeof given.source === 'string') add('t.source = ?', this.sources.helpdesk(given.source).name);
    if (typeof given.team === 'string') add('t.team = ?', given.team);
    if (given.assignedToMe === true)
      add(actor.staffIds.length > 0 ? `t.assignee_id IN (${marks(actor.staffIds)})` : '1 = 0', ...actor.staffIds);
    if (given.updatedFrom) add('t.updated_at >= ?', given.updatedFrom.getTime());
    if (given.updatedBefore) add('t.updated_at < ?', given.updatedBefore.getTime());
    const where = conditions.join(' AND ');
    const rows = await this.database.query<TicketRow>(
      `SELECT ${ticketColumns} FROM helpdesk_ticket t ${ticketJoins} WHERE ${where} ${request.clause.sql}`,
      [...parameters, ...request.clause.values],
    );
    return new TicketConnection(
      request.pageOf(
        rows,
        (row) => this.toType(row, now, false),
        async () => {
          const [counted] = await this.database.query<{ n: number }>(
            `SELECT COUNT(*) AS n FROM helpdesk_ticket t WHERE ${where}`,
            parameters,
          );
          return counted?.n ?? 0;
        },
      ),
    );
  }

  /** Those of these tickets that are within the actor's scope, as stored: none of them is opened by it. */
  async reachable(actor: SignedInActor, ids: readonly string[]): Promise<readonly TicketType[]> {
    const now = this.clock();
    const scope = ticketScope(actor, this.scope, now);
    const rows = await this.database.query<TicketRow>(
      `SELECT ${ticketColumns} FROM helpdesk_ticket t ${ticketJoins} WHERE t.id IN (${marks(ids)}) AND ${scope.sql}`,
      [...ids, ...scope.parameters],
    );
    return rows.map((row) => this.toType(row, now, false));
  }

  /** Throws `NOT_FOUND` unless the ticket is within the actor's scope. */
  async requireInScope(actor: SignedInActor, id: string): Promise<void> {
    const row = await this.inScope(actor, 't.id = ?', [id]);
    if (!row) throw Failure.notFound('ticket');
    // Read again where the helpdesk was asked: the ticket may have just left the scope.
    if ((await this.confirm(row)) === null && !(await this.inScope(actor, 't.id = ?', [id]))) throw Failure.notFound('ticket');
  }

  /** The assurance of the link behind a ticket. Throws `NOT_FOUND` outside the actor's scope. */
  async linkOf(actor: SignedInActor, id: string): Promise<LinkAssurance> {
    const row = await this.inScope(actor, 't.id = ?', [id]);
    if (!row) throw Failure.notFound('ticket');
    const [customer] = await this.database.query<{ link: LinkAssurance }>('SELECT link FROM helpdesk_customer WHERE id = ?', [
      row.customer_id,
    ]);
    return customer?.link ?? 'NONE';
  }

  async messages(
    actor: SignedInActor,
    loader: TicketsLoader,
    ticket: TicketType,
    first: number | null,
    after: string | null | undefined,
  ) {
    const list = ['Ticket.messages', ticket.id];
    const request = new PageRequest(this.cursors, actor.id, list, messagesInOrder, { first, after });
    const rows = await loader.messages({ ticketId: ticket.id, limit: request.limit, after: request.after });
    return new MessageConnection(
      request.pageOf(
        rows,
        (row) => new MessageType(ticket, row, this.keys),
        () => loader.messageCount(ticket.id),
      ),
    );
  }

  private async opened(actor: SignedInActor, access: RequestAccess, row: OpenedRow): Promise<TicketType> {
    const current = await this.confirm(row);
    const stillMine = current === row ? row : await this.inScope(actor, 't.id = ?', [row.id]);
    if (!stillMine) throw Failure.notFound('ticket');
    const now = this.clock();
    const ticket = this.toType(stillMine, now, true);
    if (!access.holdsAll) {
      const own = this.heldOn(stillMine, now);
      if (own) access.hold(own);
      // Without one on this ticket, one on another ticket of the same customer may cover what a beginning would be denied for.
      else access.holdAll(await heldBy(actor, this.assistances, this.sources));
    }
    if (ticket.customerId !== null && !access.onTicket(ticket.id, ticket.customerId)) {
      try {
        const begun = await this.assistances.open(actor, ticket.id);
        access.hold(begun);
      } catch (error) {
        // The ticket is theirs to see; its customer is not, for this reason.
        if (!(error instanceof Failure) || error.code !== 'DENIED' || error.details.reason === undefined) throw error;
        ticket.openingDenial = error.details.reason;
      }
    }
    return ticket;
  }

  /** A row that the helpdesk confirmed within the bound, read again where it was older. When the helpdesk is down, the old row: it may be shown, it authorizes nothing. */
  private async confirm<Row extends TicketRow>(row: Row): Promise<Row | null> {
    if (this.clock().getTime() - row.confirmed_at <= this.assignmentBound) return row;
    try {
      await this.sources.refreshTicket(row.source, row.reference);
      return null;
    } catch (error) {
      if (error instanceof SourceUnavailable) return row;
      throw error;
    }
  }

  private async inScope(actor: SignedInActor, condition: string, parameters: readonly unknown[]): Promise<OpenedRow | undefined> {
    const now = this.clock();
    const scope = ticketScope(actor, this.scope, now);
    const [row] = await this.database.query<OpenedRow>(
      `SELECT ${ticketColumns}, h.id AS held_id, h.customer_id AS held_customer_id, h.expires_at AS held_until
         FROM helpdesk_ticket t ${ticketJoins} LEFT JOIN assistance h ON h.ticket_id = t.id AND h.ended_at IS NULL AND h.actor_id = ? AND h.begins_at IS NOT NULL AND h.expires_at > ?
        WHERE ${condition} AND ${scope.sql}`,
      [actor.id, now.getTime(), ...parameters, ...scope.parameters],
    );
    return row;
  }

  /** The actor's live assistance on the ticket as the row has it: of this customer, and with an assignment that was confirmed within the bound. */
  private heldOn(row: OpenedRow, now: Date): HeldAssistance | null {
    const { held_id: id, held_customer_id: customerId, held_until: until } = row;
    if (id === null || customerId === null || until === null || customerId !== row.customer_id) return null;
    if (now.getTime() - row.confirmed_at > this.assignmentBound) return null;
    return { id, ticketId: row.id, customerId, expiresAt: new Date(until) };
  }

  private toType(row: TicketRow, now: Date, isOpened: boolean): TicketType {
    return new TicketType(row, this.keys, this.assignmentBound, now, isOpened);
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
