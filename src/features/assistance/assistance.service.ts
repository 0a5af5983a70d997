import type { CustomerUnderDigest } from '../../audit/event';
import { type HeldAssistance, isSignedIn, type SignedInActor, systemActor } from '../../authz/actor';
import type { AssistancePolicy } from '../../authz/exposure.file';
import { type Action, action } from '../../authz/rule';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import type { Redactor } from '../../privacy/redaction';
import { seal } from '../../privacy/sealing';
import { ulid } from '../../ulid';
import { joinKey, type KeyedRow, type Keys, keyColumns } from '../keys/keys.service';
import { Ticket } from '../tickets/ticket.entity';
import type { InScope } from '../tickets/tickets.scope';
import { endRows, type OpenAssistance, waitForLeases } from './assistance.ending';
import {
  Assistance,
  type AssistancePurpose,
  type AssistanceRow,
  assistancePurposes,
  assistanceRows,
  assistances,
} from './assistance.entity';
import { assistanceActions, beginsByItself, isMadeByOthers, type TicketStanding } from './assistance.policy';

export interface Freshness {
  /** An assignment confirmed longer ago than this, in milliseconds, doesn't authorize. */
  readonly assignmentBound: number;
}

export interface BeginInput {
  readonly purpose: AssistancePurpose;
  readonly reason: string;
}

export interface Reason {
  readonly text: string | null;
  readonly customer: CustomerUnderDigest;
}

interface LiveRow extends Record<string, unknown> {
  readonly id: string;
  readonly ticket_id: string;
  readonly customer_id: string;
  readonly expires_at: number;
  readonly source: string;
  readonly reference: string;
  readonly confirmed_at: number;
}

export interface LiveAssistance extends HeldAssistance {
  readonly source: string;
  readonly reference: string;
  /** The helpdesk confirmed the assignment within the bound. */
  readonly isFresh: boolean;
}

const hour = 3_600_000;

