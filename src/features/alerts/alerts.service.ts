import type { SignedInActor } from '../../authz/actor';
import type { KeptPerson } from '../../authz/same-person';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import type { Reads } from '../../db/reads';
import { joined, sql } from '../../db/sql';
import { Failure } from '../../failure';
import { type Keyset, PageRequest, pageClause, putInOrder } from '../../graphql/page';
import { assistances } from '../assistance/assistance.entity';
import type { Assistances } from '../assistance/assistance.service';
import { assistanceIds, live, useAssistance } from '../assistance/live';
import type { Core } from '../core';
import { reasonIn } from '../reasons';
import { ownSource } from '../signals/own-source';
import { recordSignals } from '../signals/recorder';
import { isStaff } from '../tickets/staff.rows';
import type { Ticket } from '../tickets/ticket.entity';
import { lockTicket } from '../tickets/tickets.lock';
import type { InScope } from '../tickets/tickets.scope';
import { RiskAlert } from './alert.entity';
import { alertActions, alertReach, type ConcernSubject } from './alert.policy';
import { type AlertRow, alert, alertCounts, alertRows, outcomes, outcomesSince } from './alert.rows';
import { AlertConnection, type AlertFilter, type AlertType, type ReportConcernInput, type ResolveAlertInput } from './alert.type';
import { endAlert, raise, silence } from './raising';

export interface AlertParts extends Pick<Core, 'database' | 'keys' | 'cursors' | 'clock' | 'policy'> {
  readonly assistances: Assistances;
  /** Who recorded what these signals tell of, as alerts name them. */
  readonly recordersOf: (reads: Pick<Reads, 'read'>, signals: readonly string[]) => Promise<readonly KeptPerson[]>;
}

export interface AlertPageArguments {
  readonly filter: AlertFilter | null | undefined;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** The longest that a rule may be silent about a customer, milliseconds. */
const longestSnooze = 30 * 24 * 3_600_000;
/** Alerts that end by themselves in one change. */
const expiredAtOnce = 200;

/** Open alerts that a ticket shows by itself; the list of alerts has them all. */
export const newestOfTicket = 10;

/** Alerts of which is counted what became of them. */
const mostJudged = 10_000;

/** What people said of a rule's alerts. */
export interface RuleOutcomes {
  readonly confirmed: number;
  readonly falseAlarms: number;
  readonly unsure: number;
  /** Nobody said anything before their time was over. */
  readonly unresolved: number;
}

const newestFirst: Keyset<AlertRow> = {
  column: alert.raisedAt,
  id: alert.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row.raisedAt.getTime(), id: row.id }),
};

/** Alerts as staff read, report and resolve them. */
export class Alerts {
  private readonly database: Database = this.parts.database;

  constructor(private readonly parts: AlertParts) {}

  /** An alert that is told to the actor. Throws `NOT_FOUND`. */
  async reachable(actor: SignedInActor, id: string): Promise<AlertRow> {
    const [row] = await this.database.read(
      alertRows,
      sql`WHERE ${alert.id} = ${id} AND ${alertReach(actor, this.parts.clock(), this.parts.policy)}`,
    );
    if (!row) throw Failure.notFound('alert');
    return row;
  }

  /** The newest open ones that are told to the actor on each of these tickets, newest first. */
  async ofTickets(actor: SignedInActor, ticketIds: readonly string[]): Promise<readonly (readonly AlertRow[])[]> {
    const isTold = alertReach(actor, this.parts.clock(), this.parts.policy);
    const newest = pageClause(newestFirst, null, newestOfTicket);
    const lists = await this.database.readLists(
      alertRows,
      ticketIds.map((id) => sql`WHERE ${alert.ticketId} = ${id} AND ${alert.state} = 'OPEN' AND ${isTold} ${newest}`),
    );
    for (const list of lists) putInOrder(list, newestFirst);
    return lists;
  }

  /** Those that are told to the actor, newest first. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async page(actor: SignedInActor, { filter, first, after }: AlertPageArguments, toType: (row: AlertRow) => AlertType) {
    const given = filter ?? {};
    const request = new PageRequest(
      { cursors: this.parts.cursors, actorId: actor.id, list: ['Query.alerts', given], keyset: newestFirst },
      { first, after },
    );
    const conditions = [alertReach(actor, this.parts.clock(), this.parts.policy)];
    if (given.state) conditions.push(given.state.length > 0 ? sql`${alert.state} IN (${given.state})` : sql`1 = 0`);
    if (typeof given.ticketId === 'string') conditions.push(sql`${alert.ticketId} = ${given.ticketId}`);
    const where = sql`WHERE ${joined(conditions, ' AND ')}`;
    const rows = await this.database.read(alertRows, sql`${where} ${request.clause}`);
    return new AlertConnection(
      request.pageOf(rows, toType, async () => {
        const [counted] = await this.database.read(alertCounts, where);
        return counted?.n ?? 0;
      }),
    );
  }

  /** Whether the actor may report a concern on the ticket as it is stored; `report` judges again. Throws `INVALID`, `DENIED`. */
  async expectMayReport({ actor, id }: InScope<Ticket>, input: ReportConcernInput): Promise<void> {
    noteIn(input);
    await this.database.change(actor, alertActions.concern, async (change, permit) => {
      const subject = await this.concernOn(change, actor, await lockTicket(change, id));
      permit({ ...subject, ticket: { ...subject.ticket, isFresh: true } });
    });
  }

