import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { type Reached, reachedBy } from '../../db/reached';
import { connectionOf } from '../../graphql/connection';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded } from '../../graphql/guarded';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { fewestOthers } from '../alerts/alert.words';
import type { ForDecision } from '../for-decision';
import type { KeyedRow, Keys } from '../keys/keys.service';
import { mostCustomers, paymentHolds, type StoredMove } from './hold.entity';
import { mayReadHold, mayReadPart, type ShownHold } from './hold.policy';
import {
  type HoldCause,
  type HoldEffectKind,
  type HoldEffectState,
  type HoldEnforcer,
  type HoldMoveReason,
  type HoldState,
  type HoldSubjectKind,
  holdCauses,
  holdEffectKinds,
  holdEffectStates,
  holdEnforcers,
  holdMoveReasons,
  holdStates,
  holdSubjectKinds,
  stateAt,
} from './hold.states';
import type { HoldRow, ShownEffect } from './holds.rows';

export const HoldStateEnum = enumOf(holdStates);
const HoldCauseEnum = enumOf(holdCauses);
const HoldSubjectKindEnum = enumOf(holdSubjectKinds);
const HoldEffectKindEnum = enumOf(holdEffectKinds);
const HoldEffectStateEnum = enumOf(holdEffectStates);
const HoldEnforcerEnum = enumOf(holdEnforcers);
const HoldMoveReasonEnum = enumOf(holdMoveReasons);
registerEnumType(HoldStateEnum, {
  name: 'HoldState',
  valuesConfig: {
    PROPOSED: { description: 'It stops nothing before a supervisor consents.' },
    PLACING: { description: 'What it is to bring about is under way.' },
    RELEASING: { description: 'What it had stopped is being let go; its time may be over.' },
    EXPIRED: { description: 'Its time was over.' },
    LAPSED: { description: 'The provider moved first: there was nothing left to hold.' },
    FAILED: { description: 'It could bring nothing about, or what it had stopped couldn’t be let go.' },
  },
});
registerEnumType(HoldCauseEnum, { name: 'HoldCause', description: 'Who wanted it.' });
registerEnumType(HoldSubjectKindEnum, { name: 'HoldSubjectKind' });
registerEnumType(HoldEffectKindEnum, {
  name: 'HoldEffectKind',
  valuesConfig: {
    DEFER_CAPTURE: { description: 'The payment isn’t captured; it stays authorized.' },
    STEP_UP: { description: 'Whoever pays is to be authenticated.' },
    REVIEW: { description: 'Somebody looks at each payment first.' },
    BLOCK_NEW: { description: 'No new payments.' },
    PAUSE_RENEWAL: { description: 'Subscriptions don’t charge.' },
    HOLD_ORDER: { description: 'The order isn’t fulfilled.' },
  },
});
registerEnumType(HoldEffectStateEnum, {
  name: 'HoldEffectState',
  valuesConfig: {
    PENDING: { description: 'It is still to be brought about.' },
    UNKNOWN: { description: 'An answer was lost: whether it is so is known once the provider was asked.' },
    NOT_POSSIBLE: { description: 'It isn’t so, and won’t be.' },
  },
});
registerEnumType(HoldEnforcerEnum, {
  name: 'HoldEnforcer',
  valuesConfig: {
    PROVIDER: { description: 'The payment provider keeps to it.' },
    PIPELINE: { description: 'Only whoever asks before a payment keeps to it; the provider doesn’t know of it.' },
  },
});
registerEnumType(HoldMoveReasonEnum, { name: 'HoldMoveReason' });

/** Fields that tell of payments, by which a hold may be placed and ends. */
export const fromPayments = ['Alert.rule', 'Transaction.status'];

/** A hold as its parts are shown under it. */
interface WholeHold extends Shown, ShownHold {
  readonly customerId: Reached | null;
  readonly row: HoldRow;
  /** What its customer is sealed with; null where it has none. */
  readonly key: KeyedRow | null;
}

/** A part of a hold: shown, and recorded, as part of it. */
abstract class OfHold implements Shown {
  constructor(readonly hold: WholeHold) {}

  get shown(): ShownObject {
    return this.hold.shown;
  }

  get linkAssurance(): LinkAssurance {
    return this.hold.linkAssurance;
  }
}

@ObjectType('HoldSubject', { simpleResolvers: true, description: 'What a hold covers.' })
export class HoldSubjectType extends OfHold {
  @Exposed('INTERNAL', () => HoldSubjectKindEnum)
  get kind(): HoldSubjectKind {
    return this.hold.row.subjectKind;
  }

  @Exposed('PAYMENT', () => Int, {
    description: 'Customers of a group, where it has 5 or more, of whom no more is told than that: then it is 5. Else null.',
    from: ['Alert.rule'],
  })
  @Guarded(mayReadPart)
  get customers(): number | null {
    const { subjectKind, customerIds } = this.hold.row;
    return subjectKind === 'GROUP' && customerIds.length >= fewestOthers ? fewestOthers : null;
  }
}

@ObjectType('HoldEffect', {
  simpleResolvers: true,
  description: 'One thing that a hold is to bring about. None of them cancels or refunds.',
})
export class HoldEffectType extends OfHold {
  constructor(
    whole: WholeHold,
    private readonly effect: ShownEffect,
  ) {
    super(whole);
  }

  @Exposed('PAYMENT', () => HoldEffectKindEnum, { from: fromPayments })
  get kind(): HoldEffectKind {
    return this.effect.kind;
  }

  @Exposed('PAYMENT', () => HoldEffectStateEnum, { from: fromPayments })
  get state(): HoldEffectState {
    return this.effect.state;
  }

