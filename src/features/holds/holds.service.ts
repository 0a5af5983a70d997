import type { SignedInActor } from '../../authz/actor';
import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { joined, padded, type Sql, sql } from '../../db/sql';
import type { Column, Selected } from '../../db/table';
import { Failure } from '../../failure';
import { type Keyset, PageRequest, pageClause, putInOrder, reversed } from '../../graphql/page';
import type { Core } from '../core';
import { type ForDecision, forDecision, noDecision } from '../for-decision';
import { transaction } from '../payments/payments.rows';
import { askedBySomebodyElse } from '../tickets/staff.rows';
import { ticket } from '../tickets/tickets.rows';
import { type Covered, covers, linkedTo } from './covered';
import { holdReach, mayDecide } from './hold.policy';
import { type HoldEffectKind, type HoldEffectState, placedStates, standingStates } from './hold.states';
import { HoldConnection, type HoldFilter, type HoldType } from './hold.type';
import { effect, type HoldRow, hold, holdCounts, holdMoves, holdRows, openAmounts, openSums, standingRows } from './holds.rows';
import { type HoldDraft, type PlacedHold, placeHold } from './placing';

/** A hold that stands in the way of a payment now, with how far each of its effects is. */
export interface StandingHold {
  readonly id: string;
  readonly effects: readonly { readonly kind: HoldEffectKind; readonly state: HoldEffectState }[];
  readonly expiresAt: Date;
  readonly customerIds: readonly string[];
  readonly payerIds: readonly string[] | null;
  readonly transactionId: string | null;
}

/** Whom and what a payment is about, by our ids; a mail domain by its keyed digest. */
export interface HeldSubjects {
  /** Those at the payment side. */
  readonly payerIds: readonly string[];
  /** The helpdesk's customers who are linked to those: held as whom they are linked to, where they were nobody when the hold was placed. */
  readonly customerIds: readonly string[];
  readonly transactionIds: readonly string[];
  readonly emailDomain: string | null;
}

/** Somebody as the helpdesk and as the payment side have them. */
export interface HeldCustomer {
  readonly customerId: string;
  readonly paymentCustomerId: string;
}

/** Authorized and neither captured nor released, in minor units of its currency. */
export interface OpenAmount {
  readonly amount: number;
  readonly currency: string;
}

export interface HoldPageArguments {
  readonly filter: HoldFilter | null | undefined;
  readonly oldestFirst: boolean | null;
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** Rows of one statement: far more than the open holds of whom one payment is about. Of many who are asked about together there may be more. */
const mostRows = 2_000;
/** Holds that an alert shows by itself; the list of holds has them all. */
export const newestOfCustomer = 10;

/** What is about the payment of a hold, where it has one, and not about whoever pays. */
export const ofOnePayment: readonly HoldEffectKind[] = ['DEFER_CAPTURE', 'HOLD_ORDER'];

const newestFirst: Keyset<HoldRow> = {
  column: hold.placedAt,
  id: hold.id,
  direction: 'DESC',
  positionOf: (row) => ({ value: row.placedAt.getTime(), id: row.id }),
};

/** `stateAt`, as SQL over `hold`. */
const stateNow = (now: Date): Sql => sql`CASE WHEN ${hold.expiresAt} > ${now} THEN ${hold.state}
  WHEN ${hold.state} = 'PROPOSED' THEN 'EXPIRED' WHEN ${hold.state} IN ('PLACING', 'ACTIVE') THEN 'RELEASING' ELSE ${hold.state} END`;

/** Holds: what waits, for whom, and until when. */
export class Holds {
  constructor(private readonly parts: Pick<Core, 'database' | 'keys' | 'cursors' | 'clock'>) {}

  get now(): Date {
    return this.parts.clock();
  }

  /** See `placeHold`. */
  place(change: Change, draft: HoldDraft): Promise<PlacedHold> {
    return placeHold(change, this.parts.keys, draft);
  }

