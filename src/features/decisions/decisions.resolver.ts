import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import type { RequestContext } from '../request';
import { PaymentDecisionInput, PaymentDecisionType, RecordStepUpInput, StepUpDemandType } from './decision.type';

@Resolver()
export class DecisionsResolver {
  @Mutation(() => PaymentDecisionType, {
    description: 'Asks whether anything that is known here stands in the way of a payment. For the payment pipeline.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked before anything is looked up.
  @Guarded(open)
  async paymentDecision(
    @Arg('input', () => PaymentDecisionInput) input: PaymentDecisionInput,
    @Ctx() { actor, services }: RequestContext,
  ): Promise<PaymentDecisionType> {
    return new PaymentDecisionType(await services.decisions.decide(actor, input));
  }

  @Mutation(() => StepUpDemandType, {
    description:
      'Has the provider asked whether the customer was challenged and authenticated. Without that proof the demand stays as it is. Only for the service that was told of it.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async recordStepUp(
    @Arg('input', () => RecordStepUpInput) input: RecordStepUpInput,
    @Ctx() { actor, services }: RequestContext,
  ): Promise<StepUpDemandType> {
    return new StepUpDemandType(await services.stepUps.record(actor, input));
  }
}