  @Exposed('PAYMENT', () => HoldEnforcerEnum, { description: 'Who keeps to it.', from: fromPayments })
  get enforcedBy(): HoldEnforcer {
    return this.effect.enforcedBy;
  }

  @Exposed('PAYMENT', () => Boolean, {
    description: 'Letting go brings back what was before. True of all there are now.',
    from: fromPayments,
  })
  get reversible(): boolean {
    return true;
  }

  @Exposed('PAYMENT', () => DateTime, {
    description: 'When the provider’s side of it ends by itself, whatever happens here: the authorization, the pause.',
    from: fromPayments,
  })
  get deadline(): Date | null {
    return this.effect.deadline;
  }
}

@ObjectType('HoldTransition', { simpleResolvers: true, description: 'A move of a hold, or of its end.' })
export class HoldTransitionType extends OfHold {
  constructor(
    whole: WholeHold,
    private readonly move: StoredMove,
  ) {
    super(whole);
  }

  get staffId(): Reached | null {
    return reachedBy(this.move, 'staffId');
  }

  @Exposed('INTERNAL', () => HoldStateEnum, { nullable: true })
  get from(): HoldState | null {
    return this.move.from;
  }

  @Exposed('INTERNAL', () => HoldStateEnum)
  get to(): HoldState {
    return this.move.to;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return new Date(this.move.at);
  }

  @Exposed('PAYMENT', () => HoldMoveReasonEnum, { from: fromPayments })
  @Guarded(mayReadPart)
  get reason(): HoldMoveReason | null {
    return this.move.reason;
  }
}

@ObjectType('Hold', {
  simpleResolvers: true,
  description:
    'Something that waits: a payment, whoever pays, or a group of them. It ends by itself, and then what it stopped goes on; nothing here cancels or refunds.',
})
export class HoldType implements WholeHold {
  constructor(
    readonly row: HoldRow,
    private readonly keys: Keys,
    private readonly forDecision: ForDecision,
    private readonly now: Date,
  ) {}

  get isForDecision(): boolean {
    return this.forDecision.isNow;
  }

  get isForDecisionOnceSignedIn(): boolean {
    return this.forDecision.isOnceSignedIn;
  }

  get shown(): ShownObject {
    const { id, customerId } = this.row;
    const { key } = this;
    const customer = customerId === null || key === null ? null : this.keys.underDigest(customerId, key);
    // Any assistance on its customer opens it, whichever ticket it was placed on.
    return { type: 'Hold', id, ticketId: null, customer, underAssistance: !this.isForDecision };
  }

  get linkAssurance(): LinkAssurance {
    return this.row.currentLink;
  }

  get ticketId(): Reached | null {
    return reachedBy(this.row, 'ticketId');
  }

  get customerId(): Reached | null {
    return reachedBy(this.row, 'customerId');
  }

  get key(): KeyedRow | null {
    const { keyId, keyOwner, keyWrapped } = this.row;
    return keyId === null || keyOwner === null ? null : { keyId, keyOwner, keyWrapped };
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => HoldStateEnum, {
    description:
      'As it is now: one whose time is over stands for nothing, whether all that it had stopped was let go yet or not.',
  })
  get state(): HoldState {
    return stateAt(this.row, this.now);
  }

  @Exposed('INTERNAL', () => HoldSubjectType, { nullable: true })
  get subject(): HoldSubjectType {
    return new HoldSubjectType(this);
  }

  @Exposed('PAYMENT', () => HoldCauseEnum, { from: ['Alert.rule'] })
  @Guarded(mayReadHold)
  get cause(): HoldCause {
    return this.row.cause;
  }

  @Exposed('PERSONAL', () => String, { description: 'Why it was placed, in the words of who did.' })
  @Guarded(mayReadHold)
  get reason(): string | null {
    const { key } = this;
    return key === null ? null : this.keys.open(paymentHolds, { ...this.row, ...key }, 'reason');
  }

  @Exposed('INTERNAL', () => DateTime, { description: 'When it was placed, or proposed.' })
  get placedAt(): Date {
    return this.row.placedAt;
  }

  @Exposed('INTERNAL', () => DateTime, { description: 'From then on it stands for nothing.' })
  get expiresAt(): Date {
    return this.row.expiresAt;
  }
}

export const HoldConnection = connectionOf('Hold', () => HoldType);

@InputType('HoldFilter')
export class HoldFilterInput {
  @Field(() => [HoldStateEnum], { nullable: true })
  @FiltersBy('Hold.state')
  state?: HoldState[] | null;

  @Field(() => ID, { nullable: true })
  @FiltersBy('Hold.ticket')
  ticketId?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Proposals that wait for a decision that you may take.' })
  @FiltersBy('Hold.state')
  awaitingMyDecision?: boolean | null;
}
export type HoldFilter = HoldFilterInput;

@InputType('PlaceHoldInput')
export class PlaceHoldInput {
  @Field(() => ID)
  ticketId!: string;

  @Field(() => ID, { nullable: true, description: 'A payment of the ticket’s customer. DEFER_CAPTURE needs one.' })
  transactionId?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: `For supervisors: up to ${mostCustomers} customers, each covered by a live assistance of yours. Left out, it is the ticket’s.`,
  })
  customerIds?: string[] | null;

  @Field(() => [HoldEffectKindEnum])
  effects!: HoldEffectKind[];

  @Field(() => DateTime, {
    description:
      'Its end: for agents two hours from now at most, unless the policy says less; for supervisors a day; and 12 hours before the authorization ends.',
  })
  until!: Date;

  @Field(() => String, { description: '10 to 1,000 characters. No card data. Stored sealed.' })
  reason!: string;

  @Field(() => String, {
    description: '8 to 128 printable ASCII characters: the same key gives the same hold, whatever became of it.',
  })
  idempotencyKey!: string;
}
