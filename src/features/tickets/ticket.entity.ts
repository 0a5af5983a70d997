import { Flag, IdList, Instant, Integer, Key, Sealed, Text, WordList } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

@Entity('helpdesk_staff')
@Index('uq_helpdesk_staff_source_reference', ['source', 'reference'], { unique: true })
@Index('ix_helpdesk_staff_login_digest', ['loginDigest'])
@Index('ix_helpdesk_staff_email_digest', ['emailDigest'])
export class StaffMember {
  @Key() id!: string;
  @Text(64) source!: string;
  @Text(128) reference!: string;
  @Text(255, { name: 'display_name' }) displayName!: string;
  @Text(64, { name: 'login_digest' }) loginDigest!: string;
  @Text(64, { name: 'email_digest', nullable: true }) emailDigest!: string | null;
  @Flag() active!: boolean;
  @Instant({ name: 'observed_at' }) observedAt!: Date;
}
export const staffMembers = table(StaffMember);

/** The helpdesk's case, as last seen at `observedAt`; whether that is recent enough to authorize is for the rules of assistances. */
@Entity('helpdesk_ticket')
@Index('uq_helpdesk_ticket_source_reference', ['source', 'reference'], { unique: true })
@Index('ix_helpdesk_ticket_assignee_id_updated_at_id', ['assigneeId', 'updatedAt', 'id'])
@Index('ix_helpdesk_ticket_team_updated_at_id', ['team', 'updatedAt', 'id'])
@Index('ix_helpdesk_ticket_customer_id', ['customerId'])
@Index('ix_helpdesk_ticket_updated_at_id', ['updatedAt', 'id'])
@Index('ix_helpdesk_ticket_messages_seen_at', ['messagesSeenAt'])
export class Ticket {
  @Key() id!: string;
  @Text(64) source!: string;
  @Text(128) reference!: string;
  @Integer() revision!: number;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Sealed({ name: 'subject_sealed', nullable: true }) subjectSealed!: Buffer | null;
  @Text(16) status!: string;
  @Text(16) channel!: string;
  @Text(128, { nullable: true }) team!: string | null;
  @Text(64, { name: 'assignee_id', nullable: true }) assigneeId!: string | null;
  @Text(64, { name: 'assigned_by_id', nullable: true }) assignedById!: string | null;
  @Text(64, { name: 'team_set_by_id', nullable: true }) teamSetById!: string | null;
  @Text(64, { name: 'created_by_id', nullable: true }) createdById!: string | null;
  @IdList({ name: 'customer_set_by_ids' }) customerSetByIds!: readonly string[];
  @Text(64, { name: 'customer_id', nullable: true }) customerId!: string | null;
  /** The helpdesk's last answer about it made no sense: that polls go on says nothing about this one. */
  @Flag() unreadable!: boolean;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'updated_at' }) updatedAt!: Date;
  @Instant({ name: 'observed_at' }) observedAt!: Date;
  /** Keyed digest of all that the helpdesk said of it and in it; null where that wasn't read whole, or before there was one. */
  @Text(64, { nullable: true }) digest!: string | null;
  /** Keyed digest of the helpdesk's own mark of what stands in it, where it gives one: enough to see that nothing changed. */
  @Text(64, { nullable: true }) mark!: string | null;
  /** When what is stored of it was stored; null in rows of before this was kept. */
  @Instant({ name: 'read_at', nullable: true }) readAt!: Date | null;
  /** When the stored text was last held against all that the helpdesk has. */
  @Instant({ name: 'messages_seen_at', nullable: true }) messagesSeenAt!: Date | null;
}
export const tickets = table(Ticket);

/** Somebody of the staff who had a ticket while it was about this customer, and has it no more, or it is about somebody else. */
@Entity('helpdesk_holder')
@Index('uq_helpdesk_holder_ticket_id_customer_id_staff_id', ['ticketId', 'customerId', 'staffId'], { unique: true })
@Index('ix_helpdesk_holder_staff_id_last_at', ['staffId', 'lastAt'])
export class TicketHolder {
  @Key() id!: string;
  @Text(64, { name: 'ticket_id' }) ticketId!: string;
  @Text(64, { name: 'customer_id' }) customerId!: string;
  @Text(64, { name: 'staff_id' }) staffId!: string;
  /** When it was found to be theirs no more: at the latest until then it was. */
  @Instant({ name: 'last_at' }) lastAt!: Date;
}
export const ticketHolders = table(TicketHolder);

@Entity('helpdesk_message')
@Index('uq_helpdesk_message_ticket_id_reference', ['ticketId', 'reference'], { unique: true })
@Index('ix_helpdesk_message_ticket_id_created_at_id', ['ticketId', 'createdAt', 'id'])
@Index('ix_helpdesk_message_claim_due_at', ['claimDueAt'])
export class Message {
  @Key() id!: string;
  @Text(64, { name: 'ticket_id' }) ticketId!: string;
  @Text(128) reference!: string;
  @Text(16, { name: 'author_kind' }) authorKind!: 'STAFF' | 'CUSTOMER' | 'SYSTEM';
  @Text(64, { name: 'author_staff_id', nullable: true }) authorStaffId!: string | null;
  @Text(16) channel!: string;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Sealed({ name: 'body_sealed' }) bodySealed!: Buffer;
  /** Names, types and sizes as JSON; null of messages that were stored before these were read. */
  @Sealed({ name: 'attachments_sealed', nullable: true }) attachmentsSealed!: Buffer | null;
  /** More was written than the body holds; null of messages that were stored before this was told. */
  @Flag({ name: 'is_cut', nullable: true }) isCut!: boolean | null;
  @WordList() redactions!: readonly string[];
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** Keyed digest of all that the helpdesk said of it, before anything was removed; null in rows of before there was one. */
  @Text(64, { nullable: true }) digest!: string | null;
  /** It states something of a payment, which is held against the customer's from then on; null where it doesn't, or that is done. */
  @Instant({ name: 'claim_due_at', nullable: true }) claimDueAt!: Date | null;
}
export const messages = table(Message);
