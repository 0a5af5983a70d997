import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { credentialUpdateKinds } from '../../authz/update-policy';
import { connectionOf } from '../../graphql/connection';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded } from '../../graphql/guarded';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { KeyedRow, Keys } from '../keys/keys.service';
import { Address } from '../payments/payment.type';
import { credentialUpdateStates } from './credential-update.states';
import { mayReadDetails } from './credentials.policy';
import { type MethodSummary, methodSummarySchema } from './method-summary';

export const CredentialUpdateKindEnum = enumOf(credentialUpdateKinds);
export const CredentialUpdateStateEnum = enumOf(credentialUpdateStates);
registerEnumType(CredentialUpdateKindEnum, {
  name: 'CredentialUpdateKind',
  valuesConfig: {
    REPLACE_CARD: { description: 'The customer enters a new card at the payment provider; the old one goes.' },
    BILLING_ADDRESS: { description: 'The customer types a new billing address.' },
    SET_DEFAULT: { description: 'Payments are taken from this method from now on.' },
    REMOVE: { description: 'The method can’t be used any more. Refused while a subscription is paid with it.' },
  },
});
registerEnumType(CredentialUpdateStateEnum, {
  name: 'CredentialUpdateState',
  valuesConfig: {
    REQUESTED: { description: 'The link is on its way to the customer.' },
    AWAITING_CUSTOMER: { description: 'The customer has the link and has not answered.' },
    AWAITING_PROVIDER: { description: 'Confirmed; the new card is being entered at the provider.' },
    AWAITING_APPROVAL: { description: 'Confirmed; a supervisor has to approve.' },
    APPLYING: { description: 'Being done at the provider.' },
    UNKNOWN: { description: 'An answer of the provider was lost; it is being asked what holds.' },
    APPLIED: { description: 'Done.' },
    FAILED: { description: 'Not done; `failure` says why.' },
    REFUSED: { description: 'The customer said no.' },
    REJECTED: { description: 'The supervisor said no.' },
    CANCELLED: { description: 'Called off before it was done.' },
    EXPIRED: { description: 'Nobody answered in time.' },
  },
});

export enum ActorKind {
  STAFF = 'STAFF',
  CUSTOMER = 'CUSTOMER',
  SYSTEM = 'SYSTEM',
}
registerEnumType(ActorKind, { name: 'ActorKind' });

export enum ConfirmationOutcome {
  CONFIRMED = 'CONFIRMED',
  REFUSED = 'REFUSED',
}
registerEnumType(ConfirmationOutcome, { name: 'ConfirmationOutcome' });

export enum ApprovalDecision {
  APPROVED = 'APPROVED',
  REJECTED = 'REJECTED',
}
registerEnumType(ApprovalDecision, { name: 'ApprovalDecision' });

/** An update as it is shown, with its customer's key and link as they are now. */
export interface CredentialUpdateRow extends KeyedRow, Record<string, unknown> {
  readonly id: string;
  readonly kind: (typeof credentialUpdateKinds)[number];
  readonly state: (typeof credentialUpdateStates)[number];
  readonly ticket_id: string;
  readonly customer_id: string;
  readonly payment_method_id: string;
  readonly requested_by_id: string;
  readonly requested_by_staff_id: string | null;
  readonly reason_sealed: Buffer;
  readonly before_sealed: Buffer;
  readonly after_sealed: Buffer | null;
  readonly contact_staff_ids: string;
  readonly risk_rules: string;
  readonly needs_code: number;
  readonly needs_approval: number;
  readonly decided_by_staff_id: string | null;
  readonly decided_at: number | null;
  readonly decision: ApprovalDecision | null;
  readonly failure: string | null;
  readonly authenticated: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly ended_at: number | null;
  readonly team: string | null;
  readonly current_link: LinkAssurance | null;
  readonly confirmation_outcome: ConfirmationOutcome | null;
  readonly confirmation_channel: string | null;
  readonly confirmation_proofs: string | null;
  readonly confirmation_shown: string | null;
  readonly confirmed_at: number | null;
}

export interface TransitionRow extends Record<string, unknown> {
  readonly update_id: string;
  readonly from_state: (typeof credentialUpdateStates)[number] | null;
  readonly to_state: (typeof credentialUpdateStates)[number];
  readonly actor_kind: string;
  readonly staff_id: string | null;
  readonly reason: string | null;
  readonly at: number;
}

/** A part of an update that is shown, and recorded, as part of it. */
abstract class OfUpdate implements Shown {
  constructor(protected readonly update: Shown) {}

  get shown(): ShownObject {
    return this.update.shown;
  }

  get linkAssurance(): LinkAssurance {
    return this.update.linkAssurance;
  }
}

