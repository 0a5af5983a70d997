import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { DateTime, SafeInt } from '../../graphql/scalars';
import {
  type DecisionStage,
  decisionStages,
  type PaymentVerdict,
  paymentVerdicts,
  type StepUpStrength,
  stepUpStrengths,
} from './decision.words';
import type { DecisionRow, DemandRow } from './decisions.rows';
import { type DemandState, demandStates } from './demand.states';

const PaymentStageEnum = enumOf(decisionStages);
const PaymentVerdictEnum = enumOf(paymentVerdicts);
const StepUpStrengthEnum = enumOf(stepUpStrengths);
const StepUpDemandStateEnum = enumOf(demandStates);
registerEnumType(PaymentStageEnum, {
  name: 'PaymentStage',
  valuesConfig: {
    CHECKOUT: { description: 'Before it is authorized; the customer may be there.' },
    CAPTURE: { description: 'Before an authorized one is captured.' },
    FULFIL: { description: 'Before what was paid for is handed over.' },
    RENEWAL: { description: 'Before a subscription is charged again.' },
  },
});
registerEnumType(PaymentVerdictEnum, {
  name: 'PaymentVerdict',
  valuesConfig: {
    CLEAR: { description: 'Nothing that is known here stands in the way.' },
    STEP_UP: { description: 'Have the customer authenticated, and record it with recordStepUp.' },
    REVIEW: { description: 'Somebody has to look at it first.' },
    HOLD: { description: 'Don’t go on.' },
  },
});
registerEnumType(StepUpStrengthEnum, {
  name: 'StepUpStrength',
  valuesConfig: {
    CHALLENGE: {
      description: 'A challenge by the card’s issuer (EMV 3-D Secure) that the customer completes; a frictionless one is none.',
    },
  },
});
registerEnumType(StepUpDemandStateEnum, {
  name: 'StepUpDemandState',
  valuesConfig: {
    OPEN: { description: 'No service was told of it.' },
    PRESENTED: { description: 'A service was told of it, and nothing proves it yet.' },
    SATISFIED: { description: 'The provider says that the customer was challenged and authenticated.' },
    FAILED: { description: 'The customer failed too often.' },
    EXPIRED: { description: 'Nobody met it in time.' },
    WITHDRAWN: { description: 'It isn’t needed any more.' },
  },
});

@InputType('PaymentAmountInput')
class PaymentAmountInput {
  @Field(() => SafeInt, { description: 'Minor units of the currency, from 0 on.' })
  minorUnits!: number;

  @Field(() => String, { description: 'ISO 4217, upper case.' })
  currency!: string;
}

@InputType('PaymentDecisionInput')
export class PaymentDecisionInput {
  @Field(() => String, { description: 'The payment source, as the configuration names it.' })
  source!: string;

  @Field(() => PaymentStageEnum)
  stage!: DecisionStage;

  @Field(() => String, { nullable: true, description: 'The provider’s reference of the payment.' })
  payment?: string | null;

  @Field(() => PaymentAmountInput)
  amount!: PaymentAmountInput;

  @Field(() => String, { nullable: true, description: 'The provider’s reference of the customer.' })
  customer?: string | null;

  @Field(() => String, { nullable: true, description: 'Kept nowhere: compared by keyed digests.' })
  email?: string | null;

  @Field(() => String, { nullable: true, description: 'The provider’s reference of the payment method; never a card number.' })
  card?: string | null;

  @Field(() => String, { nullable: true, description: 'The device’s fingerprint, as payments have it at the provider.' })
  device?: string | null;

  @Field(() => String, { nullable: true })
  ip?: string | null;

  @Field(() => String, { nullable: true, description: 'The order’s reference, as payments have it at the provider.' })
  order?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'The customer isn’t there.' })
  isOffSession?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'It is paid with a wallet.' })
  isWallet?: boolean | null;

  @Field(() => String, {
    description: '8 to 128 printable ASCII characters. The same key with the same input gives the same answer for a day.',
  })
  idempotencyKey!: string;
}

@InputType('RecordStepUpInput')
export class RecordStepUpInput {
  @Field(() => ID)
  demandId!: string;

  @Field(() => String, {
    description:
      'The provider’s reference of the payment or setup by which the customer was authenticated. It is asked of the provider.',
  })
  reference!: string;

  @Field(() => String, {
    nullable: true,
    description: 'For clients that send one with each call; the reference is one by itself.',
  })
  idempotencyKey?: string | null;
}

@ObjectType('PaymentDecision', { simpleResolvers: true, description: 'What the payment pipeline is to do with a payment.' })
export class PaymentDecisionType {
  constructor(private readonly row: DecisionRow) {}

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => PaymentVerdictEnum)
  get verdict(): PaymentVerdict {
    return this.row.verdict;
  }

  @Exposed('INTERNAL', () => StepUpStrengthEnum, { nullable: true, description: 'For STEP_UP: what authenticates the customer.' })
  get stepUp(): StepUpStrength | null {
    return this.row.demandId === null ? null : 'CHALLENGE';
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'For STEP_UP: what recordStepUp is to name.' })
  get demandId(): string | null {
    return this.row.demandId;
  }

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description: 'For REVIEW and HOLD: the word of the policy by which the pipeline reroutes the payment.',
  })
  get route(): string | null {
    return this.row.route;
  }

  @Exposed('INTERNAL', () => DateTime, {
    description: 'Until when the pipeline may go by it; afterwards it asks with a new key.',
  })
  get validUntil(): Date {
    return this.row.validUntil;
  }
}

@ObjectType('StepUpDemand', { simpleResolvers: true, description: 'That a customer is to be authenticated anew.' })
export class StepUpDemandType {
  constructor(private readonly row: DemandRow) {}

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => StepUpDemandStateEnum)
  get state(): DemandState {
    return this.row.state;
  }

  @Exposed('INTERNAL', () => StepUpStrengthEnum)
  get strength(): StepUpStrength {
    return this.row.strength;
  }

  @Exposed('INTERNAL', () => DateTime)
  get openedAt(): Date {
    return this.row.openedAt;
  }

  @Exposed('INTERNAL', () => DateTime, { description: 'When it ends by itself.' })
  get expiresAt(): Date {
    return this.row.expiresAt;
  }
}
