import type { SignedInActor } from '../../authz/actor';
import type { ScopePolicy } from '../../authz/exposure.file';
import type { Database } from '../../db/database';
import { type Sql, sql } from '../../db/sql';
import { Failure } from '../../failure';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { live } from '../assistance/live';
import type { Sources } from '../sources/sources.service';
import type { Ticket } from './ticket.entity';
import { ticketScope } from './tickets.policy';
import { held, type OpenedRow, openedRows, type TicketRow, ticket } from './tickets.rows';

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

export interface FoundTicket {
  readonly ticket: InScope<Ticket>;
  readonly row: OpenedRow;
}

/** The one place where a ticket is looked up within an actor's scope. */
export class TicketsInScope {
  constructor(
    private readonly database: Database,
    private readonly sources: Pick<Sources, 'refreshTicket'>,
    private readonly scope: ScopePolicy,
    /** Milliseconds after which the helpdesk is asked again whose ticket it is. */
    private readonly maximumAge: number,
    private readonly clock: () => Date,
  ) {}

  /** As stored; undefined outside the scope. */
  async find(actor: SignedInActor, condition: Sql): Promise<FoundTicket | undefined> {
    const now = this.clock();
    const [row] = await this.database.read(
      openedRows,
      sql`LEFT JOIN ${held} ON ${held.ticketId} = ${ticket.id} AND ${live(held, actor, now)}
          WHERE ${condition} AND ${ticketScope(actor, this.scope, now)}`,
    );
    return row && { ticket: new InScope<Ticket>(proof, actor, row.id), row };
  }

  /** As stored, by our id. Throws `NOT_FOUND` outside the scope. */
  async require(actor: SignedInActor, id: string): Promise<FoundTicket> {
    const found = await this.find(actor, sql`${ticket.id} = ${id}`);
    if (!found) throw Failure.notFound('ticket');
    return found;
  }

  /**
   * As the helpdesk confirmed it lately: read again where that was longer ago, by which it may have left the scope. When the
   * helpdesk is down, as it was stored: it may be shown, it authorizes nothing. Throws `NOT_FOUND`.
   */
  async confirmed(found: FoundTicket): Promise<FoundTicket> {
    const { ticket, row } = found;
    return (await this.refresh(row)) ? this.require(ticket.actor, ticket.id) : found;
  }

  /** Whether it was read again. */
  private async refresh({ source, reference, confirmedAt }: TicketRow): Promise<boolean> {
    if (this.clock().getTime() - confirmedAt.getTime() <= this.maximumAge) return false;
    try {
      await this.sources.refreshTicket(source, reference);
      return true;
    } catch (error) {
      if (error instanceof SourceUnavailable) return false;
      throw error;
    }
  }
}
