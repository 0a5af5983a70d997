import type { CustomerUnderDigest } from '../../audit/event';
import { isSignedIn, type LiveAssistance, type SignedInActor } from '../../authz/actor';
import type { AssistancePolicy } from '../../authz/policy/file';
import { type Action, action, reasonOf } from '../../authz/rule';
import { isSamePerson, type KeptPerson, personOf } from '../../authz/same-person';
import type { Change } from '../../db/change';
import { padded, type Sql, sql } from '../../db/sql';
import type { Fields, Values } from '../../db/table';
import { type DenialReason, Failure, ProgrammingError } from '../../failure';
import { countAlone } from '../actors/actor.fence';
import type { Core } from '../core';
import { CustomerSeal } from '../keys/customer-seal';
import { sealField } from '../keys/keys.service';
import { reasonIn } from '../reasons';
import { comesFromOthers } from '../tickets/provenance';
import { askedBySomebodyElse, doneBy, isActiveStaff, isStaff } from '../tickets/staff.rows';
import type { Ticket } from '../tickets/ticket.entity';
import { lockTicket } from '../tickets/tickets.lock';
import { ofFrame } from '../tickets/tickets.policy';
import { ticket as ticketTable } from '../tickets/tickets.rows';
import type { InScope } from '../tickets/tickets.scope';
import { newRow, openKey } from './assistance.beginning';
import { endRows, openOn, waitForLeases, wasEndedBySupervisor } from './assistance.ending';
import {
  Assistance,
  type AssistanceEndReason,
  type AssistancePurpose,
  assistancePurposes,
  assistances,
} from './assistance.entity';
import {
  type AssistanceSubject,
  assistanceActions,
  beginsByItself,
  mayApprove,
  type OpeningSubject,
  type TicketSubject,
} from './assistance.policy';
import {
  type AssistanceRow,
  assistance,
  assistanceRows,
  later,
  onTicketRows,
  openRows,
  reachedRows,
  reasonRows,
  ticketIds,
} from './assistance.rows';
import { live } from './live';

export interface AssistanceParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  readonly rules: AssistancePolicy;
  readonly sources: {
    /** Asks a ticket's helpdesk for it again. Throws where it doesn't answer. */
    refreshTicket(source: string, reference: string): Promise<unknown>;
  };
  /** An assignment that was confirmed longer ago than this, in milliseconds, doesn't authorize. */
  readonly maximumAge: number;
}

export interface BeginInput {
  readonly purpose: AssistancePurpose;
  readonly reason: string;
}

export interface Reason {
  readonly text: string | null;
  /** Why it was refused; null where it wasn't. */
  readonly rejection: string | null;
  readonly customer: CustomerUnderDigest;
}

/** A live assistance with its ticket, as stored. */
interface OnTicket extends LiveAssistance {
  readonly source: string;
  readonly reference: string;
  /** The helpdesk confirmed the assignment lately. */
  readonly isFresh: boolean;
}

const hour = 3_600_000;
/** Requests that are shown of those before one on its ticket. */
export const mostEarlier = 10;
/** How an assistance ends that a supervisor put an end to. */
const putAnEnd: readonly AssistanceEndReason[] = ['REJECTED', 'BY_SUPERVISOR'];
/** Tickets that are asked for again before a request goes on. */
const confirmedAtOnce = 5;

/** Grants, their beginnings and their ends. Rows are never deleted. */
export class Assistances {
  private readonly begin: Action<OpeningSubject, 'assistance.begin'>;

  constructor(private readonly parts: AssistanceParts) {
    this.begin = action('assistance.begin', beginsByItself(parts.rules.automatic), ({ id }) => id);
  }

