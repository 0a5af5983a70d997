import type { LinkAssurance, SignedInActor } from '../../authz/actor';
import { reachedBy } from '../../db/reached';
import { joined, padded, type Sql, sql } from '../../db/sql';
import type { Fields } from '../../db/table';
import { Failure } from '../../failure';
import { type Keyset, PageRequest } from '../../graphql/page';
import type { RequestAccess } from '../../graphql/request-access';
import type { Core } from '../core';
import type { CustomersLoader } from '../customers/customers.loader';
import type { Ticket } from './ticket.entity';
import { MessageConnection, MessageType, TicketConnection, type TicketFilter, TicketOrder, TicketType } from './ticket.type';
import { messagesInOrder, type TicketsLoader } from './tickets.loader';
import { listedScope } from './tickets.policy';
import { type MessageRow, type TicketRow, ticket, ticketCounts, ticketRows } from './tickets.rows';
import { alone, type InScope, type ScopeParts, TicketsInScope } from './tickets.scope';

export type TicketParts = ScopeParts & Pick<Core, 'keys' | 'cursors'>;

export interface TicketPageArguments {
  readonly filter: TicketFilter | null | undefined;
  readonly orderBy: TicketOrder;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

interface MessagePageArguments {
  readonly first: number | null;
  readonly after: string | null | undefined;
  /** What the operation selects; null where nobody knows. */
  readonly fields: Fields | null;
}

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

/** Tickets within an actor's scope. */
export class Tickets {
  private readonly withinScope: TicketsInScope<TicketRow>;

  constructor(private readonly parts: TicketParts) {
    this.withinScope = new TicketsInScope(parts, alone);
  }

  async page(actor: SignedInActor, { filter, orderBy, first, after }: TicketPageArguments, fields: Fields | null) {
    const given = filter ?? {};
    const list = ['Query.tickets', given, orderBy];
    const request = new PageRequest(
      { cursors: this.parts.cursors, actorId: actor.id, list, keyset: ticketsBy[orderBy] },
      { first, after, fields },
    );
    const now = this.parts.clock();
    const conditions = [listedScope(actor, this.parts.scope, now)];
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
    const rows = await this.parts.database.read(ticketRows.for(fields), sql`${where} ${request.clause}`);
    return new TicketConnection(
      request.pageOf(
        rows,
        (row) => this.toType(row, now),
        async () => {
          const [counted] = await this.parts.database.read(ticketCounts, where);
          return counted?.n ?? 0;
        },
      ),
    );
  }

  /** Those of these tickets that are within the actor's scope, as stored: none of them is opened by it. */
  async reachable(actor: SignedInActor, ids: readonly string[], fields: Fields | null): Promise<readonly TicketType[]> {
    const now = this.parts.clock();
    const rows = await this.parts.database.read(
      ticketRows.for(fields),
      sql`WHERE ${ticket.id} IN (${padded(ids)}) AND ${listedScope(actor, this.parts.scope, now)}`,
    );
    return rows.map((row) => this.toType(row, now));
  }

  /**
   * The ticket as whatever is asked for on it needs it. Before its helpdesk is asked for it again, `permit` judges it as it is stored.
   * Throws `NOT_FOUND` outside the actor's scope, and what `permit` throws.
   */
  async inScope(actor: SignedInActor, id: string, permit: (stored: InScope<Ticket>) => Promise<void>): Promise<InScope<Ticket>> {
    const { ticket } = await this.withinScope.confirmed(await this.withinScope.require(actor, id), permit);
    return ticket;
  }

  /**
   * The assurance of the link behind a ticket, which is the customer's own (`Customer.link`): it is told under an assistance on that
   * ticket, to who has a second factor, and is on record as asked for at `coordinate`. Throws `NOT_FOUND` outside the actor's scope,
   * `DENIED`.
   */
  async linkOf(
    actor: SignedInActor,
    { access, customers }: { readonly access: RequestAccess; readonly customers: CustomersLoader },
    id: string,
    coordinate: string,
  ): Promise<LinkAssurance> {
    const [row] = await this.reachable(actor, [id], access.fields);
    if (!row) throw Failure.notFound('ticket');
    if (!actor.mfa) throw Failure.denied('MFA_REQUIRED', coordinate, id);
    if (row.customerId === null) return 'NONE';
    if (!access.onTicket(id, row.customerId)) throw Failure.denied('NO_ASSISTANCE', coordinate, id);
    const linked = await customers.load(row.customerId, row.key);
    if (!linked) return 'NONE';
    access.note(coordinate, 1, [linked]);
    return linked.linkAssurance;
  }

  async messages(
    actor: SignedInActor,
    loader: TicketsLoader,
    ticket: TicketType,
    { first, after, fields }: MessagePageArguments,
  ) {
    const list = ['Ticket.messages', ticket.id];
    const request = new PageRequest<MessageRow>(
      { cursors: this.parts.cursors, actorId: actor.id, list, keyset: messagesInOrder },
      { first, after, fields },
    );
    const rows = await loader.messages(
      { ticketId: reachedBy(ticket, 'id'), limit: request.limit, after: request.after },
      ticket.key,
    );
    return new MessageConnection(
      request.pageOf(
        rows,
        (row) => new MessageType(ticket, row, this.parts.keys),
        () => loader.messageCount(ticket.id),
      ),
    );
  }

  private toType(row: TicketRow, now: Date): TicketType {
    return new TicketType(row, this.parts.keys, { maximumAge: this.parts.maximumAge, at: now }, false);
  }
}
