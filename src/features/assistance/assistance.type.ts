import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { type Reached, reachedBy } from '../../db/reached';
import type { DenialReason } from '../../failure';
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
  REJECTED = 'REJECTED',
}
registerEnumType(AssistanceState, {
  name: 'AssistanceState',
  description: 'WAITING for an approval, LIVE, ENDED, or REJECTED: a supervisor refused it, and `rejectionReason` says why.',
});

@ObjectType('Assistance', {
  simpleResolvers: true,
  description: 'A grant: one actor, one ticket, one customer, a purpose and an end.',
})
export class AssistanceType implements Shown {
  /** Whom it is about, once something of theirs was read. */
  private about: ShownObject['customer'] = null;
  private read: Promise<Reason | null> | undefined;

  constructor(
    private readonly row: AssistanceRow,
    private readonly at: Date,
    private readonly readReason: () => Promise<Reason | null>,
    private readonly denialOf: (row: AssistanceRow) => DenialReason | null,
  ) {}

  /** Why the reader may not decide about it; null where they may. */
  get decisionDenial(): DenialReason | null {
    return this.denialOf(this.row);
  }

  get requestedByStaffId(): Reached | null {
    return reachedBy(this.row, 'requestedByStaffId');
  }

  get customerId(): Reached {
    return reachedBy(this.row, 'customerId');
  }

  /** Something of this customer is shown. */
  tellsOf(customer: ShownObject['customer']): void {
    this.about = customer;
  }

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
    if (this.row.endReason === 'REJECTED') return AssistanceState.REJECTED;
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
    return (await this.reasons())?.text ?? null;
  }

  @Exposed('PERSONAL', () => String, { description: 'Why a supervisor refused it, in their words; null where nobody did.' })
  @Guarded(open)
  async rejectionReason(): Promise<string | null> {
    return this.row.endReason === 'REJECTED' ? ((await this.reasons())?.rejection ?? null) : null;
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

  private async reasons(): Promise<Reason | null> {
    if (this.row.origin !== 'REQUESTED') return null;
    this.read ??= this.readReason();
    const reasons = await this.read;
    this.about = reasons?.customer ?? null;
    return reasons;
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