  /**
   * What stands in the way of a payment now: holds on any of these that are placed, or not let go of entirely, and whose time isn't over.
   * One statement, and another one for each two thousand rows; none where there is nothing to ask about.
   */
  async standing(reader: Pick<Reads, 'read'>, of: HeldSubjects): Promise<readonly StandingHold[]> {
    const covered = coveringAny(of);
    if (covered === null) return [];
    const rows = await this.standingRows(reader, covered);
    const holds = new Map<string, StandingHold & { readonly effects: { kind: HoldEffectKind; state: HoldEffectState }[] }>();
    const names = [...of.payerIds, ...of.customerIds];
    for (const { kind, effectState, emailDomain, ...row } of rows) {
      const isOfDomain = emailDomain !== null && emailDomain === of.emailDomain;
      if (!isOfDomain && !covers(row, names) && !of.transactionIds.includes(row.transactionId ?? '')) continue;
      // What is about one payment stands in no other's way.
      if (ofOnePayment.includes(kind) && row.transactionId !== null && !of.transactionIds.includes(row.transactionId)) continue;
      const known = holds.get(row.id) ?? { ...row, effects: [] };
      known.effects.push({ kind, state: effectState });
      holds.set(row.id, known);
    }
    return [...holds.values()];
  }

  /** All of them, in the order of their holds: one that was left out would stand in nobody's way. */
  private async standingRows(reader: Pick<Reads, 'read'>, covered: Sql): Promise<readonly Selected<typeof standingRows>[]> {
    const stands = sql`${hold.state} IN (${standingStates}) AND ${hold.expiresAt} > ${this.now} AND ${effect.state} <> 'REVERSED'`;
    const all: Selected<typeof standingRows>[] = [];
    for (let after = ''; ; ) {
      const rows = await reader.read(
        standingRows,
        sql`WHERE ${hold.id} > ${after} AND ${stands} AND ${covered} ORDER BY ${hold.id}, ${effect.kind} LIMIT ${mostRows}`,
      );
      const last = rows.at(-1)?.id;
      if (rows.length < mostRows || last === undefined) return [...all, ...rows];
      // The last one may have been cut in two.
      const whole = rows.filter(({ id }) => id !== last);
      all.push(...whole);
      after = whole.at(-1)?.id ?? after;
    }
  }

  /**
   * Since when the youngest hold is in force on somebody at the payment side, whichever of the helpdesk's customers that is, or on a
   * payment of theirs; null where there is none. A hold on the customer of the helpdesk who is asked about counts in any case: it is they
   * who ask.
   */
  async inForceSince(reader: Pick<Reads, 'read'>, { customerId, paymentCustomerId }: HeldCustomer): Promise<Date | null> {
    const isInForce = sql`${hold.state} IN (${placedStates}) AND ${hold.expiresAt} > ${this.parts.clock()}`;
    const others = await linkedTo(reader, [paymentCustomerId]);
    const covering = sql`(${coversOne([customerId, ...others])} OR ${coversPayer([paymentCustomerId])})`;
    const rows = await reader.read(holdMoves, sql`WHERE ${isInForce} AND ${covering} ORDER BY ${hold.id} LIMIT ${mostRows}`);
    const isOnThem = (row: Covered) => row.customerIds.includes(customerId) || covers(row, [paymentCustomerId, ...others]);
    const begun = rows.filter(isOnThem).flatMap(({ moves }) => moves.flatMap(({ to, at }) => (to === 'PLACING' ? at : [])));
    return begun.length === 0 ? null : new Date(Math.max(...begun));
  }

  /** A hold within the actor's reach. Throws `NOT_FOUND`. */
  async reachable(actor: SignedInActor, id: string): Promise<HoldRow> {
    const [row] = await this.parts.database.read(holdRows, sql`WHERE ${hold.id} = ${id} AND ${holdReach(actor, this.now)}`);
    if (!row) throw Failure.notFound('hold');
    return row;
  }

