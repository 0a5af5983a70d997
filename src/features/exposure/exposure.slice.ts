import type { PolicyCoverage } from '../../authz/policy/coverage';
import type { ExposureOptions } from '../../authz/policy/exposure';
import type { MaskTools } from '../../authz/policy/mask';
import type { Core } from '../core';
import type { PolicyComparisons } from './comparisons.service';
import type { PolicyPreviews } from './previews.service';
import type { PolicyVersions } from './versions.service';

export interface ExposureParts {
  readonly maskTools: MaskTools;
  /** What the policy in force was read with. */
  readonly options: ExposureOptions;
  readonly detachedGraph: ConstructorParameters<typeof PolicyPreviews>[3];
}

const covering = () => require('../../authz/policy/coverage') as typeof import('../../authz/policy/coverage');
const comparing = () => require('./comparisons.service') as typeof import('./comparisons.service');
const versioning = () => require('./versions.service') as typeof import('./versions.service');
const previewing = () => require('./previews.service') as typeof import('./previews.service');

/**
 * The policy as the payments team looks at it: what it covers, what somebody sees by it, what another one would change. Each is made when
 * it is first asked for: most processes are never asked.
 */
export const createExposure = (core: Core, { maskTools, options, detachedGraph }: ExposureParts) => {
  const { database, policy, clock } = core;
  let coverage: PolicyCoverage | undefined;
  let previews: PolicyPreviews | undefined;
  let comparisons: PolicyComparisons | undefined;
  let versions: PolicyVersions | undefined;
  const policyVersions = () => {
    versions ??= new (versioning().PolicyVersions)(core);
    return versions;
  };
  return {
    policyCoverage: () => {
      coverage ??= covering().coverageOf(policy);
      return coverage;
    },
    policyPreviews: () => {
      previews ??= new (previewing().PolicyPreviews)(policy, clock, maskTools, detachedGraph);
      return previews;
    },
    policyVersions,
    policyComparisons: () => {
      comparisons ??= new (comparing().PolicyComparisons)({ database, policy, clock, options, versions: policyVersions() });
      return comparisons;
    },
  };
};
