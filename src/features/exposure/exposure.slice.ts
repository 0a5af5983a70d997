import { coverageOf } from '../../authz/policy/coverage';
import type { ExposureOptions } from '../../authz/policy/exposure';
import type { MaskTools } from '../../authz/policy/mask';
import type { Core } from '../core';
import { PolicyComparisons } from './comparisons.service';
import { PolicyPreviews } from './previews.service';

export interface ExposureParts {
  readonly maskTools: MaskTools;
  /** What the policy in force was read with. */
  readonly options: ExposureOptions;
  readonly detachedGraph: ConstructorParameters<typeof PolicyPreviews>[3];
}

/** The policy as the payments team looks at it: what it covers, what somebody sees by it, what another one would change. */
export const createExposure = ({ database, policy, clock }: Core, { maskTools, options, detachedGraph }: ExposureParts) => {
  let coverage: ReturnType<typeof coverageOf> | undefined;
  return {
    policyPreviews: new PolicyPreviews(policy, clock, maskTools, detachedGraph),
    policyComparisons: new PolicyComparisons(database, policy, clock, options),
    policyCoverage: () => {
      coverage ??= coverageOf(policy);
      return coverage;
    },
  };
};
