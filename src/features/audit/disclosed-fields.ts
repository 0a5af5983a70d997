import type { Leaf } from '../../audit/leaf';

/** One field of a disclosure, with the verdict under which `count` of its values were shown. */
export interface FieldOfDisclosure {
  readonly field: string;
  readonly verdict: string;
  readonly count: number;
}

/** The fields of a disclosure with their verdicts; null of any other event. */
export const fieldsOf = ({ action, detail }: Pick<Leaf, 'action' | 'detail'>): readonly FieldOfDisclosure[] | null => {
  if (action !== 'disclosure' || !Array.isArray(detail.fields)) return null;
  return (detail.fields as readonly (readonly [string, string, number])[]).map(([field, verdict, count]) => ({
    field,
    verdict,
    count,
  }));
};