  /**
   * The actor's live assistances that authorize. Those on tickets whose assignment was not confirmed lately are confirmed
   * first, a few of them; the rest don't count.
   */
  async confirmedOf(actor: SignedInActor): Promise<readonly LiveAssistance[]> {
    if (actor.kind !== 'staff') return [];
    const stored = await this.liveOf(actor);
    const stale = stored.filter(({ isFresh }) => !isFresh);
    if (stale.length === 0) return stored;
    const { sources } = this.parts;
    const asked = await Promise.allSettled(
      stale.slice(0, confirmedAtOnce).map(({ source, reference }) => sources.refreshTicket(source, reference)),
    );
    const current = asked.some(({ status }) => status === 'fulfilled') ? await this.liveOf(actor) : stored;
    return current.filter(({ isFresh }) => isFresh);
  }

  /**
   * Opening one ticket: begins the assistance where the policy lets it begin by itself, and returns it. Throws `DENIED`
   * with the reason where it doesn't (the ticket itself may still be shown).
   */
  async open({ actor, id: ticketId }: InScope<Ticket>): Promise<LiveAssistance> {
    return this.parts.database.change(actor, this.begin, async (change, permit) => {
      const { ticket, subject } = await this.lockTicket(change, ticketId);
      const isOpen = sql`WHERE ${assistance.openKey} = ${openKey(actor.id, ticketId)}`;
      const [open] = await change.read(openRows, isOpen, { lock: true });
      if (open && open.beginsAt !== null && open.expiresAt > change.at) {
        // A grant is worth nothing where the helpdesk didn't confirm the assignment lately: the ticket may no longer be theirs.
        if (!subject.isFresh) throw Failure.denied('STALE', this.begin.name, ticketId);
        return { id: open.id, ticketId, customerId: open.customerId, expiresAt: open.expiresAt };
      }
      permit({ ...subject, wasEndedBySupervisor: await wasEndedBySupervisor(change, personOf(actor), ticketId) });
      const customerId = ticket.customerId as string;
      await this.spendQuota(change, personOf(actor), ticketId, customerId);
      // A request that waits for its approval, or a grant past its time, makes room for the one that needs none.
      if (open) await endRows(change, [open], open.expiresAt <= change.at ? 'EXPIRED' : 'BY_HAND');
      const row: Values<Assistance> = {
        ...newRow(actor, ticketId, customerId, change.at, this.parts.rules.lifetimeMinutes),
        origin: 'AUTOMATIC',
        purpose: 'PAYMENT_QUESTION',
        beginsAt: change.at,
      };
      await change.insert(assistances, row);
      change.record('assistance.begin', {
        ...(await this.facts(change, row)),
        detail: {
          purpose: row.purpose,
          expiresAt: row.expiresAt.toISOString(),
          grounds: subject.assigneeId === null ? 'team' : 'assigned',
          staffRows: actor.staffIds,
        },
      });
      return { id: row.id, ticketId, customerId, expiresAt: row.expiresAt };
    });
  }

  /**
   * Whether the actor may ask for an assistance on the ticket as it is stored, before its helpdesk is asked how it is now; `ask` judges
   * again. Throws `INVALID`, `DENIED`.
   */
  async expectMayAsk({ actor, id }: InScope<Ticket>, input: BeginInput): Promise<void> {
    askedReason(input);
    await this.parts.database.change(actor, assistanceActions.ask, async (change, permit) => {
      const { subject } = await this.lockTicket(change, id);
      permit({ ...subject, isFresh: true });
    });
  }

