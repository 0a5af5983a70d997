import type { SignedInActor } from '../../authz/actor';
import { type Sql, sql } from '../../db/sql';
import type { Fields, Selection } from '../../db/table';
import { Failure } from '../../failure';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import type { Ticket } from './ticket.entity';
import { type TicketGrounds, ticketScope } from './tickets.policy';
import { type TicketRow, ticket, ticketRows } from './tickets.rows';

const proof = Symbol('found within a scope');

/**
 * The id of a row that was found within the scope of this actor. Only this file makes one, so what asks for it can't be called
 * with an id that a caller sent and nobody looked up.
 */
export class InScope<Of> {
  /** Keeps one of tickets apart from one of anything else. */
  declare protected readonly of: Of;

  constructor(
    _: typeof proof,
    readonly actor: SignedInActor,
    readonly id: string,
  ) {}
}

export interface FoundTicket<Row extends TicketRow = TicketRow> {
  readonly ticket: InScope<Ticket>;
  readonly row: Row;
}

/** What is read of a ticket, with what else is joined to it for whoever reads. */
export interface ScopedRows<Row extends TicketRow> {
  readonly selection: Selection<Row>;
  readonly join: (actor: SignedInActor, now: Date) => Sql;
}

/** A ticket by itself. */
export const alone: ScopedRows<TicketRow> = { selection: ticketRows, join: () => sql`` };

/** The helpdesks, as far as tickets are asked of them. */
export interface TicketSources {
  /** Throws `INVALID` for a source that isn't configured. */
  helpdesk(name: string): { readonly name: string };
  /** Fetches a ticket and stores it; false where the helpdesk has none. Throws `SourceUnavailable`. */
  refreshTicket(source: string, reference: string): Promise<boolean>;
}

export interface ScopeParts extends Pick<Core, 'database' | 'clock'> {
  readonly sources: TicketSources;
  readonly scope: TicketGrounds;
  /** Milliseconds after which the helpdesk is asked again whose ticket it is. */
  readonly maximumAge: number;
}

/** Being within the scope is all the permission that is needed. */
export const everybodyInScope = async (): Promise<void> => {};

/**
 * The part of a confirmation’s time after which a request asks for a new one: what is left outlasts the request, and the time to
 * the next poll, which confirms what is assisted by then.
 */
const readAgainAfter = 1 / 2;

/** The one place where a ticket is looked up within an actor's scope. */
export class TicketsInScope<Row extends TicketRow> {
  constructor(
    private readonly parts: ScopeParts,
    private readonly rows: ScopedRows<Row>,
  ) {}

  /** As stored; undefined outside the scope. */
  async find(actor: SignedInActor, condition: Sql, fields: Fields | null = null): Promise<FoundTicket<Row> | undefined> {
    const now = this.parts.clock();
    const [row] = await this.parts.database.read(
      this.rows.selection.for(fields),
      sql`${this.rows.join(actor, now)} WHERE ${condition} AND ${ticketScope(actor, this.parts.scope, now)}`,
    );
    return row && { ticket: new InScope<Ticket>(proof, actor, row.id), row };
  }

  /** As stored, by our id. Throws `NOT_FOUND` outside the scope. */
  async require(actor: SignedInActor, id: string, fields: Fields | null = null): Promise<FoundTicket<Row>> {
    const found = await this.find(actor, sql`${ticket.id} = ${id}`, fields);
    if (!found) throw Failure.notFound('ticket');
    return found;
  }

  /**
   * As the helpdesk confirmed it lately: read again where that was longer ago, by which it may have left the scope, or will be
   * before the request that goes by it is through. When the helpdesk is down, as it was stored: it may be shown, it authorizes nothing. A source is asked nothing for who has no permission:
   * `permit` judges the ticket as stored before it is. Throws `NOT_FOUND`, and what `permit` throws.
   */
  async confirmed(
    found: FoundTicket<Row>,
    permit: (stored: InScope<Ticket>) => Promise<void>,
    fields: Fields | null = null,
  ): Promise<FoundTicket<Row>> {
    const { ticket, row } = found;
    if (this.parts.clock().getTime() - row.confirmedAt.getTime() <= this.parts.maximumAge * readAgainAfter) return found;
    await permit(ticket);
    return (await this.refresh(row)) ? this.require(ticket.actor, ticket.id, fields) : found;
  }

  /** Whether it was read again. */
  private async refresh({ source, reference }: TicketRow): Promise<boolean> {
    try {
      await this.parts.sources.refreshTicket(source, reference);
      return true;
    } catch (error) {
      if (error instanceof SourceUnavailable) return false;
      throw error;
    }
  }
}
