import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import type { Selected } from '../../db/table';
import { Exposed } from '../../graphql/decorators';
import { Listed } from '../../graphql/listed';
import { CurrencyCode, DateTime, SafeInt } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { type ClaimedTrait, claimedTraits } from '../../risk/signal';
import type { claimRows } from './claims.rows';

/** In tables and events they are called `amount`, in the graph AMOUNT. */
const ClaimedTraitEnum = Object.fromEntries(claimedTraits.map((trait) => [trait.toUpperCase(), trait]));
registerEnumType(ClaimedTraitEnum, { name: 'ClaimedTrait', description: 'What of a payment a customer states.' });

@ObjectType('Claim', {
  simpleResolvers: true,
  description:
    'That a customer stated something of a payment, and of which kinds; never what. Whether it fits their payments nobody is told but by an alert.',
})
export class ClaimType implements Shown {
  constructor(private readonly row: Selected<typeof claimRows>) {}

  get shown(): ShownObject {
    return { type: 'Claim', id: this.row.id, ticketId: this.row.ticketId, customer: null, underAssistance: false };
  }

  get linkAssurance(): LinkAssurance {
    return 'NONE';
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Listed({ most: claimedTraits.length, parts: true })
  @Exposed('INTERNAL', () => [ClaimedTraitEnum])
  get traits(): readonly ClaimedTrait[] {
    return this.row.traits;
  }

  @Exposed('INTERNAL', () => DateTime)
  get recordedAt(): Date {
    return this.row.recordedAt;
  }
}

@InputType('ClaimedAmountInput')
export class ClaimedAmountInput {
  @Field(() => SafeInt, { description: 'In minor units of the currency, above 0.' })
  minorUnits!: number;

  @Field(() => CurrencyCode)
  currency!: string;
}

@InputType('RecordClaimInput', {
  description:
    'What the customer states of one payment of the time that is shown here: one or more of amount, date, orderReference and cardLast4, each only where you are shown it of their payments.',
})
export class RecordClaimInput {
  @Field(() => ID)
  ticketId!: string;

  @Field(() => ClaimedAmountInput, { nullable: true })
  amount?: ClaimedAmountInput | null;

  @Field(() => String, { nullable: true, description: 'The day of the payment, as 2026-09-01.' })
  date?: string | null;

  @Field(() => String, { nullable: true, description: '1 to 128 characters.' })
  orderReference?: string | null;

  @Field(() => String, { nullable: true, description: 'The last four digits of the card; never more of it.' })
  cardLast4?: string | null;

  @Field(() => String, { description: '8 to 128 printable ASCII characters.' })
  idempotencyKey!: string;
}
