import { Int, ObjectType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { Exposed } from '../../graphql/decorators';
import { Listed } from '../../graphql/listed';
import { DateTime, SafeInt } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { mostReportLines } from './audit.bounds';
import type { MinimisationReport } from './minimisation';

@ObjectType({ simpleResolvers: true, description: 'What was made of one field, for some roles and purposes.' })
export class AuditReportLine {
  @Exposed('INTERNAL', () => String, { description: 'Of whoever asked, sorted: several belong to one session.' })
  roles!: string;

  @Exposed('INTERNAL', () => String, { description: '`Type.field`, or the rule or action of a denial.' })
  field!: string;

  @Exposed('INTERNAL', () => String, {
    description: 'Of the assistances under which it was asked for, sorted; - where there was none.',
  })
  purpose!: string;

  @Exposed('INTERNAL', () => Int)
  revealed!: number;

  @Exposed('INTERNAL', () => Int)
  masked!: number;

  @Exposed('INTERNAL', () => Int)
  denied!: number;
}

@ObjectType('AuditReport', {
  simpleResolvers: true,
  description:
    'What was shown, to whom and what for, and what was not: sums over the disclosures and denials of a span of the log, each leaf held against its hash.',
})
export class AuditReport implements Shown {
  readonly linkAssurance: LinkAssurance = 'NONE';

  constructor(private readonly report: MinimisationReport) {}

  get shown(): ShownObject {
    const { from, to } = this.report.leaves;
    return { type: 'AuditReport', id: `${from}-${to}`, ticketId: null, customer: null, underAssistance: false };
  }

  @Exposed('INTERNAL', () => DateTime)
  get from(): Date {
    return this.report.from;
  }

  @Exposed('INTERNAL', () => DateTime, { description: 'Excluded.' })
  get before(): Date {
    return this.report.to;
  }

  @Exposed('INTERNAL', () => SafeInt, { description: 'The first of the leaves that it is of.' })
  get leavesFrom(): number {
    return this.report.leaves.from;
  }

  @Exposed('INTERNAL', () => SafeInt, { description: 'Excluded.' })
  get leavesTo(): number {
    return this.report.leaves.to;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Events that it adds up.' })
  get disclosures(): number {
    return this.report.disclosures;
  }

  @Exposed('INTERNAL', () => Int)
  get denials(): number {
    return this.report.denials;
  }

  // Of one event, a mask in place of a value tells how surely its customer is linked.
  @Exposed('PERSONAL', () => SafeInt, { description: 'Values, of all lines.', from: ['Customer.link'] })
  get revealed(): number {
    return this.report.totals.revealed;
  }

  @Exposed('PERSONAL', () => SafeInt, { from: ['Customer.link'] })
  get masked(): number {
    return this.report.totals.masked;
  }

  @Exposed('PERSONAL', () => SafeInt, { description: 'Left out, too.', from: ['Customer.link'] })
  get denied(): number {
    return this.report.totals.denied;
  }

  @Listed({ most: mostReportLines, parts: true })
  @Exposed('PERSONAL', () => [AuditReportLine], { description: 'By roles, field and purpose.', from: ['Customer.link'] })
  get lines(): readonly AuditReportLine[] {
    return this.report.lines;
  }
}
