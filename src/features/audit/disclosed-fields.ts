import {
  citedPlan,
  type FieldOfDisclosure,
  fieldsUnder,
  type PlanDetail,
  type ShownUnderPlan,
  type StatedPlan,
} from '../../audit/access-plan';
import type { Leaf } from '../../audit/leaf';
import { Failure } from '../../failure';

type Told = Pick<Leaf, 'v' | 'action' | 'detail'>;

/** Digests of the plans that some events name, each once. */
export const plansNamedBy = (leaves: readonly Told[]): readonly string[] => [
  ...new Set(leaves.map(citedPlan).filter((digest) => digest !== undefined)),
];

/**
 * The fields of a disclosure with their verdicts; null of any other event. One that names its plan says them by `planOf`, which throws
 * where the plan isn't to be had.
 */
export const fieldsOf = (leaf: Told, planOf: (digest: string) => PlanDetail): readonly FieldOfDisclosure[] | null => {
  const { action, detail } = leaf;
  if (action !== 'disclosure') return null;
  const digest = citedPlan(leaf);
  if (digest !== undefined) return fieldsUnder(planOf(digest), detail as unknown as ShownUnderPlan);
  if (!Array.isArray(detail.fields)) return null;
  return (detail.fields as readonly (readonly [string, string, number])[]).map(([field, verdict, count]) => ({
    field,
    verdict,
    count,
  }));
};

/** A plan that an event of a page names. Throws `CONFLICT` where it isn't there: no disclosure names one that isn't in the log. */
export const planAmong = (plans: ReadonlyMap<string, { readonly plan: StatedPlan }>, digest: string): StatedPlan => {
  const found = plans.get(digest);
  if (found) return found.plan;
  throw new Failure('CONFLICT', 'The leaf of the plan that this disclosure names isn’t stored as it was signed.', {
    remedy: 'Run "counterfoil doctor": it names every place.',
  });
};
