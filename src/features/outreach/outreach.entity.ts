import { StoredEffect } from '../../background/effect';
import { StoredJob } from '../../background/job-table';
import { Instant, Integer, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/**
 * A ticket that a rule had opened at a helpdesk, so that somebody looks at a customer's payments; found again by its id, `out_…`. `DROPPED`: there was
 * nothing to look at any more, or nobody to ask, before it was sent. Never deleted.
 */
@Entity('risk_outreach')
@Index('uq_risk_outreach_alert_id', ['alertId'], { unique: true })
@Index('ix_risk_outreach_source_created_at', ['source', 'createdAt'])
export class RiskOutreach extends StoredEffect {
  /** The alert that it is about: each has one at most. */
  @Text(64, { name: 'alert_id' }) alertId!: string;
  /** The helpdesk's customer. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  /** Name of the helpdesk. */
  @Text(64) source!: string;
  /** In lower case with hyphens. */
  @Text(64) rule!: string;
  @Integer({ name: 'rule_version' }) ruleVersion!: number;
  /** The ticket's at the helpdesk; null before it is known. */
  @Text(128, { nullable: true }) reference!: string | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
}
export const riskOutreaches = table(RiskOutreach);

/** Outbox: a ticket to be opened. */
@Entity('risk_outreach_job')
@Index('uq_risk_outreach_job_outreach_id', ['outreachId'], { unique: true })
@Index('ix_risk_outreach_job_state_next_at', ['state', 'nextAt'])
export class RiskOutreachJob extends StoredJob {
  @Text(64, { name: 'outreach_id' }) outreachId!: string;
  @Text(16) kind!: 'OUTREACH';
}
export const riskOutreachJobs = table(RiskOutreachJob);