  /** Those within the actor's reach, newest first. Throws `INVALID` for a page size or cursor that doesn't fit. */
  async page(actor: SignedInActor, { filter, oldestFirst, first, after }: HoldPageArguments, toType: (row: HoldRow) => HoldType) {
    const given = filter ?? {};
    const request = new PageRequest(
      {
        cursors: this.parts.cursors,
        actorId: actor.id,
        list: oldestFirst === true ? ['Query.holds', given, 'oldest first'] : ['Query.holds', given],
        keyset: oldestFirst === true ? reversed(newestFirst) : newestFirst,
      },
      { first, after },
    );
    const { now } = this;
    const conditions = [holdReach(actor, now)];
    if (given.state) conditions.push(given.state.length > 0 ? sql`${stateNow(now)} IN (${given.state})` : sql`1 = 0`);
    if (typeof given.ticketId === 'string') conditions.push(sql`${hold.ticketId} = ${given.ticketId}`);
    if (given.awaitingMyDecision === true) conditions.push(awaits(actor, now));
    const where = sql`WHERE ${joined(conditions, ' AND ')}`;
    const rows = await this.parts.database.read(holdRows, sql`${where} ${request.clause}`);
    return new HoldConnection(
      request.pageOf(rows, toType, async () => {
        const [counted] = await this.parts.database.read(holdCounts, where);
        return counted?.n ?? 0;
      }),
    );
  }

