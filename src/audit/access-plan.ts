import { createHash } from 'node:crypto';
import { canonicalize } from './canonical';
import { type Leaf, LeafInvalid } from './leaf';
import { isCount, isCounts, isDigest, isObject, isText, isTexts } from './shapes';

/**
 * What an operation gives one class of access, as its leaf states it: a leaf of its own, before the first disclosure that names it.
 * A disclosure then says how many values left, and this what they were and under which verdict.
 */
export interface PlanDetail {
  /** SHA-256, hexadecimal, of the operation without its literals, the class of access and the policy. */
  readonly operation: string;
  /** Digest of the policy file in force. */
  readonly policy: string;
  /** Assurances of a link, in the order of the verdicts. */
  readonly links: readonly string[];
  /** Policed fields: `Type.field`, then its verdict under each link. */
  readonly fields: readonly (readonly string[])[];
}

/** A plan under the digest that disclosures name it by. */
export interface StatedPlan extends PlanDetail {
  readonly digest: string;
}

export const planAction = 'plan.register';
export const planSubject = 'AccessPlan';

/** SHA-256 (hexadecimal) over the canonical JSON of all that a plan states: nobody can give a plan's name to another one. */
export const planDigest = ({ operation, policy, links, fields }: PlanDetail): string =>
  createHash('sha256').update(canonicalize({ operation, policy, links, fields })).digest('hex');

const isMapOf = <T>(value: unknown, is: (each: unknown) => each is T): value is Readonly<Record<string, T>> =>
  isObject(value) && Object.values(value).every(is);

const digestOf = (plan: PlanDetail): string => {
  try {
    return planDigest(plan);
  } catch {
    throw new LeafInvalid('expected a plan that canonical JSON can say (RFC 8785)');
  }
};

/** The plan that a leaf states. Throws `LeafInvalid` where it states none, or another than the one under whose digest it stands. */
export const readPlan = ({ action, subject, detail }: Leaf): StatedPlan => {
  const { operation, policy, links, fields } = (detail ?? {}) as Partial<PlanDetail>;
  if (action !== planAction || subject?.type !== planSubject) throw new LeafInvalid('expected the leaf of a plan');
  if (!isText(operation) || !isText(policy) || !isTexts(links) || !Array.isArray(fields))
    throw new LeafInvalid('expected operation, policy, links and fields of a plan');
  if (!fields.every((field) => isTexts(field) && field.length === links.length + 1))
    throw new LeafInvalid('expected a verdict under each link for each field of a plan');
  const plan = { operation, policy, links, fields };
  const digest = digestOf(plan);
  if (digest !== subject.id) throw new LeafInvalid('expected the digest of what the plan states');
  return { ...plan, digest };
};

/** What a disclosure that names its plan says of the fields. */
export interface ShownUnderPlan {
  /** By link, for each field of the plan in its order: how many values left under the plan's verdict. A link of which none left isn't there. */
  readonly counts: Readonly<Record<string, readonly number[]>>;
  /** Values that left under another verdict than the plan's, or of a field that it doesn't list. */
  readonly others?: readonly (readonly [field: string, verdict: string, count: number])[];
}

/** The digest of the plan that a disclosure names; undefined of one from before, which says its fields itself, and of any other event. */
export const citedPlan = ({ v, action, detail }: Pick<Leaf, 'v' | 'action' | 'detail'>): string | undefined =>
  v === 2 && action === 'disclosure' && isText(detail.plan) && !('fields' in detail) ? detail.plan : undefined;

const isTriple = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 3 && isText(value[0]) && isText(value[1]) && isCount(value[2]);

/**
 * How many fields a disclosure has counts of, which is as many as its plan lists; null where it has none. Throws `LeafInvalid` where what
 * it says isn't as version 2 prescribes.
 */
export const widthOf = ({ customers, detail }: Leaf): number | null => {
  const { counts, others = [], linked = {}, plan } = detail;
  if (!isDigest(plan)) throw new LeafInvalid('expected the digest of a plan');
  if (!isMapOf(counts, isCounts)) throw new LeafInvalid('expected counts by link');
  if (!Array.isArray(others) || !others.every(isTriple)) throw new LeafInvalid('expected other fields with verdict and count');
  if (!isMapOf(linked, isCounts) || Object.values(linked).some((places) => places.some((place) => place >= customers.length)))
    throw new LeafInvalid('expected places of customers by link');
  const [width = null, ...further] = new Set(Object.values(counts).map(({ length }) => length));
  if (further.length > 0) throw new LeafInvalid('expected as many counts under each link as the plan has fields');
  return width;
};

/** One field of a disclosure, with the verdict under which `count` of its values were shown. */
export interface FieldOfDisclosure {
  readonly field: string;
  readonly verdict: string;
  readonly count: number;
}

/** What left under a plan, by field and verdict. Throws `LeafInvalid` where the counts aren't of this plan. */
export const fieldsUnder = (
  { links, fields }: PlanDetail,
  { counts, others = [] }: ShownUnderPlan,
): readonly FieldOfDisclosure[] => {
  const found = new Map<string, FieldOfDisclosure & { count: number }>();
  const add = (field: string, verdict: string, count: number): void => {
    if (count === 0) return;
    const key = `${field} ${verdict}`;
    const known = found.get(key);
    if (known) known.count += count;
    else found.set(key, { field, verdict, count });
  };
  for (const [link, values] of Object.entries(counts)) {
    const column = links.indexOf(link) + 1;
    if (column === 0 || values.length !== fields.length) throw new LeafInvalid('expected counts for the fields of the plan');
    values.forEach((count, row) => {
      const field = fields[row] as readonly string[];
      add(field[0] as string, field[column] as string, count);
    });
  }
  for (const [field, verdict, count] of others) add(field, verdict, count);
  return [...found.values()];
};

/** The other way round: what left, as a disclosure says it under this plan. `fieldsUnder` gives back the same sums, whatever left. */
export const shownUnder = (
  { links, fields }: PlanDetail,
  left: readonly (FieldOfDisclosure & { readonly link: string })[],
): ShownUnderPlan => {
  const rows = new Map(fields.map(([field], row) => [field, row]));
  const counts: Record<string, number[]> = {};
  const others: [string, string, number][] = [];
  for (const { field, link, verdict, count } of left) {
    const row = rows.get(field);
    if (row === undefined || fields[row]?.[links.indexOf(link) + 1] !== verdict) {
      others.push([field, verdict, count]);
      continue;
    }
    counts[link] ??= fields.map(() => 0);
    const ofLink = counts[link] as number[];
    ofLink[row] = (ofLink[row] as number) + count;
  }
  return { counts, ...(others.length > 0 ? { others } : {}) };
};
