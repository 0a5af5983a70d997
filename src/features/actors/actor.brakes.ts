import type { ActionName } from '../../audit/events';
import type { SignedInActor } from '../../authz/actor';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { Failure } from '../../failure';
import { actors, type BrakeLevel } from './actor.entity';

/** What takes somebody to another customer. */
const reaching: readonly ActionName[] = ['assistance.begin', 'assistance.request'];
/** What takes nobody anywhere. */
const harmless: readonly ActionName[] = ['assistance.end'];

const unstopped = sql`(${actors.brake} IS NULL OR ${actors.brake} = 'ASSISTANCES')`;
const actorIds = select({ id: actors.id }, sql`FROM ${actors}`);

/**
 * What is asked in the transaction of every change that somebody signed in makes, before anything else: that no brake stops them. It is
 * asked by writing to the row that a brake is written to, so that a change either commits before the brake or is denied. Throws `DENIED`.
 */
export const expectNoBrake = async (change: Change, actor: SignedInActor, action: ActionName): Promise<void> => {
  if (harmless.includes(action)) return;
  const none = reaching.includes(action) ? sql`${actors.brake} IS NULL` : unstopped;
  const written = await change.bookkeep(actors, { fence: sql`${actors.fence} + 1` }, sql`${actors.id} = ${actor.id} AND ${none}`);
  if (written === 0) throw Failure.denied('BRAKE', action);
};

/**
 * The same of several who are answered in one change, by reads and changes alike. Returns whom no brake stops; whoever places one on them
 * waits for the change to end, and the other way round.
 */
export const unbraked = async (change: Change, ids: readonly string[]): Promise<ReadonlySet<string>> => {
  const these = sql`${actors.id} IN (${[...ids].sort()}) AND ${unstopped}`;
  const written = await change.bookkeep(actors, { fence: sql`${actors.fence} + 1` }, these);
  if (written === ids.length) return new Set(ids);
  return new Set((await change.read(actorIds, sql`WHERE ${these}`)).map(({ id }) => id));
};

/**
 * Writes to those of these actors who may be shown something: until `leaseUntil` this process may go on doing so. Whoever places a brake
 * waits that long before acknowledging. Returns which these were.
 */
export const renewReaders = async (change: Change, wanted: readonly string[], leaseUntil: Date): Promise<readonly string[]> => {
  if (wanted.length === 0) return [];
  const mayBeShown = sql`${actors.id} IN (${wanted}) AND ${unstopped}`;
  const renewed = await change.bookkeep(actors, { leaseUntil }, mayBeShown);
  if (renewed === wanted.length) return wanted;
  return (await change.read(actorIds, sql`WHERE ${mayBeShown}`)).map(({ id }) => id);
};

const leases = select({ leaseUntil: actors.leaseUntil }, sql`FROM ${actors}`);

/** Gives these actors this brake, or none. Returns until when some process may go on showing them something, in UTC milliseconds. */
export const putOnActors = async (change: Change, ids: readonly string[], brake: BrakeLevel | null): Promise<number> => {
  const areThese = sql`${actors.id} IN (${ids})`;
  await change.update(actors, { brake }, areThese);
  const rows = await change.read(leases, sql`WHERE ${areThese}`, { lock: true });
  return Math.max(0, ...rows.map(({ leaseUntil }) => leaseUntil?.getTime() ?? 0));
};
