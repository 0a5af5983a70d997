import type { Change } from '../../db/change';
import { padded, sql } from '../../db/sql';
import { customer, linkRows } from '../customers/customers.rows';
import { linkedTo } from './covered';
import type { StoredMove } from './hold.entity';
import { isTerminal } from './hold.states';
import { agentsHolds, hold } from './holds.rows';

const day = 24 * 3_600_000;
/** Holds that are looked through. Of whom there are more, nobody can say that there is room. */
const mostLookedAt = 1_000;

/** A time during which a hold stood or will stand, in UTC milliseconds; without its end. */
export type Span = readonly [from: number, to: number];

/** As many as it takes, one after the other, none of which touches the next. */
const merged = (spans: readonly Span[]): readonly Span[] => {
  const apart: [number, number][] = [];
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    const last = apart.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
};

/**
 * Until when a hold that begins now may stand so that within no 24 hours more than `most` milliseconds are held: the instant itself where there is no room.
 * Each moment more is one more that is held, and as long as one that was held falls out of the 24 hours, none more in sum.
 */
export const latestWithin = (spans: readonly Span[], now: number, most: number): number => {
  const since = now - day;
  const past = merged(spans.flatMap(([from, to]): Span[] => (to > since && from < now ? [[from, Math.min(to, now)]] : [])));
  let room = most - past.reduce((sum, [from, to]) => sum + to - Math.max(from, since), 0);
  let at = now;
  for (const [from, to] of past) {
    const gap = Math.max(0, from + day - at);
    if (room < gap) break;
    room -= gap;
    at = Math.max(at, to + day);
  }
  return at + Math.max(0, room);
};

/** From when on there is room again, where there is none now: once enough of what was held, or still will be, is a day past. */
export const nextWithin = (spans: readonly Span[], now: number, most: number): number => {
  const all = merged(spans);
  const heldBefore = (at: number): number =>
    all.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, at) - Math.max(from, at - day)), 0);
  for (const [, to] of all) {
    // It falls out of the day bit by bit until then.
    const less = most - heldBefore(to + day);
    if (to + day > now && less > 0) return Math.max(now, to + day - less);
  }
  return now;
};

/** When a hold stopped being one: let go, or ended without ever having stood. */
const endOf = (moves: readonly StoredMove[], expiresAt: Date): number => {
  const ended = moves.find(({ to }) => to === 'RELEASING' || isTerminal(to))?.at;
  return Math.min(ended ?? Number.POSITIVE_INFINITY, expiresAt.getTime());
};

/**
 * When holds of agents, whoever of them and on whichever ticket, made a customer wait within the last 24 hours, or will: as who they are at the payment
 * side and as who they were when a hold was placed, under whichever of the helpdesk's customers. Null where there are more than can be looked through.
 */
export const heldByAgents = async (change: Change, customerId: string): Promise<readonly Span[] | null> => {
  const [now] = await change.read(linkRows, sql`WHERE ${customer.id} = ${customerId}`);
  const payerNow = now && now.link !== 'NONE' ? now.paymentCustomerId : null;
  const isLate = sql`${hold.cause} = 'AGENT' AND ${hold.expiresAt} > ${new Date(change.at.getTime() - day)}`;
  const own = await change.read(agentsHolds, sql`WHERE ${isLate} AND ${hold.customerId} = ${customerId} LIMIT ${mostLookedAt}`);
  const payers = [...new Set([payerNow, ...own.map((row) => row.paymentCustomerId)].filter((id) => id !== null))];
  const names = [...new Set([customerId, ...(await linkedTo(change, payers))])];
  const ofPayers = payers.length === 0 ? sql`1 = 0` : sql`${hold.paymentCustomerId} IN (${padded(payers)})`;
  const all = await change.read(
    agentsHolds,
    sql`WHERE ${isLate} AND (${hold.customerId} IN (${padded(names)}) OR ${ofPayers}) LIMIT ${mostLookedAt}`,
  );
  return all.length === mostLookedAt ? null : spansOf(all);
};

const spansOf = (rows: readonly { readonly placedAt: Date; readonly expiresAt: Date; readonly moves: readonly StoredMove[] }[]) =>
  rows.map(({ placedAt, expiresAt, moves }): Span => [placedAt.getTime(), endOf(moves, expiresAt)]);
