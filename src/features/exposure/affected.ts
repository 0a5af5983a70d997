import { performance } from 'node:perf_hooks';
import { citedPlan, type PlanDetail, type ShownUnderPlan } from '../../audit/access-plan';
import { hashLeaf } from '../../audit/event';
import { type Leaf, LeafInvalid, readLeaf } from '../../audit/leaf';
import { type LinkAssurance, linkAssurances, type Role } from '../../authz/actor';
import type { ExposurePolicy } from '../../authz/policy/exposure';
import { isRole } from '../../authz/policy/reader';
import { permissiveness, verdictText } from '../../authz/policy/verdict';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { nextTurn } from '../../graphql/work';
import { placedPlans } from '../../ledger/placed-plans';
import { e, l, placedEvents } from '../audit/audit.rows';
import { plansNamedBy } from '../audit/disclosed-fields';

/** How far back disclosures are looked at, in milliseconds. */
export const span = 30 * 86_400_000;
const day = 86_400_000;
/** Disclosures that are looked at, from the newest on, and milliseconds that it may take: of the rest nothing is said. */
const most = { disclosures: 20_000, milliseconds: 3_000 };
/** Of one statement: what is read for it is held at once. */
const atOnce = 500;

/** Disclosures that would have shown otherwise under another policy. */
export interface Affected {
  /** From then on all of them were looked at. */
  readonly since: Date;
  /** That is the whole span. */
  readonly isComplete: boolean;
  readonly examined: number;
  readonly changed: number;
  /** Of these, how many would have shown more of at least one field, and less of one. One may have both. */
  readonly showingMore: number;
  readonly showingLess: number;
}

const rows = select({ ...e.pick('id', 'at', 'leaf'), hash: l.leafHash }, placedEvents);

/** What a value would be under the other policy: as now, more or less of it. */
type Shift = 'same' | 'more' | 'less' | 'otherwise';

/** What another policy would have made of what one plan showed to some roles, by link and place in the plan. */
class Shifts {
  private readonly known = new Map<string, readonly Shift[]>();

  constructor(
    private readonly before: ExposurePolicy,
    private readonly after: ExposurePolicy,
  ) {}

  under(digest: string, { fields }: PlanDetail, accessRoles: readonly Role[], link: LinkAssurance): readonly Shift[] {
    const key = `${digest} ${[...accessRoles].sort().join('+')} ${link}`;
    const made = this.known.get(key) ?? fields.map(([field = '']) => this.of(field, accessRoles, link));
    this.known.set(key, made);
    return made;
  }

  private of(field: string, accessRoles: readonly Role[], link: LinkAssurance): Shift {
    // Of what the other's graph hadn't, it says nothing.
    if (!(this.before.names(field) && this.after.names(field))) return 'same';
    // Nothing that is policed was shown to anybody without a second factor.
    const access = { roles: accessRoles, mfa: true };
    const [was, is] = [this.before, this.after].map((policy) => policy.verdicts(field, access)[link]);
    if (!was || !is || verdictText(was) === verdictText(is)) return 'same';
    const [shown, shows] = [permissiveness(was), permissiveness(is)];
    if (shown === shows) return 'otherwise';
    return shows > shown ? 'more' : 'less';
  }
}

/** Null where the row isn't what its hash says, or no whole disclosure of the form that names its plan. */
const disclosureIn = (bytes: Buffer, hash: string): Leaf | null => {
  if (hashLeaf(bytes) !== hash) return null;
  try {
    const leaf = readLeaf(bytes.toString('utf8'));
    // One that had to be told in parts says in each of them what it showed.
    return citedPlan(leaf) !== undefined && (leaf.detail.part ?? 1) === 1 ? leaf : null;
  } catch (error) {
    if (error instanceof LeafInvalid) return null;
    throw error;
  }
};

const shiftsIn = (leaf: Leaf, plan: PlanDetail, digest: string, shifts: Shifts): ReadonlySet<Shift> => {
  const { counts } = leaf.detail as unknown as ShownUnderPlan;
  const named = leaf.actor.roles.filter(isRole);
  const found = new Set<Shift>();
  for (const link of linkAssurances) {
    const ofLink = counts[link];
    if (!ofLink) continue;
    for (const [row, shift] of shifts.under(digest, plan, named, link).entries()) if ((ofLink[row] ?? 0) > 0) found.add(shift);
  }
  found.delete('same');
  return found;
};

/**
 * How many disclosures of the last thirty days showed something that the other policy shows otherwise, newest first, within bounds. It goes by
 * what was shown: what nobody was shown, since it was denied, no disclosure names. A disclosure whose plan has no place in the log yet isn't counted.
 */
export const affectedBy = async (
  database: Database,
  policies: { readonly before: ExposurePolicy; readonly after: ExposurePolicy },
  now: Date,
  bounds: typeof most = most,
): Promise<Affected> => {
  const shifts = new Shifts(policies.before, policies.after);
  const begins = now.getTime() - span;
  const deadline = performance.now() + bounds.milliseconds;
  const plans = new Map<string, PlanDetail>();
  const sums = { examined: 0, changed: 0, showingMore: 0, showingLess: 0 };
  let since = now;
  // Day by day: what one statement goes through is bounded by a day's events, whatever they are.
  for (let end = now.getTime() + 1; end > begins; end -= day) {
    const start = new Date(Math.max(end - day, begins));
    let last: { readonly at: Date; readonly id: string } | null = null;
    for (;;) {
      if (sums.examined >= bounds.disclosures || performance.now() > deadline) return { since, isComplete: false, ...sums };
      const further = last ? sql` AND (${e.at} < ${last.at} OR (${e.at} = ${last.at} AND ${e.id} < ${last.id}))` : sql``;
      const found: Awaited<ReturnType<typeof read>> = await read(
        database,
        sql`WHERE ${e.action} = 'disclosure' AND ${e.at} >= ${start}
        AND ${e.at} < ${new Date(end)}${further} ORDER BY ${e.at} DESC, ${e.id} DESC LIMIT ${atOnce}`,
      );
      const leaves = found.map(({ leaf, hash }) => disclosureIn(leaf, hash)).filter((leaf) => leaf !== null);
      const unknown = plansNamedBy(leaves).filter((digest) => !plans.has(digest));
      if (unknown.length > 0) for (const [digest, { plan }] of await placedPlans(database, unknown)) plans.set(digest, plan);
      for (const leaf of leaves) {
        const digest = citedPlan(leaf) ?? '';
        const plan = plans.get(digest);
        if (!plan) continue;
        const shifted = shiftsIn(leaf, plan, digest, shifts);
        sums.examined += 1;
        if (shifted.size > 0) sums.changed += 1;
        if (shifted.has('more')) sums.showingMore += 1;
        if (shifted.has('less')) sums.showingLess += 1;
      }
      await nextTurn();
      last = found.at(-1) ?? null;
      if (found.length < atOnce) break;
    }
    since = start;
  }
  return { since, isComplete: true, ...sums };
};

const read = (database: Database, where: ReturnType<typeof sql>) => database.read(rows, where);
