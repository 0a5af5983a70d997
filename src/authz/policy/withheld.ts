import { type AccessClass, type LinkAssurance, linkAssurances } from '../actor';
import { explain } from './explain';
import type { ExposurePolicy } from './exposure';
import { permissiveness } from './verdict';

/** What would show more of a field. */
export const withheldLifts = ['LINK', 'POLICY', 'NOTHING'] as const;
export type WithheldLift = (typeof withheldLifts)[number];

/** A field that somebody gets masked or not at all, of which no error tells them. */
export interface WithheldField {
  readonly field: string;
  readonly link: LinkAssurance;
  readonly masked: boolean;
  /** `LINK`: under a surer link more is shown; `POLICY`: the file could show more; `NOTHING`: no file can. */
  readonly lift: WithheldLift;
}

/** Fields of these types that are masked or left out for this access, under each link. What is denied isn't among them: an error says so. */
export const withheldFrom = (policy: ExposurePolicy, access: AccessClass, types: readonly string[]): readonly WithheldField[] =>
  [...policy.classification.fields.values()]
    .filter(({ typeName }) => types.includes(typeName))
    .flatMap(({ coordinate }) => {
      const verdicts = policy.verdicts(coordinate, access);
      return linkAssurances.flatMap((link): WithheldField[] => {
        const verdict = verdicts[link];
        // For lack of a link: an error says so.
        if (verdict.kind === 'omit' && verdict.lacksLink) return [];
        if (verdict.kind !== 'mask' && verdict.kind !== 'omit') return [];
        const isMoreUnderALink = permissiveness(verdicts.VERIFIED) > permissiveness(verdict);
        const isMost = explain(policy, coordinate, access, link).ceiling === verdict.kind;
        return [
          {
            field: coordinate,
            link,
            masked: verdict.kind === 'mask',
            lift: isMoreUnderALink ? 'LINK' : isMost ? 'NOTHING' : 'POLICY',
          },
        ];
      });
    });
