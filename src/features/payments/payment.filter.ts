import { Field, InputType, Int } from 'type-graphql';
import { FiltersBy } from '../../graphql/decorators';
import { CurrencyCode, DateTime, SafeInt } from '../../graphql/scalars';
import { RiskBand, TransactionStatus } from './payment.type';

export interface TransactionFilter {
  readonly status?: readonly string[] | null;
  readonly currency?: string | null;
  readonly amountAtLeast?: number | null;
  readonly amountAtMost?: number | null;
  readonly createdFrom?: Date | null;
  readonly createdBefore?: Date | null;
  readonly declineCode?: string | null;
  readonly riskBand?: string | null;
  readonly riskScoreAtLeast?: number | null;
}

@InputType('TransactionFilter')
export class TransactionFilterInput implements TransactionFilter {
  @Field(() => [TransactionStatus], { nullable: true })
  @FiltersBy('Transaction.status')
  status?: string[] | null;

  @Field(() => CurrencyCode, { nullable: true })
  @FiltersBy('Transaction.amount')
  currency?: string | null;

  @Field(() => SafeInt, { nullable: true, description: 'In minor units.' })
  @FiltersBy('Transaction.amount')
  amountAtLeast?: number | null;

  @Field(() => SafeInt, { nullable: true, description: 'In minor units.' })
  @FiltersBy('Transaction.amount')
  amountAtMost?: number | null;

  @Field(() => DateTime, { nullable: true })
  @FiltersBy('Transaction.createdAt')
  createdFrom?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'The first instant that is not included.' })
  @FiltersBy('Transaction.createdAt')
  createdBefore?: Date | null;

  @Field(() => String, { nullable: true })
  @FiltersBy('Transaction.declineCode')
  declineCode?: string | null;

  @Field(() => RiskBand, { nullable: true })
  @FiltersBy('Risk.band')
  riskBand?: string | null;

  @Field(() => Int, { nullable: true })
  @FiltersBy('Risk.score')
  riskScoreAtLeast?: number | null;
}
