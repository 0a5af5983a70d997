import type { SignedInActor } from '../../authz/actor';
import type { Database } from '../../db/database';
import { readOfEach } from '../../db/of-each';
import { joined, type Sql, sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { Cursors } from '../../graphql/cursor';
import { type Keyset, PageRequest, pageClause, putInOrder, reversed } from '../../graphql/page';
import { type ForDecision, forDecision, noDecision } from '../for-decision';
import { askedBySomebodyElse } from '../tickets/staff.rows';
import type { TicketGrounds } from '../tickets/tickets.policy';
import { ticket } from '../tickets/tickets.rows';
import { CredentialUpdateConnection, type CredentialUpdateFilter, type CredentialUpdateType } from './credential-update.type';
import { listedReach, mayDecide, provenanceOf, requestedBy, requesterOf, updateReach } from './credentials.policy';
import {
  type CredentialUpdateRow,
  credentialUpdate,
  type TransitionRow,
  transition,
  transitionRows,
  updateCounts,
  updateRows,
} from './credentials.rows';

export interface UpdatePageArguments {
  readonly filter: CredentialUpdateFilter | null | undefined;
  readonly oldestFirst: boolean | null;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** Updates that a ticket shows by itself; the list of updates has them all. */
export const newestOfTicket = 50;
/** Transitions that an update shows by itself. */
export const mostTransitions = 50;

const newestFirst: Keyset<CredentialUpdateRow> = {
  column: credentialUpdate.createdAt,
  id: credentialUpdate.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row.createdAt.getTime(), id: row.id }),
};

/** Updates as staff follow them. */
export class Credentials {
  constructor(
    private readonly database: Database,
    private readonly cursors: Cursors,
    private readonly scope: TicketGrounds,
    private readonly clock: () => Date,
  ) {}

  /** An update within the actor's reach: what they asked for, and the tickets within their scope. Throws `NOT_FOUND`. */
  async reachable(actor: SignedInActor, id: string): Promise<CredentialUpdateRow> {
    const reach = updateReach(actor, this.scope, this.clock());
    const [row] = await this.database.read(updateRows, sql`WHERE ${credentialUpdate.id} = ${id} AND ${reach}`);
    if (!row) throw Failure.notFound('credential update');
    return row;
  }

  /** Newest first. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async page(
    actor: SignedInActor,
    { filter, oldestFirst, first, after }: UpdatePageArguments,
    toType: (row: CredentialUpdateRow) => CredentialUpdateType,
  ) {
    const given = filter ?? {};
    const request = new PageRequest(
      {
        cursors: this.cursors,
        actorId: actor.id,
        list: oldestFirst === true ? ['Query.credentialUpdates', given, 'oldest first'] : ['Query.credentialUpdates', given],
        keyset: oldestFirst === true ? reversed(newestFirst) : newestFirst,
      },
      { first, after },
    );
    const conditions = [listedReach(actor, this.scope, this.clock())];
    const among = (column: Sql, values: readonly string[]) =>
      conditions.push(values.length > 0 ? sql`${column} IN (${values})` : sql`1 = 0`);
    if (given.state) among(credentialUpdate.state, given.state);
    if (given.kind) among(credentialUpdate.kind, given.kind);
    if (typeof given.ticketId === 'string') conditions.push(sql`${credentialUpdate.ticketId} = ${given.ticketId}`);
    if (given.requestedByMe === true) conditions.push(requestedBy(actor));
    if (given.awaitingMyDecision === true) {
      const { requestedById: actorId, requestedByStaffIds: staffIds } = credentialUpdate;
      conditions.push(sql`${credentialUpdate.state} = 'AWAITING_APPROVAL'`);
      const isSupervisor = actor.roles.includes('SUPERVISOR');
      const isTeams = isSupervisor && actor.teams.length > 0 ? sql`${ticket.team} IN (${actor.teams})` : sql`1 = 0`;
      const byRule = isSupervisor ? sql`${credentialUpdate.ticketId} IS NULL` : sql`1 = 0`;
      conditions.push(sql`((${isTeams} AND ${askedBySomebodyElse(actor, { actorId, staffIds, ticket })}) OR ${byRule})`);
    }
    const where = sql`WHERE ${joined(conditions, ' AND ')}`;
    const rows = await this.database.read(updateRows, sql`${where} ${request.clause}`);
    return new CredentialUpdateConnection(
      request.pageOf(rows, toType, async () => {
        const [counted] = await this.database.read(updateCounts, where);
        return counted?.n ?? 0;
      }),
    );
  }

  /** The newest `newestOfTicket` of each ticket, which the reader has reached already; newest first. */
  ofTickets(ticketIds: readonly string[]): Promise<readonly (readonly CredentialUpdateRow[])[]> {
    return this.newestOf(ticketIds.map((id) => sql`${credentialUpdate.ticketId} = ${id}`));
  }

  /** The same of what rules asked of each customer, whom the reader assists. */
  byRules(customerIds: readonly string[]): Promise<readonly (readonly CredentialUpdateRow[])[]> {
    return this.newestOf(
      customerIds.map((id) => sql`${credentialUpdate.customerId} = ${id} AND ${credentialUpdate.ticketId} IS NULL`),
    );
  }

  private async newestOf(conditions: readonly Sql[]): Promise<readonly (readonly CredentialUpdateRow[])[]> {
    const newest = pageClause(newestFirst, null, newestOfTicket);
    const lists = await this.database.readLists(
      updateRows,
      conditions.map((condition) => sql`WHERE ${condition} ${newest}`),
    );
    for (const list of lists) putInOrder(list, newestFirst);
    return lists;
  }

  /** The first `mostTransitions` of each update, which the reader has reached already; oldest first. */
  historyOf(ids: readonly string[]): Promise<readonly (readonly TransitionRow[])[]> {
    return readOfEach(this.database, transitionRows, {
      owners: ids,
      column: transition.updateId,
      ownerOf: (row) => row.updateId,
      rest: sql`ORDER BY ${transition.updateId}, ${transition.ordinal}`,
      most: mostTransitions,
    });
  }

  /** Whether the actor may decide about this update now, or once they have signed in anew: then they see what they decide on. */
  forDecision(actor: SignedInActor, row: CredentialUpdateRow): ForDecision {
    if (row.state !== 'AWAITING_APPROVAL') return noDecision;
    const helpdesk = row.ticketId === null ? row.customerHelpdesk : row.helpdesk;
    const knowsActor = helpdesk !== null && actor.helpdesks.includes(helpdesk);
    const { ticketId, contactStaffIds } = row;
    const who = { ...requesterOf(row), ticket: provenanceOf(row, knowsActor), knowsActor, isAssisted: false };
    return forDecision(mayDecide, actor, { ticketId, contactStaffIds, ...who, at: this.clock() });
  }
}
