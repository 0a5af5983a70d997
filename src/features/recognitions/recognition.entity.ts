import { StoredJob } from '../../background/job-table';
import { IdList, Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import { StoredLink, type Undelivered } from '../invitations/link.entity';

export const recognitionStates = ['ASKED', 'RECOGNIZED', 'DISOWNED', 'EXPIRED', 'FAILED'] as const;
export type RecognitionState = (typeof recognitionStates)[number];

/** The question whether a payment is its customer's own, and their answer. What is sealed is under the helpdesk customer's key. Never deleted. */
@Entity('recognition')
@Index('uq_recognition_asked_key', ['askedKey'], { unique: true })
@Index('ix_recognition_ticket_id_asked_at_id', ['ticketId', 'askedAt', 'id'])
@Index('ix_recognition_customer_id_asked_at', ['customerId', 'askedAt'])
@Index('ix_recognition_state_expires_at', ['state', 'expiresAt'])
export class Recognition {
  @Key() id!: string;
  @Text(16) state!: RecognitionState;
  @Text(64, { name: 'ticket_id' }) ticketId!: string;
  /** The helpdesk's customer. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  /** Under which it was asked. */
  @Text(64, { name: 'assistance_id' }) assistanceId!: string;
  @Text(64, { name: 'payment_customer_id' }) paymentCustomerId!: string;
  @Text(64, { name: 'transaction_id' }) transactionId!: string;
  @Text(64, { name: 'asked_by_id' }) askedById!: string;
  /** As the ticket's helpdesk names them. */
  @Text(64, { name: 'asked_by_staff_id', nullable: true }) askedByStaffId!: string | null;
  /** Their rows among the staff of every helpdesk. */
  @IdList({ name: 'asked_by_staff_ids' }) askedByStaffIds!: readonly string[];
  @Text(64, { name: 'key_id' }) keyId!: string;
  /** `AskedPayment` as JSON: what the customer is shown, as it was when they were asked. */
  @Sealed({ name: 'payment_sealed' }) paymentSealed!: Buffer;
  /** Keyed digest of the address that was judged: the link goes to no other. */
  @Text(64, { name: 'mail_digest' }) mailDigest!: string;
  @Instant({ name: 'asked_at' }) askedAt!: Date;
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
  /** When the mail with the link left; no other is sent afterwards. */
  @Instant({ name: 'sent_at', nullable: true }) sentAt!: Date | null;
  @Instant({ name: 'answered_at', nullable: true }) answeredAt!: Date | null;
  @Text(32, { nullable: true }) failure!: Undelivered | null;
  /** Salt and digest under the customer's key of what they were shown and said; the same text sealed. */
  @Text(80, { name: 'shown_digest', nullable: true }) shownDigest!: string | null;
  @Sealed({ name: 'shown_sealed', nullable: true }) shownSealed!: Buffer | null;
  /** What their no placed. */
  @Text(64, { name: 'hold_id', nullable: true }) holdId!: string | null;
  /** The payment's id while it is asked about or was answered: a customer is asked once about each, on both engines. */
  @Text(64, { name: 'asked_key', nullable: true }) askedKey!: string | null;
}
export const recognitions = table(Recognition);

/** A link to a question that was sent. */
@Entity('recognition_link')
@Index('uq_recognition_link_token_digest', ['tokenDigest'], { unique: true })
@Index('ix_recognition_link_recognition_id', ['recognitionId'])
export class RecognitionLink extends StoredLink {
  @Text(64, { name: 'recognition_id' }) recognitionId!: string;
}
export const recognitionLinks = table(RecognitionLink);

export type RecognitionJobKind = 'LINK' | 'NOTICE' | 'OUTCOME';

/** Outbox: what leaves for the customer and the ticket, written with the change that calls for it. */
@Entity('recognition_job')
@Index('uq_recognition_job_recognition_id_kind', ['recognitionId', 'kind'], { unique: true })
@Index('ix_recognition_job_state_next_at', ['state', 'nextAt'])
export class RecognitionJob extends StoredJob {
  @Text(64, { name: 'recognition_id' }) recognitionId!: string;
  @Text(16) kind!: RecognitionJobKind;
}
export const recognitionJobs = table(RecognitionJob);
