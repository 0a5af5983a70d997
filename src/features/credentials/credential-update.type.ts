import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { credentialUpdateKinds } from '../../authz/policy/update-policy';
import { type Reached, reachedBy } from '../../db/reached';
import { connectionOf } from '../../graphql/connection';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { ForDecision } from '../for-decision';
import type { Keys } from '../keys/keys.service';
import { Address } from '../payments/address.type';
import { credentialUpdates } from './credential-update.entity';
import { credentialUpdateStates } from './credential-update.states';
import { mayReadDecision, mayReadDetails, mayReadPart, type ShownUpdate } from './credentials.policy';
import type { CredentialUpdateRow, TransitionRow } from './credentials.rows';
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

/** An update as its parts are shown under it. */
type UpdateShown = Shown & ShownUpdate;

/** A part of an update that is shown, and recorded, as part of it. */
abstract class OfUpdate implements Shown {
  constructor(readonly update: UpdateShown) {}

  get shown(): ShownObject {
    return this.update.shown;
  }

  get linkAssurance(): LinkAssurance {
    return this.update.linkAssurance;
  }
}

/** What an update is judged by: its risk, and why it came to nothing. The payment side's contact counts too, and is no field of the graph. */
const judged = ['Customer.link', 'PaymentMethod.isDefault', 'PaymentMethod.status', 'Transaction.dispute'];

@ObjectType('CredentialSummary', {
  simpleResolvers: true,
  description: 'A payment method as it was, or as it becomes.',
})
export class CredentialSummary extends OfUpdate {
  constructor(
    update: UpdateShown,
    private readonly summary: MethodSummary,
  ) {
    super(update);
  }

  @Exposed('PAYMENT', () => String)
  get brand(): string | null {
    return this.summary.brand;
  }

  @Exposed('PAYMENT', () => String, { holds: 'VALUE' })
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

/** What a customer did, as it is kept. */
interface CustomerAct {
  readonly outcome: ConfirmationOutcome;
  readonly channel: string;
  readonly proofs: readonly string[];
  readonly shownDigest: string;
  /** The step-up at checkout that counts as one of the proofs; null where none does. */
  readonly demandId: string | null;
  readonly at: Date;
}

@ObjectType('Confirmation', { simpleResolvers: true, description: 'The customer’s own act.' })
export class ConfirmationType extends OfUpdate {
  constructor(
    of: UpdateShown,
    private readonly act: CustomerAct,
  ) {
    super(of);
  }

  @Exposed('INTERNAL', () => ConfirmationOutcome)
  get outcome(): ConfirmationOutcome {
    return this.act.outcome;
  }

  @Exposed('INTERNAL', () => String, { description: 'How the link came to the customer.' })
  get channel(): string {
    return this.act.channel;
  }

  @Listed({ most: 10, parts: true })
  @Exposed('PAYMENT', () => [String], {
    description: 'The verification methods that were passed: link, code, three-d-secure.',
    from: ['CredentialUpdate.needsCode'],
  })
  @Guarded(mayReadPart)
  get proofs(): readonly string[] {
    return this.act.proofs;
  }

  @Exposed('PAYMENT', () => ID, {
    description: 'The step-up that the customer met at checkout shortly before, where it counts as three-d-secure.',
    from: ['CredentialUpdate.needsCode'],
  })
  @Guarded(mayReadPart)
  get demandId(): string | null {
    return this.act.demandId;
  }

  @Exposed('INTERNAL', () => String, {
    description: 'Salt and keyed digest of what was shown and entered: it proves the text, and tells nothing of it.',
  })
  get shownDigest(): string {
    return this.act.shownDigest;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return this.act.at;
  }
}

@ObjectType('Approval', { simpleResolvers: true, description: 'A supervisor’s decision.' })
export class ApprovalType implements Shown {
  constructor(
    readonly update: UpdateShown & { readonly isAskers: boolean },
    private readonly row: CredentialUpdateRow,
    private readonly readReason: () => string | null,
  ) {}

  /** Whoever asked for the update is told what became of it, whether they still assist or not. */
  get shown(): ShownObject {
    const { isAskers, shown } = this.update;
    return { ...shown, underAssistance: shown.underAssistance && !isAskers };
  }

  get linkAssurance(): LinkAssurance {
    return this.update.linkAssurance;
  }

  get staffId(): Reached | null {
    return reachedBy(this.row, 'decidedByStaffId');
  }

  @Exposed('INTERNAL', () => ApprovalDecision)
  get decision(): ApprovalDecision {
    return this.row.decision as ApprovalDecision;
  }

  @Exposed('PERSONAL', () => String, {
    description: 'Why it was rejected, in the supervisor’s words; null for an approval. Whoever asked for the update reads it.',
  })
  @Guarded(mayReadDecision)
  get reason(): string | null {
    return this.readReason();
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return this.row.decidedAt as Date;
  }
}

@ObjectType('CredentialUpdateTransition', { simpleResolvers: true, description: 'A step in the life of an update.' })
export class TransitionType extends OfUpdate {
  constructor(
    update: UpdateShown,
    private readonly row: TransitionRow,
  ) {
    super(update);
  }

  get staffId(): Reached | null {
    return reachedBy(this.row, 'staffId');
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return this.row.at;
  }