/** Grants, their beginnings and their ends. Rows are never deleted. */
export class Assistances {
  private readonly begin: Action<TicketStanding, 'assistance.begin'>;

  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly redactor: Redactor,
    private readonly rules: AssistancePolicy,
    private readonly freshness: Freshness,
    private readonly clock: () => Date,
  ) {
    this.begin = action('assistance.begin', beginsByItself(rules.automatic), ({ id }) => id);
  }

  /** The actor's live assistances. Those on tickets whose assignment is older than the bound come with `isFresh: false` and don't count as held. */
  async live(actor: SignedInActor): Promise<readonly LiveAssistance[]> {
    const now = this.clock().getTime();
    const rows = await this.database.query<LiveRow>(
      `SELECT a.id, a.ticket_id, a.customer_id, a.expires_at, t.source, t.reference, t.observed_at AS confirmed_at
         FROM assistance a JOIN helpdesk_ticket t ON t.id = a.ticket_id
        WHERE a.actor_id = ? AND a.ended_at IS NULL AND a.begins_at IS NOT NULL AND a.expires_at > ?`,
      [actor.id, now],
    );
    return rows.map((row) => ({
      id: row.id,
      ticketId: row.ticket_id,
      customerId: row.customer_id,
      expiresAt: new Date(row.expires_at),
      source: row.source,
      reference: row.reference,
      isFresh: now - row.confirmed_at <= this.freshness.assignmentBound,
    }));
  }

  /**
   * Opening one ticket: begins the assistance where the policy lets it begin by itself, and returns it. Throws `DENIED`
   * with the reason where it doesn't (the ticket itself may still be shown).
   */
  async open({ actor, id: ticketId }: InScope<Ticket>): Promise<HeldAssistance> {
    return this.database.change(actor, this.begin, async (change) => {
      const { ticket, standing } = await this.lockTicket(change, ticketId);
      const [open] = await change.query<{ id: string; begins_at: number | null; expires_at: number; customer_id: string }>(
        'SELECT id, begins_at, expires_at, customer_id FROM assistance WHERE open_key = ?',
        [openKey(actor.id, ticketId)],
        { lock: true },
      );
      if (open && open.begins_at !== null && open.expires_at > change.at.getTime()) {
        // What was granted before doesn't outlive the helpdesk's word: nobody knows whether the ticket is still theirs.
        if (!standing.isFresh) throw Failure.denied('STALE', this.begin.name, ticketId);
        return { id: open.id, ticketId, customerId: open.customer_id, expiresAt: new Date(open.expires_at) };
      }
      change.permit(standing);
      const customerId = ticket.customerId as string;
      await this.spendQuota(change, actor, ticket.id, customerId);
      // A request that waits for its approval, or a grant past its time, makes room for the one that needs none.
      if (open) {
        const isPast = open.expires_at <= change.at.getTime();
        await endRows(
          change,
          [{ id: open.id, actor_id: actor.id, ticket_id: ticketId, lease_until: null }],
          isPast ? 'EXPIRED' : 'BY_HAND',
        );
      }
      const row = this.newRow(actor, ticket, change.at, 'PAYMENT_QUESTION', this.rules.lifetimeMinutes);
      row.origin = 'AUTOMATIC';
      row.beginsAt = change.at;
      await change.insert(assistances, row);
      await this.recordBegin(change, row, standing);
      return { id: row.id, ticketId, customerId, expiresAt: row.expiresAt };
    });
  }

  /** Asks for an assistance outside of what begins by itself. Repeated, it returns the one that is open. Throws `INVALID`, `NOT_FOUND`, `DENIED`. */
  async ask({ actor, id: ticketId }: InScope<Ticket>, input: BeginInput): Promise<Assistance> {
    const reason = input.reason.trim();
    if (reason.length < 10 || reason.length > 1_000)
      throw Failure.invalid('input.reason', 'expected 10 to 1,000 characters that say why');
    if (!assistancePurposes.includes(input.purpose))
      throw Failure.invalid('input.purpose', `expected one of ${assistancePurposes.join(', ')}`);
    return this.database.change(actor, assistanceActions.ask, async (change) => {
      const { ticket, standing } = await this.lockTicket(change, ticketId);
      const open = await change.find(Assistance, { openKey: openKey(actor.id, ticketId) });
      if (open && open.expiresAt > change.at) return open;
      change.permit(standing);
      if (open) await endRows(change, [{ id: open.id, actor_id: actor.id, ticket_id: ticketId, lease_until: null }], 'EXPIRED');
      const customerId = ticket.customerId as string;
      const row = this.newRow(actor, ticket, change.at, input.purpose, this.rules.onRequest.lifetimeMinutes);
      const key = (await this.keys.forOwners(change, [customerId])).get(customerId);
      if (!key) throw Failure.notFound('ticket');
      const text = this.redactor.redact(reason).text;
      row.origin = 'REQUESTED';
      row.keyId = key.id;
      row.reasonSealed = seal(key.key, { table: 'assistance', column: 'reason_sealed', row: row.id }, text);
      // A ticket of the asker's own making is never opened on their own word.
      row.needsApproval =
        !isMadeByOthers(actor, standing) ||
        actor.roles.every((role) =>
          role !== 'SUPERVISOR' && role !== 'AGENT' ? true : this.rules.onRequest.approvalFor.includes(role),
        );
      if (!row.needsApproval) {
        await this.spendQuota(change, actor, ticket.id, customerId);
        row.beginsAt = change.at;
      }
      await change.insert(assistances, row);
      const [customer] = await this.customerKey(change, customerId);
      change.record('assistance.request', {
        ticketId: ticket.id,
        assistanceId: row.id,
        subject: { type: 'Assistance', id: row.id },
        customers: customer ? [this.keys.underDigest(customerId, customer)] : [],
        notes: [this.keys.note('reason', key, text)],
        detail: { purpose: row.purpose, needsApproval: row.needsApproval, expiresAt: row.expiresAt.toISOString() },
      });
      return row;
    });
  }

  /** A supervisor's consent to a request; from now on it is live. Repeated, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async approve(actor: SignedInActor, id: string): Promise<Assistance> {
    return this.database.change(actor, assistanceActions.approve, async (change) => {
      const { row, ticket, standing } = await this.lockAssistance(change, actor, id);
      change.permit({ actorId: row.actorId, ticket: standing, at: change.at });
      if (row.endedAt) throw new Failure('CONFLICT', 'The assistance has ended.', { remedy: 'Ask for a new one.' });
      if (row.expiresAt <= change.at) throw new Failure('CONFLICT', 'The request has expired.', { remedy: 'Ask for a new one.' });
      if (row.beginsAt) return row;
      row.approvedById = actor.id;
      row.approvedAt = change.at;
      row.beginsAt = change.at;
      row.expiresAt = new Date(change.at.getTime() + this.rules.onRequest.lifetimeMinutes * 60_000);
      await change.save(row);
      change.record('assistance.approve', {
        ticketId: ticket.id,
        assistanceId: row.id,
        subject: { type: 'Assistance', id: row.id },
        detail: { of: row.actorId, expiresAt: row.expiresAt.toISOString() },
      });
      return row;
    });
  }

  /** Ends an assistance by hand. Resolves once nobody can disclose on its word any more. Repeated, it changes nothing. Throws `NOT_FOUND`, `DENIED`. */
  async end(actor: SignedInActor, id: string): Promise<Assistance> {
    const { row, leasesUntil } = await this.database.change(actor, assistanceActions.end, async (change) => {
      const { row, standing } = await this.lockAssistance(change, actor, id);
      change.permit({ actorId: row.actorId, ticket: standing, at: change.at });
      if (row.endedAt) return { row, leasesUntil: 0 };
      const leasesUntil = await endRows(
        change,
        [{ id: row.id, actor_id: row.actorId, ticket_id: row.ticketId, lease_until: row.leaseUntil?.getTime() ?? null }],
        'BY_HAND',
      );
      row.endedAt = change.at;
      row.endReason = 'BY_HAND';
      row.openKey = null;
      return { row, leasesUntil };
    });
    await waitForLeases(leasesUntil);
    return row;
  }

  /** Writes the end of assistances whose time has passed; they were dead already, the log shall say so. Returns how many. */
  async expire(): Promise<number> {
    return this.database.change(systemActor('expiry'), assistanceActions.expire, async (change) => {
      const rows = await change.query<OpenAssistance>(
        'SELECT id, actor_id, ticket_id, lease_until FROM assistance WHERE ended_at IS NULL AND expires_at <= ? ORDER BY expires_at LIMIT 200',
        [change.at.getTime()],
        { lock: true },
      );
      change.permit(null);
      await endRows(change, rows, 'EXPIRED');
      return rows.length;
    });
  }

  /** The assistances an actor has open on these tickets, waiting or live, by ticket. */
  async ofTickets(actor: SignedInActor, ticketIds: readonly string[]): Promise<ReadonlyMap<string, AssistanceRow>> {
    const keys = ticketIds.map((ticketId) => openKey(actor.id, ticketId));
    const rows = await this.database.read(assistanceRows, sql`WHERE ${assistances.openKey} IN (${keys})`);
    return new Map(rows.map((row) => [row.ticketId, row]));
  }

  /** Requests of others on tickets of the supervisor's teams that wait for a consent, oldest first. */
  async waitingFor(actor: SignedInActor, limit: number): Promise<readonly AssistanceRow[]> {
    if (actor.teams.length === 0) return [];
    const { id, actorId, ticketId, requestedAt, beginsAt, expiresAt, endedAt } = assistances;
    return this.database.read(
      assistanceRows,
      sql`WHERE ${endedAt} IS NULL AND ${beginsAt} IS NULL AND ${expiresAt} > ${this.clock()} AND ${actorId} <> ${actor.id}
          AND ${ticketId} IN (SELECT t.id FROM helpdesk_ticket t WHERE t.team IN (${actor.teams}))
        ORDER BY ${requestedAt}, ${id} LIMIT ${limit}`,
    );
  }

  /** The reason of an assistance in clear, and whom it is about; its text is null where that customer was erased. */
  async reasonOf(id: string): Promise<Reason | null> {
    const [row] = await this.database.query<
      KeyedRow & { customer_id: string; reason_sealed: Buffer | null } & Record<string, unknown>
    >(`SELECT a.customer_id, a.reason_sealed, ${keyColumns} FROM assistance a ${joinKey('a')} WHERE a.id = ?`, [id]);
    if (!row) return null;
    const text = this.keys.openColumn(row, { table: 'assistance', column: 'reason_sealed', row: id }, row.reason_sealed);
    return { text, customer: this.keys.underDigest(row.customer_id, row) };
  }

  /** Two openings at once must not both pass on the same count: writing the actor's row makes one of them wait, and then count again. */
  private async spendQuota(
    change: Change<TicketStanding>,
    actor: SignedInActor,
    ticketId: string,
    customerId: string,
  ): Promise<void> {
    await change.execute('UPDATE actor SET fence = fence + 1 WHERE id = ?', [actor.id]);
    const rows = await change.query<{ customer_id: string }>(
      'SELECT DISTINCT customer_id FROM assistance WHERE actor_id = ? AND begins_at > ?',
      [actor.id, change.at.getTime() - hour],
    );
    const known = rows.some((row) => row.customer_id === customerId);
    if (!known && rows.length >= this.rules.quota.customersPerHour) throw Failure.denied('QUOTA', 'assistance.quota', ticketId);
  }

  private newRow(
    actor: SignedInActor,
    ticket: Ticket,
    at: Date,
    purpose: AssistancePurpose,
    lifetimeMinutes: number,
  ): Assistance {
    return Object.assign(new Assistance(), {
      id: `ast_${ulid(at.getTime())}`,
      actorId: actor.id,
      ticketId: ticket.id,
      customerId: ticket.customerId as string,
      purpose,
      keyId: null,
      reasonSealed: null,
      requestedAt: at,
      beginsAt: null,
      expiresAt: new Date(at.getTime() + lifetimeMinutes * 60_000),
      needsApproval: false,
      approvedById: null,
      approvedAt: null,
      endedAt: null,
      endReason: null,
      lastUsedAt: null,
      leaseUntil: null,
      openKey: openKey(actor.id, ticket.id),
    });
  }

  private async recordBegin(change: Change<TicketStanding>, row: Assistance, standing: TicketStanding): Promise<void> {
    const [customer] = await this.customerKey(change, row.customerId);
    change.record('assistance.begin', {
      ticketId: row.ticketId,
      assistanceId: row.id,
      subject: { type: 'Assistance', id: row.id },
      customers: customer ? [this.keys.underDigest(row.customerId, customer)] : [],
      detail: {
        purpose: row.purpose,
        expiresAt: row.expiresAt.toISOString(),
        grounds: standing.assigneeId === null ? 'team' : 'assigned',
      },
    });
  }

  private customerKey(change: Change<TicketStanding>, customerId: string): Promise<(KeyedRow & Record<string, unknown>)[]> {
    return change.query<KeyedRow & Record<string, unknown>>(
      `SELECT ${keyColumns} FROM helpdesk_customer c ${joinKey('c')} WHERE c.id = ?`,
      [customerId],
    );
  }

  private async lockTicket(
    change: Change<never> | Change<TicketStanding>,
    id: string,
  ): Promise<{ ticket: Ticket; standing: TicketStanding }> {
    const ticket = await change.find(Ticket, { id });
    if (!ticket) throw Failure.notFound('ticket');
    return { ticket, standing: await this.standingOf(change, ticket) };
  }

  /** The ticket as the actor of the change stands to it now. */
  async standingOf(change: Pick<Change, 'query' | 'at' | 'actor'>, ticket: Ticket): Promise<TicketStanding> {
    const staffIds = isSignedIn(change.actor) ? change.actor.staffIds : [];
    const [staff] = await change.query<{ known: number }>(
      `SELECT COUNT(*) AS known FROM helpdesk_staff WHERE source = ? AND active = 1 AND id IN (${staffIds.map(() => '?').join(',') || 'NULL'})`,
      [ticket.source, ...staffIds],
    );
    return {
      id: ticket.id,
      status: ticket.status,
      team: ticket.team,
      assigneeId: ticket.assigneeId,
      assignedById: ticket.assignedById,
      teamSetById: ticket.teamSetById,
      createdById: ticket.createdById,
      customerSetByIds: ticket.customerSetByIds,
      customerId: ticket.customerId,
      knowsActor: (staff?.known ?? 0) > 0,
      isFresh: change.at.getTime() - ticket.observedAt.getTime() <= this.freshness.assignmentBound,
    };
  }

  private async lockAssistance(
    change: Change<Parameters<(typeof assistanceActions.end)['rule']>[1]>,
    actor: SignedInActor,
    id: string,
  ) {
    const known = await change.query<{ ticket_id: string }>('SELECT ticket_id FROM assistance WHERE id = ?', [id]);
    // The ticket first, as everywhere: two changes that lock in different orders would wait for each other.
    const ticket = known[0] ? await change.find(Ticket, { id: known[0].ticket_id }) : null;
    const row = ticket ? await change.find(Assistance, { id }) : null;
    const isVisible =
      row &&
      ticket &&
      (row.actorId === actor.id ||
        (actor.roles.includes('SUPERVISOR') && ticket.team !== null && actor.teams.includes(ticket.team)));
    if (!row || !ticket || !isVisible) throw Failure.notFound('assistance');
    return { row, ticket, standing: await this.standingOf(change, ticket) };
  }
}

const openKey = (actorId: string, ticketId: string): string => `${actorId}|${ticketId}`;
