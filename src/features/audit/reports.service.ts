import type { Database } from '../../db/database';
import { Failure } from '../../failure';
import type { RequestAccess } from '../../graphql/request-access';
import { treeSize } from '../../ledger/integration';
import { LogBroken } from '../../ledger/log-broken';
import { mostReportLines } from './audit.bounds';
import { spanOf } from './leaf-span';
import { minimisationReport } from './minimisation';
import { AuditReport } from './report.type';

/** Longest span of one report, in milliseconds: a month and a day. */
const longestSpan = 32 * 86_400_000;
/** Leaves that one report is made of at most: some seconds' work, in turns with everybody else's. `counterfoil audit report` has no such end. */
const mostLeaves = 50_000;
/** Reports that are made at once: what each of them holds in memory is bounded, so that this bounds all of it. */
const mostAtOnce = 2;

const tooMuch = (): Failure =>
  Failure.invalid(
    'before',
    `expected a shorter span: a report here has ${mostLeaves} leaves and ${mostReportLines} lines at most`,
  );

/** Reports over a span of the log, for auditors who have no access to the database. */
export class AuditReports {
  private running = 0;

  constructor(private readonly database: Database) {}

  /**
   * What was revealed, masked and denied in a span, half-open; who reads it is on record. Throws `INVALID` for too long a span, `OVERLOADED` while others
   * are made, and `CONFLICT` where what is stored isn't what was signed.
   */
  async of(access: RequestAccess, from: Date, before: Date): Promise<AuditReport> {
    const span = before.getTime() - from.getTime();
    if (span <= 0 || span > longestSpan) throw Failure.invalid('before', 'expected a time after from, and 32 days at most');
    if (this.running >= mostAtOnce)
      throw new Failure('OVERLOADED', 'Other reports are being made.', { remedy: 'Try again shortly.', retryAfter: 5 });
    this.running += 1;
    try {
      const leaves = await spanOf(this.database, { from, before }, await treeSize(this.database));
      if (leaves.to - leaves.from > mostLeaves) throw tooMuch();
      const report = await minimisationReport(this.database, from, before);
      if (report.lines.length > mostReportLines) throw tooMuch();
      const shown = new AuditReport(report);
      access.note('Query.auditReport', 1, [shown]);
      return shown;
    } catch (error) {
      if (!(error instanceof LogBroken)) throw error;
      throw new Failure('CONFLICT', error.message, { remedy: error.remedy });
    } finally {
      this.running -= 1;
    }
  }
}
