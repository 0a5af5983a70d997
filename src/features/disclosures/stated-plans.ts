import { LRUCache } from 'lru-cache';
import { planDigest, planSubject, type StatedPlan } from '../../audit/access-plan';
import { linkAssurances } from '../../authz/actor';
import type { AccessPlan } from '../../authz/plan/plan';
import { verdictText } from '../../authz/policy/verdict';
import type { SystemChange } from '../../db/change';
import { placedPlans } from '../../ledger/placed-plans';

/** Of the executor's plans, which it keeps. */
const stated = new WeakMap<Pick<AccessPlan, 'digest' | 'policedFields'>, StatedPlan>();

/** What an access plan gives, as its leaf states it. `policy` is the digest of the policy that it was made under. */
export const statedPlan = (plan: Pick<AccessPlan, 'digest' | 'policedFields'>, policy: string): StatedPlan => {
  const known = stated.get(plan);
  if (known?.policy === policy) return known;
  const detail = {
    operation: plan.digest,
    policy,
    links: linkAssurances,
    fields: plan.policedFields.map(({ coordinate, verdicts }) => [
      coordinate,
      ...linkAssurances.map((link) => verdictText(verdicts[link])),
    ]),
  };
  const made = { ...detail, digest: planDigest(detail) };
  stated.set(plan, made);
  return made;
};

/** Plans of which it is remembered that they are in the log. */
const remembered = 10_000;

/**
 * Which plans are stated in the log before what a change records now. One is where its leaf has its place in the tree, whoever wrote it; or
 * waits for it in a transaction of this process that the queue has before this one. Otherwise it is stated once more, which does no harm.
 */
export class StatedPlans {
  /** By digest the transaction that stated it; empty where it has its place. */
  private readonly known = new LRUCache<string, string>({ max: remembered });

  /** States those of the plans that aren't yet. Returns what `committed` has to be told once the change is durable. */
  async state(change: SystemChange, plans: readonly StatedPlan[]): Promise<ReadonlyMap<string, string>> {
    const needed = new Map(plans.map((plan) => [plan.digest, plan]));
    const found = new Map<string, string>();
    // Transactions have their places in the order of their ids.
    for (const digest of [...needed.keys()]) {
      const transaction = this.known.get(digest);
      if (transaction !== undefined && transaction < change.transactionId) needed.delete(digest);
    }
    const unknown = [...needed.keys()].filter((digest) => !this.known.has(digest));
    if (unknown.length > 0)
      for (const digest of (await placedPlans(change, unknown)).keys()) {
        found.set(digest, '');
        needed.delete(digest);
      }
    for (const { digest, operation, policy, links, fields } of needed.values()) {
      change.record('plan.register', {
        subject: { type: planSubject, id: digest },
        detail: { operation, policy, links, fields },
      });
      found.set(digest, change.transactionId);
    }
    return found;
  }

  /** They are in the log from now on. */
  committed(found: ReadonlyMap<string, string>): void {
    for (const [digest, transaction] of found) this.known.set(digest, transaction);
  }
}