  /** Asks for an assistance outside of what begins by itself. Repeated, it returns the one that is open. Throws `INVALID`, `NOT_FOUND`, `DENIED`. */
  async ask({ actor, id: ticketId }: InScope<Ticket>, input: BeginInput): Promise<string> {
    const reason = askedReason(input);
    return this.parts.database.change(actor, assistanceActions.ask, async (change, permit) => {
      const { ticket, subject } = await this.lockTicket(change, ticketId);
      const open = await change.lockIfAny(Assistance, { openKey: openKey(actor.id, ticketId) });
      if (open && open.expiresAt > change.at) return open.id;
      permit(subject);
      if (open) await endRows(change, [open], 'EXPIRED');
      const customerId = ticket.customerId as string;
      const key = (await this.parts.keys.forOwners(change, [customerId])).get(customerId);
      if (!key) throw Failure.notFound('ticket');
      // A ticket of the asker's own making, or that they brought to themselves, is never opened without somebody else's consent, nor is one
      // where a supervisor ended what they had.
      const needsApproval =
        !comesFromOthers(actor, subject) ||
        (await wasEndedBySupervisor(change, personOf(actor), ticketId)) ||
        actor.roles.every((role) =>
          role !== 'SUPERVISOR' && role !== 'AGENT' ? true : this.parts.rules.onRequest.approvalFor.includes(role),
        );
      if (!needsApproval) await this.spendQuota(change, personOf(actor), ticketId, customerId);
      const fresh = newRow(actor, ticketId, customerId, change.at, this.parts.rules.onRequest.lifetimeMinutes);
      const row: Values<Assistance> = {
        ...fresh,
        origin: 'REQUESTED',
        purpose: input.purpose,
        keyId: key.id,
        reasonSealed: sealField(assistances, fresh.id, 'reason', key, reason),
        needsApproval,
        beginsAt: needsApproval ? null : change.at,
      };
      await change.insert(assistances, row);
      change.record('assistance.request', {
        ...(await this.facts(change, row)),
        notes: [this.parts.keys.note('reason', key, reason)],
        detail: { purpose: row.purpose, needsApproval, expiresAt: row.expiresAt.toISOString(), staffRows: actor.staffIds },
      });
      return row.id;
    });
  }

  /** A supervisor's consent to a request; from now on it is live. Repeated, it changes nothing. Throws `NOT_FOUND`, `DENIED`, `CONFLICT`. */
  async approve(actor: SignedInActor, id: string): Promise<string> {
    await this.parts.database.change(actor, assistanceActions.approve, async (change, permit) => {
      const { row, ticket, subject } = await this.lockAssistance(change, actor, id);
      permit(subject);
      if (row.endedAt) throw isOver(row, 'Ask for a new one.');
      if (row.expiresAt <= change.at) throw new Failure('CONFLICT', 'The request has expired.', { remedy: 'Ask for a new one.' });
      if (row.beginsAt) return;
      await this.spendQuota(change, requesterOf(row), ticket.id, row.customerId);
      row.approvedById = actor.id;
      row.approvedAt = change.at;
      row.beginsAt = change.at;
      row.expiresAt = new Date(change.at.getTime() + this.parts.rules.onRequest.lifetimeMinutes * 60_000);
      await change.save(row);
      change.record('assistance.approve', {
        ticketId: ticket.id,
        assistanceId: row.id,
        subject: { type: 'Assistance', id: row.id },
        detail: { of: row.actorId, expiresAt: row.expiresAt.toISOString() },
      });
    });
    return id;
  }

  /**
   * A supervisor's refusal of a request, with a reason that the asker reads. Repeated by the same one, it changes nothing. Throws `INVALID`,
   * `NOT_FOUND`, `DENIED`, `CONFLICT`.
   */
  async reject(actor: SignedInActor, id: string, given: string): Promise<string> {
    const reason = reasonIn(given);
    const { database, keys } = this.parts;
    await database.change(actor, assistanceActions.reject, async (change, permit) => {
      const { row, subject } = await this.lockAssistance(change, actor, id);
      permit(subject);
      if (row.endReason === 'REJECTED' && row.rejectedById === actor.id) return;
      if (row.endedAt) throw isOver(row, 'There is nothing left to reject.');
      if (row.beginsAt)
        throw new Failure('CONFLICT', row.approvedById === null ? 'The assistance has begun.' : 'A supervisor approved it.', {
          remedy: 'End it with endAssistance, if it should not go on.',
        });
      const seal = await CustomerSeal.of(change, keys, row.customerId);
      row.rejectedById = actor.id;
      // Nothing new is kept of a customer who was erased.
      row.rejectionSealed = seal.key && seal.seal(assistances, row.id, 'rejection', reason);
      row.endedAt = change.at;
      row.endReason = 'REJECTED';
      row.openKey = null;
      await change.save(row);
      change.record('assistance.reject', {
        ...(await this.facts(change, row)),
        notes: seal.notes({ reason }),
        detail: { of: row.actorId },
      });
    });
    return id;
  }

