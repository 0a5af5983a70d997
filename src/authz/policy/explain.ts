import { denialRemedies, Failure } from '../../failure';
import type { AccessClass, LinkAssurance, Role } from '../actor';
import { type Ceiling, ceiling } from './classification';
import type { ExposurePolicy } from './exposure';
import type { DecidingEntry } from './reader';
import { ceilings, type Verdict } from './verdict';

/** Why a field looks as it does to somebody. */
export interface Explanation {
  readonly coordinate: string;
  readonly assurance: LinkAssurance;
  readonly class: string;
  readonly verdict: Verdict;
  /** The role whose entry decided, and where it stands; null where no role has a say. */
  readonly decidedBy: (DecidingEntry & { readonly role: Role }) | null;
  readonly ceiling: Ceiling;
  /** One sentence: what would show more, or that nothing can. */
  readonly lift: string;
}

/**
 * Would this access see this field under this assurance, and why. A role stands for somebody with it and a second factor.
 * @throws Failure `INVALID` for a coordinate that isn't a field of an object type.
 */
export const explain = (
  policy: ExposurePolicy,
  coordinate: string,
  who: AccessClass | Role,
  assurance: LinkAssurance,
): Explanation => {
  const field = policy.classification.fields.get(coordinate);
  if (!field) throw Failure.invalid('field', 'expected Type.field of an object type in the schema');
  const access: AccessClass = typeof who === 'string' ? { roles: [who], mfa: true } : who;
  const verdict = policy.verdicts(coordinate, access)[assurance];
  const by = policy.decidedBy(coordinate, access, assurance);
  const fieldClass = field.classes[assurance];
  const most = access.roles
    .map((role) => ceiling(fieldClass, role, assurance))
    .reduce<Ceiling>((best, each) => (ceilings[each] > ceilings[best] ? each : best), 'deny');
  const lift = (): string => {
    if (verdict.kind === 'reveal') return 'Nothing is withheld.';
    if (verdict.kind === 'deny' && verdict.reason === 'MFA_REQUIRED') return denialRemedies.MFA_REQUIRED;
    if (!by) return 'A role that the policy names.';
    if (verdict.kind === most) return `Nothing: ${by.role} never gets more than ${most} of a ${fieldClass} field.`;
    return `The payments team may change ${by.entry.path} in schema/exposure.yaml, up to ${most}.`;
  };
  return {
    coordinate,
    assurance,
    class: fieldClass,
    verdict,
    decidedBy: by ? { role: by.role, ...by.entry } : null,
    ceiling: most,
    lift: lift(),
  };
};