@ObjectType('CredentialSummary', {
  simpleResolvers: true,
  description: 'A payment method as it was, or as it becomes.',
})
export class CredentialSummary extends OfUpdate {
  constructor(
    update: Shown,
    private readonly summary: MethodSummary,
  ) {
    super(update);
  }

  @Exposed('PAYMENT', () => String)
  get brand(): string | null {
    return this.summary.brand;
  }

  @Exposed('PAYMENT', () => String)
  get last4(): string | null {
    return this.summary.last4;
  }

  @Exposed('PAYMENT', () => Int)
  get expiryMonth(): number | null {
    return this.summary.expiryMonth;
  }

  @Exposed('PAYMENT', () => Int)
  get expiryYear(): number | null {
    return this.summary.expiryYear;
  }

  @Exposed('PAYMENT', () => String, { description: 'ISO 3166-1 alpha-2 country of the card’s issuer, where the provider tells.' })
  get country(): string | null {
    return this.summary.country;
  }

  @Exposed('PAYMENT', () => Boolean)
  get isDefault(): boolean {
    return this.summary.isDefault;
  }

  @Exposed('PAYMENT', () => Address)
  get billingAddress(): Address | null {
    const { billingAddress } = this.summary;
    return billingAddress === null ? null : new Address(this.update, billingAddress);
  }
}

@ObjectType('Confirmation', { simpleResolvers: true, description: 'The customer’s own act.' })
export class ConfirmationType extends OfUpdate {
  constructor(
    update: Shown,
    private readonly row: CredentialUpdateRow,
  ) {
    super(update);
  }

  @Exposed('INTERNAL', () => ConfirmationOutcome)
  get outcome(): ConfirmationOutcome {
    return this.row.confirmation_outcome as ConfirmationOutcome;
  }

  @Exposed('INTERNAL', () => String, { description: 'How the link came to the customer.' })
  get channel(): string {
    return this.row.confirmation_channel as string;
  }

  @Exposed('INTERNAL', () => [String], { description: 'The verification methods that were passed: link, code, three-d-secure.' })
  get proofs(): readonly string[] {
    const given = JSON.parse(this.row.confirmation_proofs as string) as string[];
    return this.row.authenticated === 1 ? [...given, 'three-d-secure'] : given;
  }

  @Exposed('INTERNAL', () => String, {
    description: 'Salt and keyed digest of what was shown and entered: it proves the text, and tells nothing of it.',
  })
  get shownDigest(): string {
    return this.row.confirmation_shown as string;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return new Date(this.row.confirmed_at as number);
  }
}

@ObjectType('Approval', { simpleResolvers: true, description: 'A supervisor’s decision.' })
export class ApprovalType {
  constructor(private readonly row: CredentialUpdateRow) {}

  get staffId(): string | null {
    return this.row.decided_by_staff_id;
  }

  @Exposed('INTERNAL', () => ApprovalDecision)
  get decision(): ApprovalDecision {
    return this.row.decision as ApprovalDecision;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return new Date(this.row.decided_at as number);
  }
}

@ObjectType('CredentialUpdateTransition', { simpleResolvers: true, description: 'A step in the life of an update.' })
export class TransitionType {
  constructor(private readonly row: TransitionRow) {}

  get staffId(): string | null {
    return this.row.staff_id;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return new Date(this.row.at);
  }

  @Exposed('INTERNAL', () => CredentialUpdateStateEnum, { nullable: true, description: 'Null for its beginning.' })
  get from(): string | null {
    return this.row.from_state;
  }

  @Exposed('INTERNAL', () => CredentialUpdateStateEnum)
  get to(): string {
    return this.row.to_state;
  }

  @Exposed('INTERNAL', () => ActorKind)
  get actor(): ActorKind {
    return this.row.actor_kind === 'customer'
      ? ActorKind.CUSTOMER
      : this.row.actor_kind === 'system'
        ? ActorKind.SYSTEM
        : ActorKind.STAFF;
  }

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description: 'A word, such as METHOD_GONE; what people wrote isn’t here.',
  })
  get reason(): string | null {
    return this.row.reason;
  }
}

@ObjectType('CredentialUpdate', {
  simpleResolvers: true,
  description: 'A requested change to a payment method, which its customer confirms.',
})
export class CredentialUpdateType implements Shown {
  constructor(
    readonly row: CredentialUpdateRow,
    private readonly keys: Keys,
    /** It waits for a decision that the reader may take: they see what they decide on, without an assistance. */
    readonly isForDecision: boolean,
  ) {}

  get shown(): ShownObject {
    return {
      type: 'CredentialUpdate',
      id: this.row.id,
      ticketId: this.row.ticket_id,
      customer: this.keys.underDigest(this.row.customer_id, this.row),
      underAssistance: !this.isForDecision,
    };
  }

  get linkAssurance(): LinkAssurance {
    return this.row.current_link ?? 'NONE';
  }