  /**
   * What an agent noticed, as an alert on their ticket; repeated, the one that is open. What anybody else reported, or a rule found, takes no
   * part in the answer. Returns its id. Throws `INVALID`, `NOT_FOUND`, `DENIED`.
   */
  async report({ actor, id: ticketId }: InScope<Ticket>, input: ReportConcernInput): Promise<string> {
    const note = noteIn(input);
    return this.database.change(actor, alertActions.concern, async (change, permit) => {
      const ticket = await lockTicket(change, ticketId);
      permit(await this.concernOn(change, actor, ticket));
      const customerId = ticket.customerId as string;
      const assisted = await assistanceOn(change, actor, { ticketId, customerId });
      await this.expectLive(change, assisted, { action: alertActions.concern.name, ticketId });
      const raised = await raise(
        change,
        this.parts.keys,
        {
          rule: 'concern',
          version: 0,
          severity: 'MEDIUM',
          customerId,
          ticketId,
          staffId: null,
          subject: JSON.stringify([ticketId, actor.id]),
          window: '',
          reasons: [{ code: 'REPORTED' }],
          signals: [],
        },
        { note, byId: actor.id, staffIds: actor.staffIds },
      );
      if (!('id' in raised)) throw Failure.notFound('ticket');
      // What the account does from now on is looked at in this light: stored with the report, so that it counts at once.
      await recordSignals(change, [
        {
          source: ownSource,
          id: `${raised.id}:concern`,
          type: 'ticket.concern',
          occurredAt: change.at,
          subjects: { customer: customerId, ticket: ticketId },
          facts: {},
        },
      ]);
      return raised.id;
    });
  }

  /**
   * Says what an alert was; repeated with the same word, it changes nothing. Returns its id. Throws `INVALID`, `NOT_FOUND`, `DENIED`,
   * `CONFLICT` where something else was said before.
   */
  async resolve(actor: SignedInActor, { id, resolution, snoozeUntil }: ResolveAlertInput): Promise<string> {
    const { ticketId } = await this.reachable(actor, id);
    return this.database.change(actor, alertActions.resolve, async (change, permit) => {
      // The ticket first, as everywhere.
      const ticket = ticketId === null ? null : await lockTicket(change, ticketId);
      const row = await change.lock(RiskAlert, { id });
      const assisted = await assistanceOn(change, actor, row);
      const people = [...peopleOf(row), ...(await this.parts.recordersOf(change, row.signals))];
      const source = ticket?.source ?? '';
      const known = await Promise.all(people.map(({ staffIds }) => isStaff(change, source, staffIds ?? [])));
      permit({
        ticketId: row.ticketId,
        isAssisted: assisted !== null,
        people,
        knowsPeople: known.every(Boolean),
        knowsActor: actor.helpdesks.includes(source),
      });
      if (row.state !== 'OPEN') {
        if (row.resolution === resolution && !snoozeUntil) return id;
        throw new Failure('CONFLICT', 'The alert has ended.', { remedy: 'Nothing more is said of it.' });
      }
      const until = snoozeUntil ? this.snoozeWithin(row, { resolution, until: snoozeUntil, now: change.at }) : null;
      const assistanceId = await this.expectLive(change, assisted, { action: alertActions.resolve.name, ticketId: row.ticketId });
      await endAlert(change, row, { state: 'RESOLVED', resolution, resolvedById: actor.id });
      const customer = await this.parts.keys.customerUnderDigest(change, row.customerId);
      change.record('alert.resolve', {
        ...(row.ticketId === null ? {} : { ticketId: row.ticketId }),
        assistanceId,
        subject: { type: 'Alert', id },
        customers: customer ? [customer] : [],
        detail: { rule: row.rule, resolution, staffRows: actor.staffIds },
      });
      if (until) await silence(change, row, { until, keys: this.parts.keys });
      return id;
    });
  }

