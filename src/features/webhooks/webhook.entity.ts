import { StoredJob } from '../../background/job-table';
import { DocumentText, Instant, Integer, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

export const webhookTypes = [
  'alert.raised',
  'alert.updated',
  'alert.ended',
  'brake.placed',
  'brake.proposed',
  'brake.renewed',
  'brake.released',
  'hold.proposed',
  'hold.placed',
  'hold.extended',
  'hold.releasing',
  'hold.ended',
  'demand.opened',
  'demand.ended',
  'recognition.answered',
] as const;
export type WebhookType = (typeof webhookTypes)[number];

export const webhookStates = ['PENDING', 'DONE', 'DEAD'] as const;
export type WebhookState = (typeof webhookStates)[number];

/** One message to one endpoint: a job of the outbox, and its id (`whd_…`) the message's `webhook-id` however often it is sent. Its body has ids, states and times, and nothing policed. */
@Entity('webhook_delivery')
@Index('uq_webhook_delivery_subject_place', ['subject', 'place'], { unique: true })
@Index('ix_webhook_delivery_state_subject_place', ['state', 'subject', 'place'])
@Index('ix_webhook_delivery_state_next_at', ['state', 'nextAt'])
@Index('ix_webhook_delivery_endpoint_created_at', ['endpoint', 'createdAt'])
@Index('ix_webhook_delivery_created_at', ['createdAt'])
export class WebhookDelivery extends StoredJob {
  @Text(16) kind!: 'POST';
  /** As the configuration names it. */
  @Text(32) endpoint!: string;
  /** `endpoint|id of what it is about`: messages of one are sent one after the other. */
  @Text(160) subject!: string;
  /** The place in the log of the event that it tells of. */
  @Integer() place!: number;
  @Text(64) type!: WebhookType;
  /** CloudEvents 1.0, JSON. */
  @DocumentText() body!: string;
  @Instant({ name: 'created_at' }) createdAt!: Date;
}
export const webhookDeliveries = table(WebhookDelivery);

/** One try to send a message. Never changed. */
@Entity('webhook_attempt')
@Index('ix_webhook_attempt_delivery_id_at', ['deliveryId', 'at'])
export class WebhookAttempt {
  @Key() id!: string;
  @Text(64, { name: 'delivery_id' }) deliveryId!: string;
  @Instant() at!: Date;
  /** HTTP status; null where none came. */
  @Integer({ nullable: true }) status!: number | null;
  /** A word; null where the message was taken. */
  @Text(32, { nullable: true }) fault!: string | null;
  @Integer() milliseconds!: number;
}
export const webhookAttempts = table(WebhookAttempt);

/** How far an endpoint was told of the log. */
@Entity('webhook_endpoint')
export class WebhookEndpoint {
  @Key() name!: string;
  /** SHA-256 of its address, hexadecimal: another address is another receiver, which a refusal of the one before doesn't bind. */
  @Text(64, { name: 'url_digest' }) urlDigest!: string;
  /** Places of the log before this one were looked at. */
  @Integer() position!: number;
  /** It said that it is gone (HTTP 410); null while it is told. */
  @Instant({ name: 'disabled_at', nullable: true }) disabledAt!: Date | null;
}
export const webhookEndpoints = table(WebhookEndpoint);
