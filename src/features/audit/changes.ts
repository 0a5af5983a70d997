import { citedPlan, type PlanDetail } from '../../audit/access-plan';
import { toldBy } from '../../audit/events-table';
import type { Leaf } from '../../audit/leaf';

/** One fact that an event states: a state before and after, a reason, a count. */
interface StatedFact {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

const scalarText = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;

/** What of a disclosure has fields of its own. */
const notChanges = new Set(['fields', 'counts', 'others', 'linked', 'tickets', 'assistances', 'objects', 'from', 'to']);

/** What an event states, but for what tells of links or payments. Of a disclosure that names its plan also the policy, which the plan says. */
export const changesIn = (leaf: Leaf, planOf: (digest: string) => PlanDetail): readonly StatedFact[] => {
  const { action, detail } = leaf;
  const plan = citedPlan(leaf);
  const stated = plan === undefined ? detail : { ...detail, policy: planOf(plan).policy };
  const moved =
    'from' in detail || 'to' in detail ? [{ name: 'state', before: scalarText(detail.from), after: scalarText(detail.to) }] : [];
  const facts = Object.entries(stated).flatMap(([name, value]) => {
    const after = scalarText(value);
    return notChanges.has(name) || after === null || toldBy(action, name) !== undefined ? [] : [{ name, before: null, after }];
  });
  return [...moved, ...facts];
};
