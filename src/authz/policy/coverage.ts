import { linkAssurances, type Role, roles } from '../actor';
import { type FieldClass, fieldClasses } from './classification';
import type { ExposurePolicy } from './exposure';

/** `reveal`, `mask`, `omit` and `deny` in this order, each with how many fields have it. */
export interface VerdictCounts {
  reveal: number;
  mask: number;
  omit: number;
  deny: number;
}

/** How a policy covers the graph. */
export interface PolicyCoverage {
  readonly fields: number;
  readonly types: number;
  readonly policed: number;
  readonly classes: ReadonlyMap<FieldClass, number>;
  /** A field whose verdict depends on the link counts once for each kind of verdict that it has. */
  readonly verdicts: ReadonlyMap<Role, VerdictCounts>;
  /** Fields that can be filtered by, and sorted by. */
  readonly filters: number;
  readonly sorts: number;
  readonly digest: string;
}

export const coverageOf = (policy: ExposurePolicy): PolicyCoverage => {
  const fields = [...policy.classification.fields.values()];
  const verdicts = new Map(roles.map((role): [Role, VerdictCounts] => [role, { reveal: 0, mask: 0, omit: 0, deny: 0 }]));
  for (const entry of policy.entries()) {
    const counts = verdicts.get(entry.role);
    if (!counts) continue;
    for (const kind of new Set(linkAssurances.map((assurance) => entry.verdicts[assurance].kind))) counts[kind] += 1;
  }
  const ofClass = (fieldClass: FieldClass) => fields.filter((field) => field.class === fieldClass).length;
  return {
    fields: fields.length,
    types: new Set(fields.map(({ typeName }) => typeName)).size,
    policed: fields.filter(({ policed }) => policed).length,
    classes: new Map(fieldClasses.map((fieldClass) => [fieldClass, ofClass(fieldClass)])),
    verdicts,
    filters: policy.classification.filterable.size,
    sorts: policy.classification.sortable.size,
    digest: policy.digest,
  };
};
