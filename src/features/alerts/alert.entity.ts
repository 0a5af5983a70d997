import { IdList, Instant, Integer, IntegerKey, ItemList, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type { AlertResolution, AlertRule, AlertSeverity, AlertState, ReasonCode } from './alert.words';

/** A fact that an alert rests on, as it is stored. */
export interface StoredReason {
  readonly code: ReasonCode;
  readonly count: number | null;
  readonly windowSeconds: number | null;
  /** ISO 3166-1 alpha-2, sorted. */
  readonly countries: readonly string[];
  readonly transactionId: string | null;
}

/** Something about a customer's payments that whoever has the ticket should know. Never deleted. */
@Entity('risk_alert')
@Index('uq_risk_alert_open_key', ['openKey'], { unique: true })
@Index('ix_risk_alert_ticket_id_raised_at_id', ['ticketId', 'raisedAt', 'id'])
@Index('ix_risk_alert_customer_id', ['customerId'])
@Index('ix_risk_alert_state_expires_at', ['state', 'expiresAt'])
@Index('ix_risk_alert_raised_at_id', ['raisedAt', 'id'])
export class RiskAlert {
  @Key() id!: string;
  @Text(64) rule!: AlertRule;
  /** Version of the rule; 0 for what a person reported. */
  @Integer() version!: number;
  @Text(8) severity!: AlertSeverity;
  @Text(16) state!: AlertState;
  /** The ticket on which it is told; null where the customer had no open one. */
  @Text(64, { name: 'ticket_id', nullable: true }) ticketId!: string | null;
  @Text(64, { name: 'customer_id' }) customerId!: string;
  /** Whose payments it rests on; null where the customer had no link. */
  @Text(64, { name: 'payment_customer_id', nullable: true }) paymentCustomerId!: string | null;
  /** Whom among the staff it is about; null where it is about none of them. */
  @Text(64, { name: 'staff_id', nullable: true }) staffId!: string | null;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @ItemList() reasons!: readonly StoredReason[];
  /** The signals that it rests on, as `source/id`. */
  @IdList() signals!: readonly string[];
  @Sealed({ name: 'note_sealed', nullable: true }) noteSealed!: Buffer | null;
  @Text(64, { name: 'reported_by_id', nullable: true }) reportedById!: string | null;
  @IdList({ name: 'reported_by_staff_ids', nullable: true }) reportedByStaffIds!: readonly string[] | null;
  /** How often it was brought up to date. */
  @Integer() revision!: number;
  /** Digest of rule, customer, subject and window. */
  @Text(64) subject!: string;
  /** `subject` while it is open, null afterwards: one open alert of each, on both engines. */
  @Text(64, { name: 'open_key', nullable: true }) openKey!: string | null;
  @Instant({ name: 'raised_at' }) raisedAt!: Date;
  @Instant({ name: 'updated_at' }) updatedAt!: Date;
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  @Text(8, { nullable: true }) resolution!: AlertResolution | null;
  @Text(64, { name: 'resolved_by_id', nullable: true }) resolvedById!: string | null;
}
export const riskAlerts = table(RiskAlert);

/** Until then a rule raises nothing about a customer. */
@Entity('risk_snooze')
@Index('ix_risk_snooze_customer_id_rule_until_at', ['customerId', 'rule', 'untilAt'])
export class RiskSnooze {
  @Key() id!: string;
  @Text(64) rule!: AlertRule;
  @Text(64, { name: 'customer_id' }) customerId!: string;
  @Text(64, { name: 'alert_id' }) alertId!: string;
  @Instant({ name: 'until_at' }) untilAt!: Date;
  @Instant({ name: 'created_at' }) createdAt!: Date;
}
export const riskSnoozes = table(RiskSnooze);

export type AlertChange = 'RAISED' | 'UPDATED' | 'ENDED' | 'MOVED';

/**
 * What happened to alerts, in one order without gaps: `MOVED` where the alert's ticket isn't whose it was. The place 0 (`BEGUN`) is about
 * nothing: whoever takes the next place holds it until they commit, so that places become visible in their order.
 */
@Entity('risk_alert_event')
@Index('ix_risk_alert_event_alert_id', ['alertId'])
export class RiskAlertEvent {
  @IntegerKey('position') position!: number;
  @Text(8) kind!: AlertChange | 'BEGUN';
  @Text(64, { name: 'alert_id' }) alertId!: string;
  @Text(64, { name: 'ticket_id', nullable: true }) ticketId!: string | null;
  /** Who had the ticket before, where it moved. */
  @Text(64, { name: 'held_by_id', nullable: true }) heldById!: string | null;
}
export const riskAlertEvents = table(RiskAlertEvent);
