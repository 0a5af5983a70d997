import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionOf } from '../../graphql/connection';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';
import { type WebhookState, webhookStates } from './webhook.entity';
import type { AttemptRow, DeliveryRow } from './webhooks.rows';

/** As many as are read of a message. */
const mostShown = 20;

const WebhookStateEnum = enumOf(webhookStates);
registerEnumType(WebhookStateEnum, {
  name: 'WebhookDeliveryState',
  description: 'PENDING, it will be tried (again); DONE, the receiver took it; DEAD, given up.',
});

@ObjectType('WebhookAttempt', { simpleResolvers: true, description: 'One try to send a message.' })
export class WebhookAttemptType {
  constructor(private readonly row: AttemptRow) {}

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return this.row.at;
  }

  @Exposed('INTERNAL', () => Int, { nullable: true, description: 'HTTP status; null where none came.' })
  get status(): number | null {
    return this.row.status;
  }

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description:
      'Null where it was taken: gone, redirect, status, private-address, timeout, unreachable, certificate, connection.',
  })
  get fault(): string | null {
    return this.row.fault;
  }

  @Exposed('INTERNAL', () => Int)
  get milliseconds(): number {
    return this.row.milliseconds;
  }
}

@ObjectType('WebhookDelivery', { simpleResolvers: true, description: 'One message to one endpoint, and how it fared.' })
export class WebhookDeliveryType {
  constructor(
    private readonly row: DeliveryRow,
    private readonly tries: readonly AttemptRow[],
  ) {}

  @Exposed('INTERNAL', () => ID, { description: 'The message’s webhook-id, however often it is sent.' })
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => String)
  get endpoint(): string {
    return this.row.endpoint;
  }

  @Exposed('INTERNAL', () => String)
  get type(): string {
    return this.row.type;
  }

  @Exposed('INTERNAL', () => ID, { description: 'Our id of what it is about.' })
  get subjectId(): string {
    return this.row.subject.slice(this.row.endpoint.length + 1);
  }

  @Exposed('INTERNAL', () => WebhookStateEnum)
  get state(): WebhookState {
    return this.row.state;
  }

  @Exposed('INTERNAL', () => DateTime)
  get createdAt(): Date {
    return this.row.createdAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true, description: 'When it is tried again; null where it isn’t.' })
  get nextAttemptAt(): Date | null {
    return this.row.state === 'PENDING' ? this.row.nextAt : null;
  }

  @Listed({ most: mostShown, parts: true })
  @Exposed('INTERNAL', () => [WebhookAttemptType], { description: 'The newest first.' })
  get attempts(): readonly WebhookAttemptType[] {
    return this.tries.slice(0, mostShown).map((row) => new WebhookAttemptType(row));
  }
}

export const WebhookDeliveryConnection = connectionOf('WebhookDelivery', () => WebhookDeliveryType);

@InputType('WebhookDeliveryFilter')
export class WebhookDeliveryFilter {
  @FiltersBy('WebhookDelivery.endpoint')
  @Field(() => String, { nullable: true })
  endpoint?: string | null;

  @FiltersBy('WebhookDelivery.type')
  @Field(() => String, { nullable: true, description: 'Such as alert.raised.' })
  type?: string | null;

  @FiltersBy('WebhookDelivery.state')
  @Field(() => WebhookStateEnum, { nullable: true })
  state?: WebhookState | null;
}

@InputType('ReplayWebhooksInput')
export class ReplayWebhooksInput {
  @Field(() => String, { description: 'As the configuration names it.' })
  endpoint!: string;

  @Field(() => DateTime, { description: 'Messages that were made at this instant or later; the first 1,000 of them.' })
  from!: Date;

  @Field(() => DateTime, { nullable: true })
  before?: Date | null;
}