  /** Those of these ids, of what the reader has reached already; null for one that isn't there. One statement. */
  async ofIds(ids: readonly string[]): Promise<readonly (HoldRow | null)[]> {
    const rows = await this.parts.database.read(holdRows, sql`WHERE ${hold.id} IN (${padded(ids)})`);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Those that cover each of these customers, whom the reader has reached already: the newest. */
  async ofCustomers(customerIds: readonly string[]): Promise<readonly (readonly HoldRow[])[]> {
    const newest = pageClause(newestFirst, null, newestOfCustomer);
    const lists = await this.parts.database.readLists(
      holdRows,
      customerIds.map((id) => sql`WHERE ${coversOne([id])} ${newest}`),
    );
    for (const list of lists) putInOrder(list, newestFirst);
    return lists;
  }

  /** What is authorized and neither captured nor released, of the payment or the customer of each; null for groups, for several currencies, and where that isn't known. */
  async openAmounts(rows: readonly HoldRow[]): Promise<readonly (OpenAmount | null)[]> {
    const { database } = this.parts;
    const payments = [...new Set(rows.flatMap(({ transactionId }) => transactionId ?? []))];
    const payers = [...new Set(rows.flatMap((row) => (row.subjectKind === 'CUSTOMER' ? (row.paymentCustomerId ?? []) : [])))];
    const single =
      payments.length === 0 ? [] : await database.read(openAmounts, sql`WHERE ${transaction.id} IN (${padded(payments)})`);
    const { paymentCustomerId, currency, open } = transaction;
    const sums =
      payers.length === 0
        ? []
        : await database.read(
            openSums,
            sql`WHERE ${paymentCustomerId} IN (${padded(payers)}) AND ${open} > 0 GROUP BY ${paymentCustomerId}, ${currency}`,
          );
    return rows.map((row) => {
      if (row.subjectKind === 'GROUP' || row.currentLink === 'NONE') return null;
      const found =
        row.transactionId !== null
          ? single.filter(({ id }) => id === row.transactionId)
          : sums.filter((each) => each.paymentCustomerId === row.paymentCustomerId);
      const [one] = found;
      return found.length !== 1 || !one || one.open === null ? null : { amount: one.open, currency: one.currency };
    });
  }

  /** Whether the actor may decide about this proposal now, or once they have signed in anew: then they see what they decide on. */
  forDecision(actor: SignedInActor, row: HoldRow): ForDecision {
    const { now } = this;
    if (row.state !== 'PROPOSED' || row.expiresAt <= now) return noDecision;
    const { placedById, placedByStaffIds, helpdesk, customerSetByIds } = row;
    const knowsActor = helpdesk === null ? actor.helpdesks.length > 0 : actor.helpdesks.includes(helpdesk);
    return forDecision(mayDecide, actor, {
      ...row,
      ticket: row.ticketId === null || customerSetByIds === null ? null : { ...row, customerSetByIds, knowsActor, isFresh: true },
      isAssisted: false,
      requester: placedById === null ? null : { actorId: placedById, staffIds: placedByStaffIds },
      knowsRequester: row.placedByStaffId !== null,
      knowsActor,
      // Asked in the change that decides, as is how old what is known of the ticket is.
      hadTicket: false,
      at: now,
    });
  }
}

/** The proposal waits for a decision that the actor may take, as SQL over `hold` and its `ticket`. */
const awaits = (actor: SignedInActor, now: Date): Sql => {
  if (!actor.roles.includes('SUPERVISOR') || actor.staffIds.length === 0) return sql`1 = 0`;
  const { placedById: actorId, placedByStaffIds: staffIds } = hold;
  const { teamSetById, createdById, customerSetByIds, team } = ticket;
  const unmade = actor.staffIds.map((id) => sql`INSTR(${customerSetByIds}, ${JSON.stringify(id)}) = 0`);
  const theirs = actor.teams.length === 0 ? sql`1 = 0` : sql`${team} IN (${actor.teams})`;
  const ofRule = sql`${theirs} AND (${teamSetById} IS NULL OR ${teamSetById} NOT IN (${actor.staffIds}))
    AND (${createdById} IS NULL OR ${createdById} NOT IN (${actor.staffIds})) AND ${joined(unmade, ' AND ')}`;
  return sql`${hold.state} = 'PROPOSED' AND ${hold.expiresAt} > ${now} AND (${hold.ticketId} IS NULL
    OR (${actorId} IS NULL AND ${ofRule}) OR (${theirs} AND ${askedBySomebodyElse(actor, { actorId, staffIds, ticket })}))`;
};

/** The hold covers one of these, as SQL over `hold`; null where there are none. */
const coveringAny = ({ payerIds, customerIds, transactionIds, emailDomain }: HeldSubjects): Sql | null => {
  const any: Sql[] = [];
  if (payerIds.length > 0) any.push(coversPayer(payerIds));
  if (customerIds.length > 0) any.push(coversOne(customerIds));
  if (transactionIds.length > 0) any.push(sql`${hold.transactionId} IN (${padded(transactionIds)})`);
  if (emailDomain !== null) any.push(sql`${hold.emailDomain} = ${emailDomain}`);
  return any.length === 0 ? null : sql`(${joined(any, ' OR ')})`;
};

/** A hold on one customer or payment stands on somebody at the payment side, as SQL; `payerId` is the column that names them. */
export const isHeld = (payerId: Column<string>, now: Date): Sql =>
  sql`EXISTS (SELECT 1 FROM ${hold} WHERE ${hold.paymentCustomerId} = ${payerId} AND ${hold.state} IN (${standingStates})
    AND ${hold.expiresAt} > ${now})`;

/** A hold on one payment stands on it, as SQL; `transactionId` is the column that names it. */
export const isPaymentHeld = (transactionId: Column<string>, now: Date): Sql =>
  sql`EXISTS (SELECT 1 FROM ${hold} WHERE ${hold.transactionId} = ${transactionId} AND ${hold.state} IN (${standingStates})
    AND ${hold.expiresAt} > ${now})`;

/** One of these customers is among those whom the hold covers, as SQL over `hold`. */
const coversOne = (customerIds: readonly string[]): Sql =>
  sql`(${hold.customerId} IN (${padded(customerIds)}) OR (${hold.subjectKind} = 'GROUP' AND (${joined(
    customerIds.map((id) => sql`INSTR(${hold.customerIds}, ${JSON.stringify(id)}) > 0`),
    ' OR ',
  )})))`;

/** The same of somebody at the payment side, as they were when it was placed. */
const coversPayer = (payerIds: readonly string[]): Sql =>
  sql`(${hold.paymentCustomerId} IN (${padded(payerIds)}) OR (${hold.subjectKind} = 'GROUP' AND (${joined(
    payerIds.map((id) => sql`INSTR(${hold.payerIds}, ${JSON.stringify(id)}) > 0`),
    ' OR ',
  )})))`;