  /** Ends alerts of which nobody said what they were. Returns how many. */
  async expire(): Promise<number> {
    const { state, expiresAt } = alert;
    const isPast = sql`WHERE ${state} = 'OPEN' AND ${expiresAt} <= ${this.parts.clock()} ORDER BY ${expiresAt} LIMIT ${expiredAtOnce}`;
    const past = await this.database.read(alertRows, isPast);
    for (const { id: each, ticketId } of past)
      await this.database.system('expiry', 'alert.end', async (change) => {
        if (ticketId !== null) await lockTicket(change, ticketId);
        const row = await change.lockIfAny(RiskAlert, { id: each });
        if (row?.state !== 'OPEN' || row.expiresAt > change.at) return;
        await endAlert(change, row, { state: 'EXPIRED' });
        const customer = await this.parts.keys.customerUnderDigest(change, row.customerId);
        change.record('alert.end', {
          ...(row.ticketId === null ? {} : { ticketId: row.ticketId }),
          subject: { type: 'Alert', id: each },
          customers: customer ? [customer] : [],
        });
      });
    return past.length;
  }

  /** For the operator: how many alerts each rule raised, and what they were said to be. */
  async counts(): Promise<readonly { readonly rule: string; readonly outcome: string; readonly count: number }[]> {
    const { rule, state, resolution } = alert;
    const rows = await this.database.read(outcomes, sql`GROUP BY ${rule}, ${state}, ${resolution}`);
    return rows.map((row) => ({ rule: row.rule, outcome: row.resolution ?? row.state, count: row.n }));
  }

  /** What became of the alerts that a version of a rule raised within so many days; of all rules' the newest 10,000 count. */
  async outcomesOf(days: number): Promise<(setting: { readonly name: string; readonly version: number }) => RuleOutcomes> {
    const { rule, version, state, resolution } = alert;
    const rows = await this.database.read(
      outcomesSince(new Date(this.parts.clock().getTime() - days * 24 * 3_600_000), mostJudged),
      sql`GROUP BY ${rule}, ${version}, ${state}, ${resolution}`,
    );
    return ({ name, version: of }) => {
      const own = rows.filter((row) => row.rule === name && row.version === of);
      const count = (is: (row: (typeof rows)[number]) => boolean) => own.filter(is).reduce((sum, { n }) => sum + n, 0);
      return {
        confirmed: count((row) => row.resolution === 'TRUE'),
        falseAlarms: count((row) => row.resolution === 'FALSE'),
        unsure: count((row) => row.resolution === 'UNSURE'),
        unresolved: count((row) => row.resolution === null && row.state !== 'OPEN'),
      };
    };
  }

  private snoozeWithin(
    { rule }: RiskAlert,
    { resolution, until, now }: { readonly resolution: string; readonly until: Date; readonly now: Date },
  ): Date {
    if (resolution === 'TRUE') throw Failure.invalid('input.snoozeUntil', 'expected none for an alert that was TRUE');
    if (rule === 'concern') throw Failure.invalid('input.snoozeUntil', 'expected none for what a member of staff reported');
    const latest = new Date(now.getTime() + longestSnooze);
    if (until <= now || until > latest)
      throw Failure.invalid('input.snoozeUntil', `expected an instant to come, ${latest.toISOString()} at the latest`);
    return until;
  }

  /** The assistance that a change goes by is written to while it is live, so that it still is when the change commits. */
  private async expectLive(
    change: Change,
    assistanceId: string | null,
    { action, ticketId }: { readonly action: string; readonly ticketId: string | null },
  ): Promise<string> {
    if (assistanceId !== null && (await useAssistance(change, assistanceId))) return assistanceId;
    throw Failure.denied('ASSISTANCE_ENDED', action, ticketId);
  }

  private async concernOn(change: Change, actor: SignedInActor, ticket: Ticket): Promise<ConcernSubject> {
    const { id: ticketId, customerId } = ticket;
    const assisted = customerId === null ? null : await assistanceOn(change, actor, { ticketId, customerId });
    return { ticket: await this.parts.assistances.subjectOf(change, ticket), isAssisted: assisted !== null };
  }
}

/** The actor's live assistance where an alert is told: on its ticket, or, where it has none, with its customer. */
const assistanceOn = async (
  change: Change,
  actor: SignedInActor,
  { ticketId, customerId }: { readonly ticketId: string | null; readonly customerId: string },
): Promise<string | null> => {
  const onTicket = ticketId === null ? sql`` : sql` AND ${assistances.ticketId} = ${ticketId}`;
  const [found] = await change.read(
    assistanceIds,
    sql`WHERE ${live(assistances, actor, change.at)} AND ${assistances.customerId} = ${customerId}${onTicket} LIMIT 1`,
  );
  return found?.id ?? null;
};

/** Who reported an alert, and whom among the staff it is about. */
const peopleOf = ({ reportedById, reportedByStaffIds, staffId }: RiskAlert): readonly KeptPerson[] => [
  ...(reportedById === null ? [] : [{ actorId: reportedById, staffIds: reportedByStaffIds }]),
  ...(staffId === null ? [] : [{ actorId: '', staffIds: [staffId] }]),
];

/** Throws `INVALID`. */
const noteIn = ({ note }: ReportConcernInput): string => reasonIn(note, 'input.note', 'what was noticed');
