import { IdList, Instant, Integer, Key, LongIdList, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type { BrakeLevel } from '../actors/actor.entity';

export const brakeStates = ['ACTIVE', 'PROPOSED', 'RELEASED'] as const;
export type BrakeState = (typeof brakeStates)[number];

/** What a rule stopped somebody in, until two others release it. Never deleted. */
@Entity('staff_brake')
@Index('uq_staff_brake_open_key', ['openKey'], { unique: true })
@Index('ix_staff_brake_actor_id', ['actorId'])
@Index('ix_staff_brake_placed_at', ['placedAt'])
export class Brake {
  @Key() id!: string;
  /** Whom it stops, `act_…`. */
  @Text(64, { name: 'actor_id' }) actorId!: string;
  /** All subjects that they are known by, that one among them. */
  @LongIdList({ name: 'actor_ids' }) actorIds!: readonly string[];
  /** Their rows among the staff: the same person under another subject is stopped too. */
  @IdList({ name: 'staff_ids' }) staffIds!: readonly string[];
  /** Teams that they worked in: who releases it is of none of these. */
  @LongIdList() teams!: readonly string[];
  @Text(16) level!: BrakeLevel;
  /** The rule that asked for it, in lower case with hyphens. */
  @Text(64) rule!: string;
  @Integer({ name: 'rule_version' }) ruleVersion!: number;
  @Text(16) state!: BrakeState;
  @Instant({ name: 'placed_at' }) placedAt!: Date;
  @Text(64, { name: 'proposed_by_id', nullable: true }) proposedById!: string | null;
  @IdList({ name: 'proposed_by_staff_ids', nullable: true }) proposedByStaffIds!: readonly string[] | null;
  @Instant({ name: 'proposed_at', nullable: true }) proposedAt!: Date | null;
  @Text(64, { name: 'released_by_id', nullable: true }) releasedById!: string | null;
  @Instant({ name: 'released_at', nullable: true }) releasedAt!: Date | null;
  /** Of the key that the reasons are sealed with: the braked person's own. */
  @Text(64, { name: 'key_id', nullable: true }) keyId!: string | null;
  @Sealed({ name: 'proposal_reason_sealed', nullable: true }) proposalReasonSealed!: Buffer | null;
  @Sealed({ name: 'release_reason_sealed', nullable: true }) releaseReasonSealed!: Buffer | null;
  /** `actor|rule` while it isn't released: one open brake for each. */
  @Text(160, { name: 'open_key', nullable: true }) openKey!: string | null;
}
export const brakes = table(Brake);
