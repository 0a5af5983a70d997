import { planAction, planSubject, readPlan, type StatedPlan } from '../audit/access-plan';
import { hashLeaf } from '../audit/event';
import { type Leaf, LeafInvalid, readLeaf } from '../audit/leaf';
import { auditEvents } from '../db/audit.entity';
import type { Reads } from '../db/reads';
import { sql } from '../db/sql';
import { select } from '../db/table';
import { chunks } from '../lanes';
import { auditLeaves } from './audit-tree.entity';
import { LogBroken } from './log-broken';

/** A plan with its leaf in its place in the tree. */
export interface PlacedPlan {
  readonly index: number;
  readonly hash: Buffer;
  readonly bytes: Buffer;
  readonly leaf: Leaf;
  readonly plan: StatedPlan;
}

const e = auditEvents.as('e');
const l = auditLeaves.as('l');
const rows = select({ ...l.pick('leafIndex', 'leafHash'), bytes: e.leaf }, sql`FROM ${l} JOIN ${e} ON ${e.id} = ${l.eventId}`);

const idsAtOnce = 500;

/** Null where the bytes aren't those of the leaf's place, or state no plan. */
const planIn = (bytes: Buffer, hash: string): Pick<PlacedPlan, 'leaf' | 'plan'> | null => {
  if (hashLeaf(bytes) !== hash) return null;
  try {
    const leaf = readLeaf(bytes.toString('utf8'));
    return { leaf, plan: readPlan(leaf) };
  } catch (error) {
    if (error instanceof LeafInvalid) return null;
    throw error;
  }
};

/**
 * Plans by digest, as the leaves that have their place among the first `size` state them; of several leaves the first. What the columns find is
 * held against the leaf and the leaf against its hash, so that one that was altered counts as none.
 */
export const placedPlans = async (
  reads: Pick<Reads, 'read'>,
  digests: readonly string[],
  size: number = Number.MAX_SAFE_INTEGER,
): Promise<ReadonlyMap<string, PlacedPlan>> => {
  const found = new Map<string, PlacedPlan>();
  for (const some of chunks(digests, idsAtOnce)) {
    const stored = await reads.read(
      rows,
      sql`WHERE ${e.subjectType} = ${planSubject} AND ${e.subjectId} IN (${some}) AND ${e.action} = ${planAction}
        AND ${l.leafIndex} < ${size} ORDER BY ${l.leafIndex}`,
    );
    for (const { leafIndex: index, leafHash: hash, bytes } of stored) {
      const stated = planIn(bytes, hash);
      if (stated === null || found.has(stated.plan.digest)) continue;
      found.set(stated.plan.digest, { index, hash: Buffer.from(hash, 'hex'), bytes, ...stated });
    }
  }
  return found;
};

/** One of the plans that were found. Throws `LogBroken` where it wasn't: a disclosure names none that isn't in the log. */
export const expectPlan = (plans: ReadonlyMap<string, PlacedPlan>, digest: string): StatedPlan => {
  const placed = plans.get(digest);
  if (!placed)
    throw new LogBroken('MISSING', `The leaf of plan ${digest}, which a disclosure names, isn’t stored as it was signed.`);
  return placed.plan;
};
