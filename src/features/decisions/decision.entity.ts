import { Instant, Integer, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type { DecisionStage, PaymentVerdict } from './decision.words';

/** What a service was answered, for as long as it may ask the same again. Of the customer it has nothing. */
@Entity('payment_decision')
@Index('uq_payment_decision_key_digest', ['keyDigest'], { unique: true })
@Index('ix_payment_decision_at', ['at'])
export class PaymentDecision {
  @Key() id!: string;
  @Text(64, { name: 'service_id' }) serviceId!: string;
  /** Keyed digest of service and idempotency key. */
  @Text(64, { name: 'key_digest' }) keyDigest!: string;
  /** Keyed digest of what was asked: the same key with something else is a conflict. */
  @Text(64, { name: 'request_digest' }) requestDigest!: string;
  @Text(16) stage!: DecisionStage;
  @Text(16) verdict!: PaymentVerdict;
  @Text(64, { name: 'demand_id', nullable: true }) demandId!: string | null;
  @Text(64, { nullable: true }) route!: string | null;
  @Instant({ name: 'valid_until' }) validUntil!: Date;
  @Instant() at!: Date;
}
export const paymentDecisions = table(PaymentDecision);

/** How often a service asked about a subject within an hour, or about how many within a minute. */
@Entity('decision_budget')
@Index('ix_decision_budget_ends_at', ['endsAt'])
export class DecisionBudget {
  /** Keyed digest of service, subject and hour; or of service and minute. */
  @Key() id!: string;
  @Integer() used!: number;
  @Instant({ name: 'ends_at' }) endsAt!: Date;
}
export const decisionBudgets = table(DecisionBudget);
