import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { type TransactionFilter, TransactionFilterInput } from '../payments/payment.filter';
import { PaymentMethodType, TransactionConnection, TransactionOrder } from '../payments/payment.type';
import { mostMethods } from '../payments/payments.loader';
import type { RequestContext } from '../request';
import { CustomerType } from './customer.type';
import { coversCustomer } from './customers.policy';

@Resolver(() => CustomerType)
export class CustomersResolver {
  @Query(() => CustomerType, { nullable: true, description: 'A customer whom a live assistance of yours covers.' })
  @Classified('INTERNAL')
  // Narrowed in SQL to what a live assistance covers.
  @Guarded(open)
  customer(@Arg('id', () => ID) id: string, @Ctx() { actor, access, services }: RequestContext): Promise<CustomerType> {
    return services.customers.reachable(actor, access, id);
  }

  @FieldResolver(() => [PaymentMethodType], {
    nullable: true,
    description: 'The default one first, then the newest: 50 at most.',
  })
  @Listed({ most: mostMethods })
  @Classified('PAYMENT')
  @Guarded(coversCustomer)
  paymentMethods(
    @Root() customer: CustomerType,
    @Ctx() { loaders }: RequestContext,
  ): Promise<readonly PaymentMethodType[] | null> {
    return loaders.payments.methodsOf(customer);
  }

  @FieldResolver(() => TransactionConnection, { nullable: true, description: 'Newest first unless ordered otherwise.' })
  @Classified('PAYMENT')
  @Guarded(coversCustomer)
  transactions(
    @Root() customer: CustomerType,
    @Arg('filter', () => TransactionFilterInput, { nullable: true }) filter: TransactionFilter | undefined,
    @Arg('orderBy', () => TransactionOrder, { nullable: true, defaultValue: TransactionOrder.CREATED_AT })
    orderBy: TransactionOrder,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, access, loaders, services }: RequestContext,
  ) {
    return services.payments.transactionsOf(actor, loaders.payments, customer, {
      ...{ filter, orderBy, first, after },
      fields: access.fields,
    });
  }
}
