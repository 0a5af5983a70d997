import type { EffectState } from '../../background/effect';
import { Flag, Instant, Integer, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A ticket that a rule had opened at a helpdesk, so that somebody looks at a customer's payments. Never deleted. */
@Entity('risk_outreach')
@Index('uq_risk_outreach_alert_id', ['alertId'], { unique: true })
@Index('ix_risk_outreach_source_created_at', ['source', 'createdAt'])
export class RiskOutreach {
  /** `out_…`: the ticket is found again by it. */
  @Key() id!: string;
  /** The alert that it is about: each has one at most. */
  @Text(64, { name: 'alert_id' }) alertId!: string;
  /** The helpdesk's customer. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  /** Name of the helpdesk. */
  @Text(64) source!: string;
  /** In lower case with hyphens. */
  @Text(64) rule!: string;
  @Integer({ name: 'rule_version' }) ruleVersion!: number;
  /** `DROPPED`: there was nothing to look at any more, or nobody to ask, before it was sent. */
  @Text(16) state!: EffectState;
  @Integer({ name: 'key_generation' }) keyGeneration!: number;
  @Instant({ name: 'key_used_at', nullable: true }) keyUsedAt!: Date | null;
  @Flag({ name: 'key_spent' }) keySpent!: boolean;
  @Text(32, { nullable: true }) refusal!: string | null;
  /** The ticket's at the helpdesk; null before it is known. */
  @Text(128, { nullable: true }) reference!: string | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
}
export const riskOutreaches = table(RiskOutreach);

/** Outbox: a ticket to be opened. */
@Entity('risk_outreach_job')
@Index('uq_risk_outreach_job_outreach_id', ['outreachId'], { unique: true })
@Index('ix_risk_outreach_job_state_next_at', ['state', 'nextAt'])
export class RiskOutreachJob {
  @Key() id!: string;
  @Text(64, { name: 'outreach_id' }) outreachId!: string;
  @Text(16) kind!: 'OUTREACH';
  @Text(8) state!: 'PENDING' | 'DONE' | 'DEAD';
  /** Tries since it last got anywhere. */
  @Integer() attempts!: number;
  @Instant({ name: 'next_at' }) nextAt!: Date;
  @Instant({ name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  @Text(64, { name: 'lease_holder', nullable: true }) leaseHolder!: string | null;
  @Text(64, { nullable: true }) fault!: string | null;
}
export const riskOutreachJobs = table(RiskOutreachJob);