  get ticketId(): string {
    return this.row.ticket_id;
  }

  get customerId(): string {
    return this.row.customer_id;
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => CredentialUpdateKindEnum)
  get kind(): string {
    return this.row.kind;
  }

  @Exposed('INTERNAL', () => CredentialUpdateStateEnum)
  get state(): string {
    return this.row.state;
  }

  @Exposed('PERSONAL', () => String, { description: 'Why it was asked for, in the asker’s words; the customer reads the same.' })
  @Guarded(mayReadDetails)
  get reason(): string | null {
    return this.open('reason_sealed', this.row.reason_sealed);
  }

  @Exposed('PAYMENT', () => CredentialSummary, { description: 'The method as the customer decided on it.' })
  @Guarded(mayReadDetails)
  get before(): CredentialSummary | null {
    return this.summary('before_sealed', this.row.before_sealed);
  }

  @Exposed('PAYMENT', () => CredentialSummary, {
    description: 'What it becomes, once that is known; null for one that is removed.',
  })
  @Guarded(mayReadDetails)
  get after(): CredentialSummary | null {
    return this.summary('after_sealed', this.row.after_sealed);
  }

  @Exposed('INTERNAL', () => ConfirmationType, { nullable: true })
  get confirmation(): ConfirmationType | null {
    return this.row.confirmation_outcome === null ? null : new ConfirmationType(this, this.row);
  }

  @Exposed('INTERNAL', () => ApprovalType, { nullable: true })
  get approval(): ApprovalType | null {
    return this.row.decision === null ? null : new ApprovalType(this.row);
  }

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'Why it failed: a word, such as CARD_DECLINED.' })
  get failure(): string | null {
    return this.row.state === 'FAILED' ? this.row.failure : null;
  }

  @Exposed('INTERNAL', () => [String], {
    description: 'Names of the policy’s rules that make it high-risk; none where it isn’t.',
  })
  get riskRules(): readonly string[] {
    return JSON.parse(this.row.risk_rules) as string[];
  }

  @Exposed('INTERNAL', () => Boolean, { description: 'The customer also needs a code that comes by another way than the link.' })
  get needsCode(): boolean {
    return this.row.needs_code === 1;
  }

  @Exposed('INTERNAL', () => Boolean)
  get needsApproval(): boolean {
    return this.row.needs_approval === 1;
  }

  @Exposed('INTERNAL', () => DateTime)
  get createdAt(): Date {
    return new Date(this.row.created_at);
  }

  @Exposed('INTERNAL', () => DateTime, {
    nullable: true,
    description: 'When the state that it is in ends by itself; null once it is being applied or has ended.',
  })
  get expiresAt(): Date | null {
    const waits = ['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'AWAITING_APPROVAL'].includes(this.row.state);
    return waits ? new Date(this.row.expires_at) : null;
  }

  private open(column: string, sealed: Buffer | null): string | null {
    return this.keys.openColumn(this.row, { table: 'credential_update', column, row: this.row.id }, sealed);
  }

  private summary(column: string, sealed: Buffer | null): CredentialSummary | null {
    const text = this.open(column, sealed);
    return text === null ? null : new CredentialSummary(this, methodSummarySchema.parse(JSON.parse(text)));
  }
}

export const CredentialUpdateConnection = connectionOf('CredentialUpdate', () => CredentialUpdateType);

@InputType('RequestCredentialUpdateInput')
export class RequestCredentialUpdateInput {
  @Field(() => ID)
  ticketId!: string;

  @Field(() => ID)
  paymentMethodId!: string;

  @Field(() => CredentialUpdateKindEnum)
  kind!: (typeof credentialUpdateKinds)[number];

  @Field(() => String, { description: '10 to 1,000 characters; the customer reads them. No card data.' })
  reason!: string;

  @Field(() => String, {
    description: '8 to 128 printable ASCII characters of the caller’s making: the same key and input return the same update.',
  })
  idempotencyKey!: string;
}

@InputType('CredentialUpdateFilter')
export class CredentialUpdateFilterInput {
  @Field(() => [CredentialUpdateStateEnum], { nullable: true })
  @FiltersBy('CredentialUpdate.state')
  state?: string[] | null;

  @Field(() => [CredentialUpdateKindEnum], { nullable: true })
  @FiltersBy('CredentialUpdate.kind')
  kind?: string[] | null;

  @Field(() => ID, { nullable: true })
  @FiltersBy('CredentialUpdate.ticket')
  ticketId?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'True: only those that the asker requested.' })
  @FiltersBy('CredentialUpdate.requestedBy')
  requestedByMe?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'True: only those of others that wait for a supervisor.' })
  @FiltersBy('CredentialUpdate.state')
  awaitingMyDecision?: boolean | null;
}
export type CredentialUpdateFilter = CredentialUpdateFilterInput;
