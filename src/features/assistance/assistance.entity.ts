import { Flag, IdList, Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

export const assistancePurposes = ['PAYMENT_QUESTION', 'DECLINE', 'DISPUTE', 'REFUND', 'CREDENTIAL_UPDATE', 'OTHER'] as const;
export type AssistancePurpose = (typeof assistancePurposes)[number];

export const assistanceEndReasons = [
  'TICKET_CLOSED',
  'REASSIGNED',
  'RECIPIENT_CHANGED',
  'EXPIRED',
  'BY_HAND',
  'BRAKE',
  'REJECTED',
  'BY_SUPERVISOR',
] as const;
export type AssistanceEndReason = (typeof assistanceEndReasons)[number];

/** A grant: this actor may see this customer's payment context because of this ticket, from `beginsAt` until it ends. Never deleted. */
@Entity('assistance')
@Index('uq_assistance_open_key', ['openKey'], { unique: true })
@Index('ix_assistance_actor_id_ended_at', ['actorId', 'endedAt'])
@Index('ix_assistance_ticket_id_ended_at', ['ticketId', 'endedAt'])
@Index('ix_assistance_actor_id_begins_at', ['actorId', 'beginsAt'])
@Index('ix_assistance_begins_at', ['beginsAt'])
@Index('ix_assistance_ended_at_expires_at', ['endedAt', 'expiresAt'])
export class Assistance {
  @Key() id!: string;
  @Text(64, { name: 'actor_id' }) actorId!: string;
  /** The actor's rows among the staff of every helpdesk, when they asked; null where that was before these were kept. */
  @IdList({ name: 'requested_by_staff_ids', nullable: true }) requestedByStaffIds!: readonly string[] | null;
  @Text(64, { name: 'ticket_id' }) ticketId!: string;
  @Text(64, { name: 'customer_id' }) customerId!: string;
  @Text(32) purpose!: AssistancePurpose;
  @Text(16) origin!: 'AUTOMATIC' | 'REQUESTED';
  @Text(64, { name: 'key_id', nullable: true }) keyId!: string | null;
  @Sealed({ name: 'reason_sealed', nullable: true }) reasonSealed!: Buffer | null;
  @Instant({ name: 'requested_at' }) requestedAt!: Date;
  /** Null while an approval is missing. */
  @Instant({ name: 'begins_at', nullable: true }) beginsAt!: Date | null;
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
  @Flag({ name: 'needs_approval' }) needsApproval!: boolean;
  @Text(64, { name: 'approved_by_id', nullable: true }) approvedById!: string | null;
  @Instant({ name: 'approved_at', nullable: true }) approvedAt!: Date | null;
  /** The supervisor who refused it; null where nobody did. */
  @Text(64, { name: 'rejected_by_id', nullable: true }) rejectedById!: string | null;
  /** Why. Null where nobody refused it, or the customer was erased before. */
  @Sealed({ name: 'rejection_sealed', nullable: true }) rejectionSealed!: Buffer | null;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  @Text(24, { name: 'end_reason', nullable: true }) endReason!: AssistanceEndReason | null;
  @Instant({ name: 'last_used_at', nullable: true }) lastUsedAt!: Date | null;
  /** Until then some process may still commit disclosures under it; whoever ends the assistance waits that long. */
  @Instant({ name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  /** `actor|ticket` while it has not ended, null afterwards: one open assistance per actor and ticket, on both engines. */
  @Text(160, { name: 'open_key', nullable: true }) openKey!: string | null;
}
export const assistances = table(Assistance);
