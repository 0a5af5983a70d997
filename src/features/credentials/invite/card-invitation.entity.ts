import { StoredJob } from '../../../background/job-table';
import { Instant, Integer, Key, Text } from '../../../db/columns';
import { Entity, Index } from '../../../db/entity';
import { table } from '../../../db/table';

/** Why a customer isn't asked for a new card any more, where none was asked of them. */
export const dropReasons = [
  'ASKED_ALREADY',
  'CARD_ENDED',
  'CUSTOMER_ERASED',
  'CUSTOMER_GONE',
  'HIGH_RISK',
  'LINK_CHANGED',
  'METHOD_GONE',
  'NOT_OFFERED',
  'NOT_USED',
  'NO_CONTACT',
  'RENEWED',
  'UNREACHABLE',
] as const;
export type DropReason = (typeof dropReasons)[number];

/** That a rule wants a customer to be asked for a new card before theirs ends. Once for each card and end, whatever came of it. Never deleted. */
@Entity('card_invitation')
@Index('uq_card_invitation_payment_method_id_ends_at', ['paymentMethodId', 'endsAt'], { unique: true })
@Index('ix_card_invitation_due_at', ['dueAt'])
@Index('ix_card_invitation_state_ended_at', ['state', 'endedAt'])
export class CardInvitation {
  /** `inv_…`. */
  @Key() id!: string;
  @Text(64, { name: 'payment_method_id' }) paymentMethodId!: string;
  /** The last instant of the card, as it was when the rule fired. */
  @Instant({ name: 'ends_at' }) endsAt!: Date;
  /** The helpdesk's customer. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  @Text(64, { name: 'payment_customer_id' }) paymentCustomerId!: string;
  /** Name of the payments source. */
  @Text(64) source!: string;
  /** In lower case with hyphens. */
  @Text(64) rule!: string;
  @Integer({ name: 'rule_version' }) ruleVersion!: number;
  /** `ASKED`: by the update that it names. */
  @Text(16) state!: 'PLANNED' | 'ASKED' | 'DROPPED';
  @Text(32, { nullable: true }) reason!: DropReason | null;
  @Text(64, { name: 'update_id', nullable: true }) updateId!: string | null;
  /** Its turn among all of them: they are spread, so that few leave at once. */
  @Instant({ name: 'due_at' }) dueAt!: Date;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
}
export const cardInvitations = table(CardInvitation);

/** Outbox: a customer to be asked. */
@Entity('card_invitation_job')
@Index('uq_card_invitation_job_invitation_id', ['invitationId'], { unique: true })
@Index('ix_card_invitation_job_state_next_at', ['state', 'nextAt'])
export class CardInvitationJob extends StoredJob {
  @Text(64, { name: 'invitation_id' }) invitationId!: string;
  @Text(16) kind!: 'INVITE';
}
export const cardInvitationJobs = table(CardInvitationJob);