  /**
   * Ends an assistance by hand: where a supervisor does it, all that this person has open on the ticket, and none begins there for them
   * without an approval any more. Resolves once nobody can disclose under it. Repeated, it changes nothing. Throws `NOT_FOUND`, `DENIED`.
   */
  async end(actor: SignedInActor, id: string): Promise<string> {
    const leasesUntil = await this.parts.database.change(actor, assistanceActions.end, async (change, permit) => {
      const { row, subject } = await this.lockAssistance(change, actor, id);
      permit(subject);
      if (row.endedAt) return 0;
      const endReason: AssistanceEndReason = isSamePerson(actor, subject.requester) ? 'BY_HAND' : 'BY_SUPERVISOR';
      const ended = endReason === 'BY_HAND' ? [row] : await openOn(change, subject.requester, row.ticketId);
      return endRows(change, ended, endReason);
    });
    await waitForLeases(leasesUntil);
    return id;
  }

  /** Writes the end of assistances whose time has passed; they were dead already, the log shall say so. Returns how many. */
  async expire(): Promise<number> {
    return this.parts.database.system('expiry', 'assistance.expire', async (change) => {
      const { endedAt, expiresAt } = assistance;
      const isPast = sql`WHERE ${endedAt} IS NULL AND ${expiresAt} <= ${change.at} ORDER BY ${expiresAt} LIMIT 200`;
      const rows = await change.read(openRows, isPast, { lock: true });
      await endRows(change, rows, 'EXPIRED');
      return rows.length;
    });
  }

  /**
   * The assistances of an actor on these tickets, by ticket: the one that is open, waiting or live; where there is none, the last that they
   * asked for under any of their subjects, where a supervisor put an end to it.
   */
  async ofTickets(
    actor: SignedInActor,
    ticketIds: readonly string[],
    fields: Fields | null,
  ): Promise<ReadonlyMap<string, AssistanceRow>> {
    const { openKey: open, ticketId, endReason, requestedAt } = assistance;
    const { database } = this.parts;
    const selection = assistanceRows.for(fields);
    const keys = ticketIds.map((each) => openKey(actor.id, each));
    // A frame is told of no ticket but those that it may show.
    const isHere =
      actor.frame === undefined
        ? sql``
        : sql` AND EXISTS (SELECT 1 FROM ${ticketTable} WHERE ${ticketTable.id} = ${ticketId}${ofFrame(actor)})`;
    const found = new Map(
      (await database.read(selection, sql`WHERE ${open} IN (${padded(keys)})${isHere}`)).map((row) => [row.ticketId, row]),
    );
    const without = ticketIds.filter((each) => !found.has(each));
    if (without.length === 0) return found;
    const by = (of: typeof assistance) => doneBy(personOf(actor), { actorId: of.actorId, staffIds: of.requestedByStaffIds });
    const isLast = sql`NOT EXISTS (SELECT 1 FROM ${later} WHERE ${later.ticketId} = ${ticketId} AND ${later.requestedAt} > ${requestedAt} AND ${by(later)})`;
    const ended = await database.read(
      selection,
      sql`WHERE ${ticketId} IN (${padded(without)}) AND ${endReason} IN (${putAnEnd}) AND ${by(assistance)} AND ${isLast}${isHere}`,
    );
    for (const row of ended) found.set(row.ticketId, row);
    return found;
  }

  /** Requests on tickets of the supervisor's teams that wait for the consent of somebody like them, oldest first. */
  async waitingFor(actor: SignedInActor, limit: number, fields: Fields | null): Promise<readonly AssistanceRow[]> {
    if (actor.teams.length === 0) return [];
    const { actorId, requestedByStaffIds: staffIds } = assistance;
    const byOthers = askedBySomebodyElse(actor, { actorId, staffIds, ticket: ticketTable });
    return this.waiting(sql`${ticketTable.team} IN (${actor.teams}) AND ${byOthers}`, limit, fields);
  }

