import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded, open } from '../../graphql/guarded';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { type AssistancePurpose, assistanceEndReasons, assistancePurposes } from './assistance.entity';
import type { AssistanceRow } from './assistance.rows';
import type { BeginInput, Reason } from './assistance.service';

export const AssistancePurposeEnum = enumOf(assistancePurposes);
export const AssistanceEndReasonEnum = enumOf(assistanceEndReasons);
registerEnumType(AssistancePurposeEnum, { name: 'AssistancePurpose' });
registerEnumType(AssistanceEndReasonEnum, { name: 'AssistanceEndReason' });

export enum AssistanceState {
  WAITING = 'WAITING',
  LIVE = 'LIVE',
  ENDED = 'ENDED',
}
registerEnumType(AssistanceState, { name: 'AssistanceState', description: 'WAITING for an approval, LIVE, or ENDED.' });

@ObjectType('Assistance', {
  simpleResolvers: true,
  description: 'A grant: one actor, one ticket, one customer, a purpose and an end.',
})
export class AssistanceType implements Shown {
  /** Whom the reason is about, once it was read. */
  private about: ShownObject['customer'] = null;

  constructor(
    private readonly row: AssistanceRow,
    private readonly at: Date,
    private readonly readReason: () => Promise<Reason | null>,
  ) {}

  get shown(): ShownObject {
    return { type: 'Assistance', id: this.row.id, ticketId: this.row.ticketId, customer: this.about, underAssistance: false };
  }

  get linkAssurance(): LinkAssurance {
    return 'NONE';
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => ID)
  get ticketId(): string {
    return this.row.ticketId;
  }

  @Exposed('INTERNAL', () => AssistancePurposeEnum)
  get purpose(): AssistancePurpose {
    return this.row.purpose;
  }

  @Exposed('INTERNAL', () => AssistanceState)
  get state(): AssistanceState {
    if (this.row.endedAt !== null || this.row.expiresAt <= this.at) return AssistanceState.ENDED;
    return this.row.beginsAt === null ? AssistanceState.WAITING : AssistanceState.LIVE;
  }

  @Exposed('INTERNAL', () => Boolean, { description: 'It began because the ticket was opened, without being asked for.' })
  get automatic(): boolean {
    return this.row.origin === 'AUTOMATIC';
  }

  @Exposed('INTERNAL', () => Boolean)
  get needsApproval(): boolean {
    return this.row.needsApproval;
  }

  @Exposed('PERSONAL', () => String, { description: 'Why it was asked for, in the asker’s words.' })
  @Guarded(open)
  async reason(): Promise<string | null> {
    const reason = this.row.origin === 'REQUESTED' ? await this.readReason() : null;
    this.about = reason?.customer ?? null;
    return reason?.text ?? null;
  }

  @Exposed('INTERNAL', () => DateTime)
  get requestedAt(): Date {
    return this.row.requestedAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get beginsAt(): Date | null {
    return this.row.beginsAt;
  }

  @Exposed('INTERNAL', () => DateTime)
  get expiresAt(): Date {
    return this.row.expiresAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get endedAt(): Date | null {
    return this.row.endedAt;
  }

  @Exposed('INTERNAL', () => AssistanceEndReasonEnum, { nullable: true })
  get endReason(): string | null {
    return this.row.endReason;
  }
}

@InputType('BeginAssistanceInput')
export class BeginAssistanceInput implements BeginInput {
  @Field(() => ID)
  ticketId!: string;

  @Field(() => AssistancePurposeEnum)
  purpose!: AssistancePurpose;

  @Field(() => String, { description: '10 to 1,000 characters. No card data. Stored sealed.' })
  reason!: string;
}
