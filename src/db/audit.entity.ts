import { Column } from 'typeorm/decorator/columns/Column';
import { Instant, Integer, Key, Sealed, Text } from './columns';
import { Entity, Index } from './entity';
import { table } from './table';

/** One event of the log with its leaf; `audit/event` says what the leaf holds. Inserted, never changed. */
@Entity('audit_event')
@Index('uq_audit_event_transaction_id_ordinal', ['transactionId', 'ordinal'], { unique: true })
@Index('ix_audit_event_at_id', ['at', 'id'])
@Index('ix_audit_event_actor_id_at', ['actorId', 'at'])
@Index('ix_audit_event_ticket_id_at', ['ticketId', 'at'])
@Index('ix_audit_event_subject_type_subject_id', ['subjectType', 'subjectId'])
export class AuditEventRow {
  @Key() id!: string;
  @Text(64, { name: 'transaction_id' }) transactionId!: string;
  @Integer() ordinal!: number;
  @Instant() at!: Date;
  @Text(64) action!: string;
  @Text(16) outcome!: string;
  @Text(64, { name: 'actor_id' }) actorId!: string;
  @Text(64, { name: 'ticket_id', nullable: true }) ticketId!: string | null;
  @Text(64, { name: 'assistance_id', nullable: true }) assistanceId!: string | null;
  @Text(32, { name: 'subject_type', nullable: true }) subjectType!: string | null;
  @Text(64, { name: 'subject_id', nullable: true }) subjectId!: string | null;
  @Column({ type: 'blob' }) leaf!: Buffer;
  @Text(64, { name: 'leaf_hash' }) leafHash!: string;
  /** Code over the hash under the installation's key; null where whoever recorded it has none: the log's own events where another process signs. */
  @Text(64, { nullable: true }) voucher!: string | null;
}
export const auditEvents = table(AuditEventRow);

/** Which customers an event is about. Beside the leaf, which only holds a keyed digest, so that it can be taken away with the customer. */
@Entity('audit_customer')
@Index('ix_audit_customer_customer_id', ['customerId'])
export class AuditCustomer {
  @Key('event_id') eventId!: string;
  @Key('customer_id') customerId!: string;
}
export const auditCustomers = table(AuditCustomer);

/** Which tickets an event is about that names several: a list shows many at once. One alone stands in the event's own column. */
@Entity('audit_ticket')
@Index('ix_audit_ticket_ticket_id', ['ticketId'])
export class AuditTicket {
  @Key('event_id') eventId!: string;
  @Key('ticket_id') ticketId!: string;
}
export const auditTickets = table(AuditTicket);

/** Free text of an event, sealed under a customer's key. */
@Entity('audit_note')
export class AuditNote {
  @Key('event_id') eventId!: string;
  @Key() name!: string;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Sealed() sealed!: Buffer;
}
export const auditNotes = table(AuditNote);

/** Events that are committed and not yet in the tree. */
@Entity('audit_pending')
@Index('ix_audit_pending_transaction_id_ordinal', ['transactionId', 'ordinal'])
export class AuditPending {
  @Key('event_id') eventId!: string;
  @Text(64, { name: 'transaction_id' }) transactionId!: string;
  @Integer() ordinal!: number;
}
export const auditPending = table(AuditPending);
