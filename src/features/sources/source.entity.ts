import { Instant, Integer, Key, SourcePosition, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** How far a source has been read. */
@Entity('upstream_source')
export class SourceState {
  @Key() name!: string;
  @Text(16) kind!: string;
  /** What must not change under stored data: the demo's seed, size and anchor. */
  @Text(255, { nullable: true }) settings!: string | null;
  /** How far changes have been read. */
  @SourcePosition({ nullable: true }) position!: string | null;
  /** How far an unfinished backfill has read. */
  @SourcePosition({ name: 'backfill_position', nullable: true }) backfillPosition!: string | null;
  @Instant({ name: 'backfilled_at', nullable: true }) backfilledAt!: Date | null;
  /** Everything that the source had at this instant has been seen. Advances only with a complete poll. */
  @Instant({ name: 'polled_at', nullable: true }) polledAt!: Date | null;
  @Text(64, { nullable: true }) fault!: string | null;
  @Instant({ name: 'fault_at', nullable: true }) faultAt!: Date | null;
}
export const sourceStates = table(SourceState);

/** That a proven webhook came; never its content. */
@Entity('upstream_webhook')
@Index('uq_upstream_webhook_source_event_id', ['source', 'eventId'], { unique: true })
@Index('ix_upstream_webhook_source_state', ['source', 'state'])
export class WebhookReceipt {
  @Key() id!: string;
  @Text(64) source!: string;
  @Text(255, { name: 'event_id' }) eventId!: string;
  @Text(128) type!: string;
  @Text(16) state!: 'APPLIED' | 'PENDING' | 'UNKNOWN';
  @Integer() size!: number;
  /** SHA-256 of the body, hex. */
  @Text(64) digest!: string;
  @Instant({ name: 'happened_at' }) happenedAt!: Date;
  @Instant({ name: 'received_at' }) receivedAt!: Date;
}
export const webhookReceipts = table(WebhookReceipt);