  /** Those that the actor made themselves, under whichever subject, and that wait for somebody else's consent, oldest first. */
  ownWaiting(actor: SignedInActor, limit: number, fields: Fields | null): Promise<readonly AssistanceRow[]> {
    const { actorId, requestedByStaffIds: staffIds } = assistance;
    return this.waiting(doneBy(personOf(actor), { actorId, staffIds }), limit, fields);
  }

  private waiting(whose: Sql, limit: number, fields: Fields | null): Promise<readonly AssistanceRow[]> {
    const { id, requestedAt, beginsAt, expiresAt, endedAt } = assistance;
    return this.parts.database.read(
      assistanceRows.for(fields),
      sql`WHERE ${endedAt} IS NULL AND ${beginsAt} IS NULL AND ${expiresAt} > ${this.parts.clock()} AND ${whose}
        ORDER BY ${requestedAt}, ${id} LIMIT ${limit}`,
    );
  }

  /** One that a change has just let its actor see. */
  async changed(id: string, fields: Fields | null): Promise<AssistanceRow> {
    const [row] = await this.parts.database.read(assistanceRows.for(fields), sql`WHERE ${assistance.id} = ${id}`);
    if (!row) throw new ProgrammingError('an assistance that was changed is gone');
    return row;
  }

  /** Of each of these the requests that were made before on its ticket for its customer, by whomever, newest first. */
  earlierOf(
    requests: readonly Pick<AssistanceRow, 'id' | 'ticketId' | 'customerId' | 'requestedAt'>[],
    fields: Fields | null,
  ): Promise<readonly (readonly AssistanceRow[])[]> {
    const { id, ticketId, customerId, origin, requestedAt } = assistance;
    return this.parts.database.readLists(
      assistanceRows.for(fields),
      requests.map(
        (
          each,
        ) => sql`WHERE ${ticketId} = ${each.ticketId} AND ${customerId} = ${each.customerId} AND ${origin} = 'REQUESTED' AND ${id} <> ${each.id}
          AND ${requestedAt} <= ${each.requestedAt} ORDER BY ${requestedAt} DESC, ${id} DESC LIMIT ${mostEarlier}`,
      ),
    );
  }

  /** Why the actor may not decide about this one now; null where they may: then they see what they decide on. */
  decisionDenial(actor: SignedInActor, row: AssistanceRow): DenialReason | null {
    const at = this.parts.clock();
    if (row.beginsAt !== null || row.endedAt !== null || row.expiresAt <= at) return 'SCOPE';
    const subject: AssistanceSubject = {
      requester: { actorId: row.actorId, staffIds: row.requestedByStaffIds },
      knowsRequester: row.requestedByStaffId !== null,
      ticket: {
        ...row,
        id: row.ticketId,
        customerId: row.ticketCustomerId,
        knowsActor: actor.helpdesks.includes(row.source),
        isFresh: at.getTime() - row.confirmedAt.getTime() <= this.parts.maximumAge,
      },
      at,
    };
    return mayApprove(actor, subject) ? null : reasonOf(mayApprove, actor, subject);
  }

  /** The reasons of an assistance in clear, and whom it is about; its text is null where that customer was erased. */
  async reasonOf(id: string): Promise<Reason | null> {
    const [row] = await this.parts.database.read(reasonRows, sql`WHERE ${assistance.id} = ${id}`);
    if (!row) return null;
    const { keys } = this.parts;
    return {
      text: keys.open(assistances, row, 'reason'),
      rejection: keys.open(assistances, row, 'rejection'),
      customer: keys.underDigest(row.customerId, row),
    };
  }

  private async liveOf(actor: SignedInActor): Promise<readonly OnTicket[]> {
    const now = this.parts.clock();
    const rows = await this.parts.database.read(onTicketRows, sql`WHERE ${live(assistance, actor, now)}`);
    return rows.map(({ confirmedAt, ...row }) => ({
      ...row,
      isFresh: now.getTime() - confirmedAt.getTime() <= this.parts.maximumAge,
    }));
  }

