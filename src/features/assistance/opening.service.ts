import { LRUCache } from 'lru-cache';
import type { LiveAssistance, SignedInActor } from '../../authz/actor';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { RequestAccess } from '../../graphql/request-access';
import type { Core } from '../core';
import { TicketType } from '../tickets/ticket.type';
import { ticket } from '../tickets/tickets.rows';
import { everybodyInScope, type FoundTicket, type ScopedRows, type ScopeParts, TicketsInScope } from '../tickets/tickets.scope';
import { grant, type OpenedRow, openedRows } from './assistance.rows';
import type { Assistances } from './assistance.service';
import { live } from './live';

/** What reaches a helpdesk on behalf of one person, under all of their subjects together: per minute. */
const readThroughsPerMinute = 60;
const longestReference = 128;
/** Counted by size: where `max` says it, the room for all of them is taken at once. */
const bounded = { maxSize: 20_000, sizeCalculation: () => 1 } as const;

/** A ticket with what its reader may see of it already. */
const withGrant: ScopedRows<OpenedRow> = {
  selection: openedRows,
  join: (actor, now) => sql`LEFT JOIN ${grant} ON ${grant.ticketId} = ${ticket.id} AND ${live(grant, actor, now)}`,
};

export interface OpeningParts extends ScopeParts, Pick<Core, 'keys' | 'answerSteps'> {
  readonly assistances: Assistances;
}

/** What a person is known by, under all of their subjects: the actor's id, and their rows among the staff. */
const idsOf = ({ id, staffIds }: SignedInActor): readonly string[] => [id, ...staffIds];

/** Opening one ticket, by which an assistance begins where the policy lets it begin by itself. */
export class Opening {
  /** References that a person asked for a moment ago and may not see, whether they exist or not. */
  private readonly notTheirs = new LRUCache<string, true>({ ...bounded, ttl: 10_000 });
  private readonly readThroughs = new LRUCache<string, { count: number }>({ ...bounded, ttl: 60_000 });
  private readonly withinScope: TicketsInScope<OpenedRow>;

  constructor(private readonly parts: OpeningParts) {
    this.withinScope = new TicketsInScope(parts, withGrant);
  }

  /** Opens a ticket by our id. Throws `NOT_FOUND` outside the actor's scope. */
  async open(actor: SignedInActor, access: RequestAccess, id: string): Promise<TicketType> {
    return this.opened(access, await this.withinScope.require(actor, id, access.fields));
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
      this.withinScope.find(actor, sql`${ticket.source} = ${source} AND ${ticket.reference} = ${reference}`, access.fields);
    const found = await byReference();
    if (found) return this.opened(access, found);
    // Whoever shares a row among the staff is the same person, whichever subject asks.
    const asked = idsOf(actor).map((id) => `${id} ${source} ${reference}`);
    if (asked.some((each) => this.notTheirs.has(each))) throw Failure.notFound('ticket');
    this.spendReadThrough(actor);
    const began = performance.now();
    await this.parts.sources.refreshTicket(source, reference);
    const arrived = await byReference();
    if (arrived) return this.opened(access, arrived);
    for (const each of asked) this.notTheirs.set(each, true);
    // A helpdesk says sooner that it has no such ticket than what stands in somebody else's.
    await this.parts.answerSteps.end(began);
    throw Failure.notFound('ticket');
  }

  private async opened(access: RequestAccess, found: FoundTicket<OpenedRow>): Promise<TicketType> {
    const { ticket, row } = await this.withinScope.confirmed(found, everybodyInScope, access.fields);
    const { actor } = ticket;
    const now = this.parts.clock();
    const shown = new TicketType(row, this.parts.keys, { maximumAge: this.parts.maximumAge, at: now }, true);
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

  private spendReadThrough(actor: SignedInActor): void {
    const budgets = idsOf(actor).map((id) => ({ id, spent: this.readThroughs.get(id) ?? { count: 0 } }));
    if (budgets.some(({ spent }) => spent.count >= readThroughsPerMinute)) {
      throw new Failure('RATE_LIMITED', 'Too many tickets were asked of the helpdesk.', {
        remedy: 'Wait a minute.',
        retryAfter: 60,
      });
    }
    for (const { id, spent } of budgets) {
      spent.count += 1;
      this.readThroughs.set(id, spent, { noUpdateTTL: true });
    }
  }
}
