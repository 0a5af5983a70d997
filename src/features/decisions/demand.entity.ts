import { Flag, Instant, Integer, Key, LongIdList, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type { DecisionStage, StepUpStrength } from './decision.words';
import type { DemandState } from './demand.states';

/** That a customer is to be authenticated anew before they pay. Never deleted. */
@Entity('step_up_demand')
@Index('uq_step_up_demand_open_key', ['openKey'], { unique: true })
@Index('uq_step_up_demand_proof_digest', ['proofDigest'], { unique: true })
@Index('ix_step_up_demand_customer_id_expires_at', ['customerId', 'expiresAt'])
@Index('ix_step_up_demand_payer_id_expires_at', ['payerId', 'expiresAt'])
@Index('ix_step_up_demand_state_expires_at', ['state', 'expiresAt'])
export class StepUpDemand {
  @Key() id!: string;
  /** Whom it was opened about: `cus_…`, `pcu_…`, or the digest that signals call somebody by who isn't known here. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  /** Who is to be authenticated: a payment customer's id or digest. Null until a service was told of it. */
  @Text(64, { name: 'payer_id', nullable: true }) payerId!: string | null;
  /** Name of the payment source that is asked for the proof; null until then. */
  @Text(64, { nullable: true }) source!: string | null;
  @Text(16) state!: DemandState;
  @Text(16) strength!: StepUpStrength;
  /** The rule that opened it, in lower case with hyphens; null where a hold did. */
  @Text(64, { nullable: true }) rule!: string | null;
  @Integer({ name: 'rule_version', nullable: true }) ruleVersion!: number | null;
  /** The service that was told of it first: it alone closes it. */
  @Text(64, { name: 'owner_id', nullable: true }) ownerId!: string | null;
  /** Where the payment was when that service was told. */
  @Text(16, { nullable: true }) stage!: DecisionStage | null;
  @LongIdList({ name: 'rests_on' }) restsOn!: readonly string[];
  @Instant({ name: 'opened_at' }) openedAt!: Date;
  /** An authentication counts from here on: since the last thing was added that it rests on. */
  @Instant({ name: 'counts_from' }) countsFrom!: Date;
  @Instant({ name: 'presented_at', nullable: true }) presentedAt!: Date | null;
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  /** Keyed digests of attempts that the customer failed by: the provider's authentication and its time. */
  @LongIdList({ name: 'failed_digests' }) failedDigests!: readonly string[];
  /** How often the provider was asked about it. */
  @Integer() lookups!: number;
  /** Keyed digest of the provider's authentication that proved it, by whatever reference: one proves one. */
  @Text(64, { name: 'proof_digest', nullable: true }) proofDigest!: string | null;
  @Instant({ name: 'authenticated_at', nullable: true }) authenticatedAt!: Date | null;
  /** On a device that the customer had paid with before it was opened, as the provider tells. */
  @Flag({ name: 'known_device' }) knownDevice!: boolean;
  /** Until it has ended: one a customer that nobody was told of, and one a payer, source and service. */
  @Text(200, { name: 'open_key', nullable: true }) openKey!: string | null;
}
export const stepUpDemands = table(StepUpDemand);
