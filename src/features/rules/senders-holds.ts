import { storedLeaf } from '../../audit/leaf';
import { auditEvents } from '../../db/audit.entity';
import type { Change } from '../../db/change';
import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import type { Signal } from '../../risk/signal';
import { days } from '../../risk/windows';
import { hold } from '../holds/holds.rows';

/** Customers a day whose orders wait by what one sender tells, unless its section says otherwise. */
export const usualHoldsADay = 50;
/** Holds of rules that are looked at: where there are more in a day, somebody is to look at them in any case. */
const mostLookedAt = 1_000;

const ofRules = select(hold.pick('id', 'moves'), sql`FROM ${hold}`);
const events = select(auditEvents.pick('leaf'), sql`FROM ${auditEvents}`);
const ofHolds = select(
  auditEvents.pick('leaf'),
  sql`FROM ${hold} JOIN ${auditEvents} ON ${auditEvents.subjectType} = 'Hold' AND ${auditEvents.subjectId} = ${hold.id}`,
);

/**
 * The sender among these signals' by whom as many holds were placed within a day as may be; null where there is none. `most`: how many may be, by each
 * sender's name. It goes by what the log says that holds rest on: whoever has a sender's secret can tell of anybody.
 */
export const spentSender = async (
  change: Pick<Change, 'read' | 'at'>,
  most: ReadonlyMap<string, number>,
  evidence: readonly Signal[],
): Promise<string | null> => {
  const senders = [...new Set(evidence.map(({ source }) => source))].filter((name) => most.has(name));
  if (senders.length === 0) return null;
  const since = new Date(change.at.getTime() - days);
  const rows = await change.read(
    ofRules,
    sql`WHERE ${hold.placedAt} > ${since} AND ${hold.cause} = 'RULE' ORDER BY ${hold.placedAt} DESC LIMIT ${mostLookedAt}`,
  );
  const placed = rows.flatMap(({ id, moves }) => (moves[0]?.to === 'PLACING' ? id : []));
  if (placed.length === 0) return senders.find((name) => most.get(name) === 0) ?? null;
  if (rows.length === mostLookedAt) return senders[0] ?? null;
  const leaves = await change.read(
    events,
    sql`WHERE ${auditEvents.subjectType} = 'Hold' AND ${auditEvents.subjectId} IN (${placed}) AND ${auditEvents.action} = 'hold.place'`,
  );
  const restsOn = leaves.map(({ leaf }) => storedLeaf(leaf)?.detail.restsOn ?? []);
  const isBy = (name: string) => (names: unknown) =>
    Array.isArray(names) && names.some((each) => typeof each === 'string' && each.startsWith(`${name}/`));
  return senders.find((name) => restsOn.filter(isBy(name)).length >= (most.get(name) as number)) ?? null;
};

/** Senders by whom as many holds were placed as may be, with how many were proposed since in place of more: within the day before, up to a thousand. */
export const spentSenders = async (reads: Reads, now: Date): Promise<ReadonlyMap<string, number>> => {
  const rows = await reads.read(
    ofHolds,
    sql`WHERE ${hold.placedAt} > ${new Date(now.getTime() - days)} AND ${hold.cause} = 'RULE' AND ${auditEvents.action} = 'signal.holds-spent'
      ORDER BY ${hold.placedAt} DESC LIMIT ${mostLookedAt}`,
  );
  const proposed = new Map<string, number>();
  for (const { leaf } of rows) {
    const source = storedLeaf(leaf)?.detail.source;
    if (typeof source === 'string') proposed.set(source, (proposed.get(source) ?? 0) + 1);
  }
  return proposed;
};
