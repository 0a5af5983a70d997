import { Flag, Instant, Integer, IntegerKey, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/**
 * One signal: what happened, when, to whom, in ids of ours and keyed digests. Nothing personal stands in it in clear, and no text of anybody's.
 * Inserted, never changed, and removed when its time is over.
 */
@Entity('risk_signal')
@Index('uq_risk_signal_source_event_id', ['source', 'eventId'], { unique: true })
@Index('ix_risk_signal_received_at', ['receivedAt'])
@Index('ix_risk_signal_customer_type_occurred_at', ['customer', 'type', 'occurredAt'])
@Index('ix_risk_signal_card_type_occurred_at', ['card', 'type', 'occurredAt'])
@Index('ix_risk_signal_device_type_occurred_at', ['device', 'type', 'occurredAt'])
@Index('ix_risk_signal_email_domain_type_occurred_at', ['emailDomain', 'type', 'occurredAt'])
@Index('ix_risk_signal_ticket_type_occurred_at', ['ticket', 'type', 'occurredAt'])
@Index('ix_risk_signal_staff_type_occurred_at', ['staff', 'type', 'occurredAt'])
@Index('ix_risk_signal_team_type_occurred_at', ['team', 'type', 'occurredAt'])
export class RiskSignal {
  @Key() id!: string;
  @Text(64) source!: string;
  /** As its sender calls it; with the source it is the signal's name. */
  @Text(255, { name: 'event_id' }) eventId!: string;
  @Text(64) type!: string;
  @Instant({ name: 'occurred_at' }) occurredAt!: Date;
  @Instant({ name: 'received_at' }) receivedAt!: Date;
  @Text(64, { nullable: true }) customer!: string | null;
  @Text(64, { nullable: true }) card!: string | null;
  @Text(64, { nullable: true }) device!: string | null;
  @Text(64, { nullable: true }) ip!: string | null;
  @Text(64, { name: 'email_domain', nullable: true }) emailDomain!: string | null;
  // ORDER is a word of SQL, and so are KEY and CHANGE.
  @Text(64, { name: 'order_subject', nullable: true }) orderSubject!: string | null;
  @Text(64, { nullable: true }) payment!: string | null;
  @Text(64, { nullable: true }) ticket!: string | null;
  @Text(64, { nullable: true }) staff!: string | null;
  @Text(64, { nullable: true }) team!: string | null;
  /** Of a person's, at their identity provider. */
  @Text(64, { name: 'session_digest', nullable: true }) session!: string | null;
  /** That a person's session is bound to. */
  @Text(64, { name: 'key_digest', nullable: true }) keySubject!: string | null;
  @Text(2, { nullable: true }) country!: string | null;
  @Integer({ name: 'minor_units', nullable: true }) minorUnits!: number | null;
  @Text(3, { nullable: true }) currency!: string | null;
  @Text(128, { name: 'decline_code', nullable: true }) declineCode!: string | null;
  @Text(128, { nullable: true }) advice!: string | null;
  @Instant({ name: 'customer_since', nullable: true }) customerSince!: Date | null;
  @Text(64, { nullable: true }) outcome!: string | null;
  @Text(32, { nullable: true }) changed!: string | null;
  @Instant({ nullable: true }) deadline!: Date | null;
  /** Null, or told so late that it is no part of anybody's past. */
  @Flag({ nullable: true }) backdated!: boolean | null;
}
export const riskSignals = table(RiskSignal);

/** What one day had of one subject and type, by country, device and currency ('' where there is none). Kept longer than the signals. */
@Entity('risk_signal_day')
@Index('ix_risk_signal_day_day', ['day'])
export class RiskSignalDay {
  @Key() subject!: string;
  @Key() value!: string;
  @Key() type!: string;
  /** Whole days since 1970-01-01, UTC. */
  @IntegerKey('day') day!: number;
  @Key() country!: string;
  @Key() device!: string;
  @Key() currency!: string;
  @Integer() count!: number;
  @Integer({ name: 'most_minor_units', nullable: true }) mostMinorUnits!: number | null;
  /** Of the oldest customer among them. */
  @Instant({ name: 'customer_since', nullable: true }) customerSince!: Date | null;
}
export const riskSignalDays = table(RiskSignalDay);

/**
 * Signals that were told together, are committed and have no position yet: so many, of which this is the first. Their ids follow each other
 * (`signalIds`), so that a thousand wait by one row.
 */
@Entity('risk_feed_batch')
@Index('ix_risk_feed_batch_transaction_id_ordinal', ['transactionId', 'ordinal'])
export class RiskFeedBatch {
  @Key('signal_id') signalId!: string;
  @Text(64, { name: 'transaction_id' }) transactionId!: string;
  /** Of its transaction's. */
  @Integer() ordinal!: number;
  @Integer() signals!: number;
}
export const riskFeedBatches = table(RiskFeedBatch);

/** The same of a gateway from before there were batches, each signal by itself: it may still run beside us, and may have left some. */
@Entity('risk_feed_pending')
@Index('ix_risk_feed_pending_transaction_id_ordinal', ['transactionId', 'ordinal'])
export class RiskFeedPending {
  @Key('signal_id') signalId!: string;
  @Text(64, { name: 'transaction_id' }) transactionId!: string;
  @Integer() ordinal!: number;
}
export const riskFeedPending = table(RiskFeedPending);

/** The signals in one order, without a gap: 1, 2, 3 … */
@Entity('risk_feed')
@Index('uq_risk_feed_signal_id', ['signalId'], { unique: true })
export class RiskFeed {
  @IntegerKey('position') position!: number;
  @Text(64, { name: 'signal_id' }) signalId!: string;
}
export const riskFeed = table(RiskFeed);

/** How far somebody has read the feed: everything up to `position` has had its effects. */
@Entity('risk_consumer')
export class RiskConsumer {
  @Key() name!: string;
  @Integer() position!: number;
}
export const riskConsumers = table(RiskConsumer);
