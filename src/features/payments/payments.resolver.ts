import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import type { RequestContext } from '../request';
import { PaymentMethodType, TransactionType } from './payment.type';
import { coversPayer } from './payments.policy';

@Resolver(() => TransactionType)
export class PaymentsResolver {
  @Query(() => TransactionType, {
    nullable: true,
    description: 'A transaction of a customer whom a live assistance of yours covers.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to what a live assistance covers.
  @Guarded(open)
  transaction(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, access, loaders, services }: RequestContext,
  ): Promise<TransactionType> {
    return services.payments.reachable(actor, access, loaders, id);
  }

  @FieldResolver(() => PaymentMethodType, { nullable: true })
  @Classified('PAYMENT')
  @Guarded(coversPayer)
  paymentMethod(
    @Root() transaction: TransactionType,
    @Ctx() { loaders }: RequestContext,
  ): PaymentMethodType | null | Promise<PaymentMethodType | null> {
    return loaders.payments.methodOf(transaction.customer, transaction.paymentMethodId);
  }
}
