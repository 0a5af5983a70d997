import { diffPolicies } from '../../authz/policy/diff';
import type { ExposureOptions, ExposurePolicy } from '../../authz/policy/exposure';
import type { PolicyProblem } from '../../authz/policy/file';
import { readUploaded } from '../../authz/policy/uploaded';
import type { Database } from '../../db/database';
import { Failure } from '../../failure';
import type { RequestAccess } from '../../graphql/request-access';
import { inOwnTurn } from '../../graphql/work';
import { Lanes, WaitedTooLong } from '../../lanes';
import { shortText } from '../../upstream/source-text';
import { affectedBy } from './affected';
import { type Comparison, mostChanges, mostProblems } from './comparison.type';

/** Characters of a problem, which repeats names as the file has them. */
const longestProblem = 300;
/** One at once, and so many that wait, for so many milliseconds: each may take seconds of a processor. */
const waiting = 4;
const longestWait = 10_000;

/** Compares files that people send with the policy in force. Nothing of them is stored or logged, and none of them decides anything. */
export class PolicyComparisons {
  private readonly lanes = new Lanes(1, waiting);
  /** Operations that have had theirs: under aliases one could ask for dozens. */
  private readonly asked = new WeakSet<RequestAccess>();

  constructor(
    private readonly database: Database,
    private readonly policy: ExposurePolicy,
    private readonly clock: () => Date,
    private readonly options: ExposureOptions,
  ) {}

  /** Who reads the log, if only its numbers, is on record. Throws `RATE_LIMITED` while others compare, `INVALID` for a second one of an operation. */
  async compare(access: RequestAccess, file: string): Promise<Comparison> {
    if (this.asked.has(access)) throw Failure.invalid('file', 'expected one comparison in an operation');
    this.asked.add(access);
    try {
      const compared = await this.lanes.run('interactive', () => this.compared(file), longestWait);
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

  private async compared(file: string): Promise<Comparison> {
    await inOwnTurn();
    const before = this.policy;
    const loaded = readUploaded(file, before.classification, this.options);
    const none = { inForce: before.digest, changes: [], changeCount: 0, disclosures: null };
    if (!loaded.ok)
      return {
        ...none,
        digest: null,
        problems: loaded.problems.slice(0, mostProblems).map(told),
        problemCount: loaded.problems.length,
      };
    const after = loaded.policy;
    const changes = diffPolicies(before, after, before.classification);
    return {
      inForce: before.digest,
      digest: after.digest,
      problems: [],
      problemCount: 0,
      changes: changes.slice(0, mostChanges),
      changeCount: changes.length,
      disclosures: await affectedBy(this.database, { before, after }, this.clock()),
    };
  }
}

const told = ({ path, line, message }: PolicyProblem): PolicyProblem => ({
  path: shortText(path, longestProblem) ?? '',
  line,
  message: shortText(message, longestProblem) ?? '',
});