  /**
   * Asked by whatever makes an assistance live. Throws `DENIED` where the customer would be one more than a person may reach
   * within an hour, under all of their subjects together.
   */
  private async spendQuota(change: Change, person: KeptPerson, ticketId: string, customerId: string): Promise<void> {
    const { actorId, requestedByStaffIds: staffIds, beginsAt } = assistance;
    const withinTheHour = sql`WHERE ${beginsAt} > ${new Date(change.at.getTime() - hour)} AND ${doneBy(person, { actorId, staffIds })}
      GROUP BY ${actorId}, ${assistance.customerId}`;
    const before = await change.read(reachedRows, withinTheHour);
    await countAlone(change, [...new Set([person.actorId, ...before.map((row) => row.actorId)])]);
    const customers = new Set((await change.read(reachedRows, withinTheHour)).map((row) => row.customerId));
    if (!customers.has(customerId) && customers.size >= this.parts.rules.quota.customersPerHour)
      throw Failure.denied('QUOTA', 'assistance.quota', ticketId);
  }

  /** What the event of a beginning says of whom and what it is about. */
  private async facts(change: Change, { id, ticketId, customerId }: Values<Assistance>) {
    const customer = await this.parts.keys.customerUnderDigest(change, customerId);
    return {
      ticketId,
      assistanceId: id,
      subject: { type: 'Assistance', id } as const,
      customers: customer ? [customer] : [],
    };
  }

  private async lockTicket(change: Change, id: string): Promise<{ ticket: Ticket; subject: TicketSubject }> {
    const ticket = await lockTicket(change, id);
    return { ticket, subject: await this.subjectOf(change, ticket) };
  }

  /** The ticket as the actor of the change stands to it now. */
  async subjectOf(change: Pick<Change, 'read' | 'at' | 'actor'>, ticket: Ticket): Promise<TicketSubject> {
    const staffIds = isSignedIn(change.actor) ? change.actor.staffIds : [];
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
      knowsActor: await isActiveStaff(change, ticket.source, staffIds),
      isFresh: change.at.getTime() - ticket.observedAt.getTime() <= this.parts.maximumAge,
    };
  }

  private async lockAssistance(change: Change, actor: SignedInActor, id: string) {
    const [known] = await change.read(ticketIds, sql`WHERE ${assistance.id} = ${id}`);
    // The ticket first, as everywhere: two changes that lock in different orders would wait for each other.
    const ticket = known ? await lockTicket(change, known.ticketId) : null;
    const row = ticket ? await change.lockIfAny(Assistance, { id }) : null;
    const isVisible =
      row &&
      ticket &&
      (isSamePerson(actor, requesterOf(row)) ||
        (actor.roles.includes('SUPERVISOR') && ticket.team !== null && actor.teams.includes(ticket.team)));
    if (!row || !ticket || !isVisible) throw Failure.notFound('assistance');
    const subject: AssistanceSubject = {
      requester: requesterOf(row),
      knowsRequester: await isStaff(change, ticket.source, row.requestedByStaffIds ?? []),
      ticket: await this.subjectOf(change, ticket),
      at: change.at,
    };
    return { row, ticket, subject };
  }
}

/** Whoever decides second is told what the first decided. */
const isOver = ({ endReason }: Assistance, remedy: string): Failure =>
  new Failure('CONFLICT', endReason === 'REJECTED' ? 'A supervisor rejected it.' : 'The assistance has ended.', { remedy });

/** The reason of a request whose form is right. Throws `INVALID`. */
const askedReason = ({ reason, purpose }: BeginInput): string => {
  const trimmed = reasonIn(reason, 'input.reason');
  if (!assistancePurposes.includes(purpose))
    throw Failure.invalid('input.purpose', `expected one of ${assistancePurposes.join(', ')}`);
  return trimmed;
};

const requesterOf = ({ actorId, requestedByStaffIds }: Assistance): KeptPerson => ({ actorId, staffIds: requestedByStaffIds });
