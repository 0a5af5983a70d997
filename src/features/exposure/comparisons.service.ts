import type { PolicyChange } from '../../authz/policy/change';
import { diffPolicies } from '../../authz/policy/diff';
import type { ExposureOptions, ExposurePolicy, LoadedPolicy } from '../../authz/policy/exposure';
import type { PolicyProblem } from '../../authz/policy/file';
import { readFormer } from '../../authz/policy/former';
import { readUploaded } from '../../authz/policy/uploaded';
import { Failure } from '../../failure';
import type { RequestAccess } from '../../graphql/request-access';
import { inOwnTurn } from '../../graphql/work';
import { Lanes, WaitedTooLong } from '../../lanes';
import { shortText } from '../../upstream/source-text';
import type { Core } from '../core';
import { affectedBy } from './affected';
import { type Comparison, mostChanges, mostProblems } from './comparison.type';
import type { PolicyVersions } from './versions.service';

/** Characters of a problem, which repeats names as the file has them. */
const longestProblem = 300;
/** One at once, and so many that wait, for so many milliseconds: each may take seconds of a processor. */
const waiting = 4;
const longestWait = 10_000;

/** What is held against the policy in force: a file's text, or the digest of a policy that was in force. One of both. */
export interface Compared {
  readonly file?: string | null | undefined;
  readonly version?: string | null | undefined;
}

interface ComparisonParts extends Pick<Core, 'database' | 'policy' | 'clock'> {
  /** What the policy in force was read with. */
  readonly options: ExposureOptions;
  readonly versions: PolicyVersions;
}

/** Compares files that people send, and policies that were, with the one in force. Nothing of a file is stored or logged, and neither decides anything. */
export class PolicyComparisons {
  private readonly lanes = new Lanes(1, waiting);
  /** Operations that have had theirs: under aliases one could ask for dozens. */
  private readonly asked = new WeakSet<RequestAccess>();

  constructor(private readonly parts: ComparisonParts) {}

  /**
   * Who reads the log, if only its numbers, is on record. Throws `RATE_LIMITED` while others compare, `INVALID` for a second one of an operation
   * and for both or neither, `NOT_FOUND` for a policy that was never in force, `CONFLICT` where what is kept of it was altered.
   */
  async compare(access: RequestAccess, asked: Compared): Promise<Comparison> {
    const isFile = typeof asked.file === 'string';
    if (isFile === (typeof asked.version === 'string'))
      throw Failure.invalid('version', 'expected either it or a file, and not both');
    if (this.asked.has(access)) throw Failure.invalid(isFile ? 'file' : 'version', 'expected one comparison in an operation');
    this.asked.add(access);
    try {
      const compared = await this.lanes.run('interactive', () => this.compared(asked), longestWait);
      access.note('Query.policyDiff', compared.disclosures?.examined ?? 0);
      return compared;
    } catch (error) {
      if (!(error instanceof WaitedTooLong)) throw error;
      throw new Failure('RATE_LIMITED', 'Other policies are being compared.', {
        rule: 'policy.compare',
        remedy: 'Try again shortly.',
        retryAfter: 5,
      });
    }
  }

  private async loaded({ file, version }: Compared): Promise<LoadedPolicy> {
    const { policy: inForce, options, versions } = this.parts;
    const { classification } = inForce;
    if (typeof version !== 'string') return readUploaded(file ?? '', classification, options);
    const policy = readFormer(await versions.text(version), classification, options);
    return policy ? { ok: true, policy } : { ok: false, problems: [ofAnotherRelease] };
  }

  private async compared(asked: Compared): Promise<Comparison> {
    await inOwnTurn();
    const { database, policy: before, clock } = this.parts;
    const loaded = await this.loaded(asked);
    const none = { inForce: before.digest, changes: [], changeCount: 0, onlyOneNames: 0, disclosures: null };
    if (!loaded.ok)
      return {
        ...none,
        digest: null,
        problems: loaded.problems.slice(0, mostProblems).map(told),
        problemCount: loaded.problems.length,
      };
    const after = loaded.policy;
    const all = diffPolicies(before, after, before.classification);
    // What the graph of one of both hadn't, its policy said nothing of.
    const changes = all.filter((change) => areBoth(change, before, after));
    const ofOne = new Set(all.filter((change) => !areBoth(change, before, after)).map(({ coordinate }) => coordinate));
    return {
      inForce: before.digest,
      digest: asked.version ?? after.digest,
      problems: [],
      problemCount: 0,
      changes: changes.slice(0, mostChanges),
      changeCount: changes.length,
      onlyOneNames: ofOne.size,
      disclosures: await affectedBy(database, { before, after }, clock()),
    };
  }
}

const ofAnotherRelease: PolicyProblem = {
  path: '',
  line: null,
  message: 'kept in the form of another release, which this one can’t read; compare its file',
};

/** Both policies say something of what changed: of a field, or of what can be narrowed or ordered by, the graphs of both have it. */
const areBoth = ({ kind, coordinate }: PolicyChange, ...policies: readonly ExposurePolicy[]): boolean => {
  if (kind === 'FIELD') return policies.every((policy) => policy.names(coordinate));
  if (kind !== 'FILTER' && kind !== 'SORT') return true;
  const list = kind === 'FILTER' ? 'filters' : 'sorts';
  return policies.every((policy) => policy.argumentRoles(list).has(coordinate.replace(`${list}.`, '')));
};

const told = ({ path, line, message }: PolicyProblem): PolicyProblem => ({
  path: shortText(path, longestProblem) ?? '',
  line,
  message: shortText(message, longestProblem) ?? '',
});
