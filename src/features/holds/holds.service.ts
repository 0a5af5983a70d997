import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { joined, padded, type Sql, sql } from '../../db/sql';
import type { Core } from '../core';
import { customer } from '../customers/customers.rows';
import { type HoldEffectKind, type HoldEffectState, placedStates, standingStates } from './hold.states';
import { effect, hold, holdMoves, sameCustomers, standingRows } from './holds.rows';
import { type HoldDraft, type PlacedHold, placeHold } from './placing';

/** A hold that stands in the way of a payment now, with how far each of its effects is. */
export interface StandingHold {
  readonly id: string;
  readonly effects: readonly { readonly kind: HoldEffectKind; readonly state: HoldEffectState }[];
  readonly expiresAt: Date;
  readonly customerIds: readonly string[];
  readonly transactionId: string | null;
}

/** Whom and what a payment is about, by our ids; a mail domain by its keyed digest. */
export interface HeldSubjects {
  readonly customerIds: readonly string[];
  readonly transactionIds: readonly string[];
  readonly emailDomain: string | null;
}

/** Somebody as the helpdesk and as the payment side have them. */
export interface HeldCustomer {
  readonly customerId: string;
  readonly paymentCustomerId: string;
}

export interface HoldParts extends Pick<Core, 'database' | 'keys' | 'cursors' | 'clock'> {}

/** Rows of one answer: far more than the open holds of whom one payment is about. */
const mostRows = 2_000;

/** Customers of the helpdesk who are one at the payment side. */
const mostSame = 50;

/** What is about the payment of a hold, where it has one, and not about whoever pays. */
export const ofOnePayment: readonly HoldEffectKind[] = ['DEFER_CAPTURE', 'HOLD_ORDER'];

/** Holds: what waits, for whom, and until when. */
export class Holds {
  constructor(private readonly parts: HoldParts) {}

  /** See `placeHold`. */
  place(change: Change, draft: HoldDraft): Promise<PlacedHold> {
    return placeHold(change, this.parts.keys, draft);
  }

  /**
   * What stands in the way of a payment now: holds on any of these that are placed, or not let go of entirely, and whose time isn't over.
   * One statement; none where there is nothing to ask about.
   */
  async standing(reader: Pick<Reads, 'read'>, of: HeldSubjects): Promise<readonly StandingHold[]> {
    const covered = coveringAny(of);
    if (covered === null) return [];
    const { state, expiresAt } = hold;
    const rows = await reader.read(
      standingRows,
      sql`WHERE ${state} IN (${standingStates}) AND ${expiresAt} > ${this.parts.clock()} AND ${effect.state} <> 'REVERSED' AND ${covered}
        ORDER BY ${hold.id}, ${effect.kind} LIMIT ${mostRows}`,
    );
    const holds = new Map<string, StandingHold & { readonly effects: { kind: HoldEffectKind; state: HoldEffectState }[] }>();
    for (const { kind, effectState, ...row } of rows) {
      // What is about one payment stands in no other's way.
      if (ofOnePayment.includes(kind) && row.transactionId !== null && !of.transactionIds.includes(row.transactionId)) continue;
      const known = holds.get(row.id) ?? { ...row, effects: [] };
      known.effects.push({ kind, state: effectState });
      holds.set(row.id, known);
    }
    return [...holds.values()];
  }

  /**
   * Since when the youngest hold is in force on somebody at the payment side, whichever of the helpdesk's customers that is, or on a
   * payment of theirs; null where there is none.
   */
  async inForceSince(reader: Pick<Reads, 'read'>, { customerId, paymentCustomerId }: HeldCustomer): Promise<Date | null> {
    const same = await reader.read(
      sameCustomers,
      sql`WHERE ${customer.paymentCustomerId} = ${paymentCustomerId} LIMIT ${mostSame}`,
    );
    const isInForce = sql`${hold.state} IN (${placedStates}) AND ${hold.expiresAt} > ${this.parts.clock()}`;
    const covering = coversOne([...new Set([customerId, ...same.map(({ id }) => id)])]);
    const rows = await reader.read(holdMoves, sql`WHERE ${isInForce} AND ${covering} ORDER BY ${hold.id} LIMIT ${mostRows}`);
    const begun = rows.flatMap(({ moves }) => moves.flatMap(({ to, at }) => (to === 'PLACING' ? at : [])));
    return begun.length === 0 ? null : new Date(Math.max(...begun));
  }
}

/** The hold covers one of these, as SQL over `hold`; null where there are none. */
const coveringAny = ({ customerIds, transactionIds, emailDomain }: HeldSubjects): Sql | null => {
  const any: Sql[] = [];
  if (customerIds.length > 0) any.push(coversOne(customerIds));
  if (transactionIds.length > 0) any.push(sql`${hold.transactionId} IN (${padded(transactionIds)})`);
  if (emailDomain !== null) any.push(sql`${hold.emailDomain} = ${emailDomain}`);
  return any.length === 0 ? null : sql`(${joined(any, ' OR ')})`;
};

/** One of these customers is among those whom the hold covers, as SQL over `hold`. */
export const coversOne = (customerIds: readonly string[]): Sql =>
  sql`(${hold.customerId} IN (${padded(customerIds)}) OR (${hold.subjectKind} = 'GROUP' AND (${joined(
    customerIds.map((id) => sql`INSTR(${hold.customerIds}, ${JSON.stringify(id)}) > 0`),
    ' OR ',
  )})))`;