  @Exposed('INTERNAL', () => CredentialUpdateStateEnum, { nullable: true, description: 'Null for its beginning.' })
  get from(): string | null {
    return this.row.fromState;
  }

  @Exposed('INTERNAL', () => CredentialUpdateStateEnum)
  get to(): string {
    return this.row.toState;
  }

  @Exposed('INTERNAL', () => ActorKind)
  get actor(): ActorKind {
    return this.row.actorKind === 'customer'
      ? ActorKind.CUSTOMER
      : this.row.actorKind === 'system'
        ? ActorKind.SYSTEM
        : ActorKind.STAFF;
  }

  @Exposed('PAYMENT', () => String, {
    description: 'A word, such as METHOD_GONE; what people wrote isn’t here.',
    from: ['CredentialUpdate.failure', ...judged],
  })
  @Guarded(mayReadPart)
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
    private readonly forDecision: ForDecision,
    /** The reader asked for it, under whichever of their subjects. */
    readonly isAskers: boolean,
  ) {}

  /** It waits for a decision that the reader may take: they see what they decide on, without an assistance. */
  get isForDecision(): boolean {
    return this.forDecision.isNow;
  }

  get isForDecisionOnceSignedIn(): boolean {
    return this.forDecision.isOnceSignedIn;
  }

  get shown(): ShownObject {
    return {
      type: 'CredentialUpdate',
      id: this.row.id,
      ticketId: this.row.ticketId,
      customer: this.keys.underDigest(this.row.customerId, this.row),
      underAssistance: !this.isForDecision,
    };
  }

  get linkAssurance(): LinkAssurance {
    return this.row.currentLink;
  }

  get ticketId(): string | null {
    return this.row.ticketId;
  }

  get customerId(): Reached {
    return reachedBy(this.row, 'customerId');
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

  @Exposed('PERSONAL', () => String, {
    description: 'Why it was asked for, in the asker’s words, which the customer reads too; or why a rule did.',
  })
  @Guarded(mayReadDetails)
  get reason(): string | null {
    return this.keys.open(credentialUpdates, this.row, 'reason');
  }

  @Exposed('PAYMENT', () => CredentialSummary, { description: 'The method as the customer decided on it.' })
  @Guarded(mayReadDetails)
  get before(): CredentialSummary | null {
    return this.summary('before');
  }

  @Exposed('PAYMENT', () => CredentialSummary, {
    description: 'What it becomes, once that is known; null for one that is removed.',
  })
  @Guarded(mayReadDetails)
  get after(): CredentialSummary | null {
    return this.summary('after');
  }

  @Exposed('INTERNAL', () => ConfirmationType, { nullable: true })
  get confirmation(): ConfirmationType | null {
    const { confirmationOutcome, confirmationChannel, confirmationProofs, confirmationShown, confirmedAt, authenticated } =
      this.row;
    if (confirmationOutcome === null) return null;
    const given = confirmationProofs ?? [];
    return new ConfirmationType(this, {
      outcome: confirmationOutcome as ConfirmationOutcome,
      channel: confirmationChannel as string,
      proofs: authenticated ? [...new Set([...given, 'three-d-secure'])] : given,
      shownDigest: confirmationShown as string,
      demandId: this.row.confirmationDemandId,
      at: confirmedAt as Date,
    });
  }

  @Exposed('INTERNAL', () => ApprovalType, { nullable: true })
  get approval(): ApprovalType | null {
    if (this.row.decision === null) return null;
    return new ApprovalType(this, this.row, () => this.keys.open(credentialUpdates, this.row, 'decisionReason'));
  }

  @Exposed('PAYMENT', () => String, { description: 'Why it failed: a word, such as CARD_DECLINED.', from: judged })
  @Guarded(mayReadDetails)
  get failure(): string | null {
    return this.row.state === 'FAILED' ? this.row.failure : null;
  }

  @Listed({ most: 20, parts: true })
  @Exposed('PAYMENT', () => [String], {
    description: 'Names of the policy’s rules that make it high-risk; none where it isn’t.',
    from: judged,
  })
  @Guarded(mayReadDetails)
  get riskRules(): readonly string[] {
    return this.row.riskRules;
  }

  @Exposed('PAYMENT', () => Boolean, {
    description: 'The customer also needs a code that comes by another way than the link.',
    from: ['CredentialUpdate.riskRules'],
  })
  @Guarded(mayReadDetails)
  get needsCode(): boolean {
    return this.row.needsCode;
  }

  @Exposed('PAYMENT', () => Boolean, {
    description: 'A supervisor has to approve it once the customer has confirmed.',
    from: ['CredentialUpdate.riskRules'],
  })
  @Guarded(mayReadDetails)
  get needsApproval(): boolean {
    return this.row.needsApproval;
  }

  @Exposed('INTERNAL', () => DateTime)
  get createdAt(): Date {
    return this.row.createdAt;
  }

  @Exposed('INTERNAL', () => DateTime, {
    nullable: true,
    description: 'When the state that it is in ends by itself; null once it is being applied or has ended.',
  })
  get expiresAt(): Date | null {
    const waits = ['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'AWAITING_APPROVAL'].includes(this.row.state);
    return waits ? this.row.expiresAt : null;
  }

  private summary(field: 'before' | 'after'): CredentialSummary | null {
    const text = this.keys.open(credentialUpdates, this.row, field);
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
