import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { reachedBy } from '../../db/reached';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';
import { alertIsAssisted, toWhoHasSecondFactor } from '../alerts/alert.policy';
import { AlertType } from '../alerts/alert.type';
import { CustomerType } from '../customers/customer.type';
import { Money, TransactionType } from '../payments/payment.type';
import type { RequestContext } from '../request';
import { Staff, TicketType } from '../tickets/ticket.type';
import { ticketIsAssisted } from '../tickets/tickets.policy';
import { mostMoves } from './hold.entity';
import { mayFollowPart, mayReadHold } from './hold.policy';
import { holdEffectKinds } from './hold.states';
import {
  fromPayments,
  HoldConnection,
  HoldEffectType,
  type HoldFilter,
  HoldFilterInput,
  HoldSubjectType,
  HoldTransitionType,
  HoldType,
  PlaceHoldInput,
} from './hold.type';
import { newestOfCustomer } from './holds.service';

@Resolver(() => HoldType)
export class HoldsResolver {
  @Query(() => HoldConnection, {
    description:
      'What waits, newest first unless asked for from the other end: of customers whom an assistance of yours covers; for supervisors, of their teams’ tickets and what rules found on none; for who oversees, all of it. A list begins no assistance.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to what the actor reaches.
  @Guarded(toWhoHasSecondFactor)
  holds(
    @Arg('filter', () => HoldFilterInput, { nullable: true }) filter: HoldFilter | undefined,
    @Arg('oldestFirst', () => Boolean, { nullable: true, defaultValue: false }) oldestFirst: boolean | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, services, loaders }: RequestContext,
  ) {
    return services.holds.page(actor, { filter, oldestFirst, first, after }, loaders.holds.toType);
  }

  @Mutation(() => HoldType, {
    description:
      'Makes something wait. Nothing is cancelled or refunded by it, and it ends by itself. The same idempotency key with the same input returns the same hold.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async placeHold(
    @Arg('input', () => PlaceHoldInput) input: PlaceHoldInput,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<HoldType> {
    const ticket = await services.tickets.inScope(actor, input.ticketId, (stored) =>
      services.holdDesk.expectMayPlace(stored, input),
    );
    return loaders.holds.toType(await services.holds.reachable(actor, await services.holdDesk.place(ticket, input)));
  }

  @Mutation(() => HoldType, { description: 'A supervisor’s consent to a proposal. Repeated, it changes nothing.' })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async approveHold(@Arg('id', () => ID) id: string, @Ctx() { actor, services, loaders }: RequestContext): Promise<HoldType> {
    return loaders.holds.toType(await services.holds.reachable(actor, await services.holdDesk.approve(actor, id)));
  }

  @Mutation(() => HoldType, {
    description: 'Lets go of what waits; of a proposal, refuses it. Repeated, or once it has ended, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async releaseHold(
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String, { description: '10 to 1,000 characters. No card data. Stored sealed.' }) reason: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<HoldType> {
    return loaders.holds.toType(await services.holds.reachable(actor, await services.holdDesk.release(actor, id, reason)));
  }

  @Mutation(() => HoldType, {
    description:
      'Moves a hold’s end: to a day from when it was placed at the latest, and 12 hours before the authorization ends. Repeated, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async extendHold(
    @Arg('id', () => ID) id: string,
    @Arg('until', () => DateTime) until: Date,
    @Arg('reason', () => String, { description: '10 to 1,000 characters. No card data. Stored sealed.' }) reason: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<HoldType> {
    return loaders.holds.toType(
      await services.holds.reachable(actor, await services.holdDesk.extend(actor, { id, until, reason })),
    );
  }

  @FieldResolver(() => TicketType, { nullable: true, description: 'On which it was placed. Reading it here opens no ticket.' })
  @Classified('INTERNAL')
  @Guarded(open)
  ticket(@Root() hold: HoldType, @Ctx() { loaders }: RequestContext): Promise<TicketType | null> | null {
    return hold.ticketId === null ? null : loaders.credentials.ticket(hold.ticketId);
  }

  @FieldResolver(() => Staff, { nullable: true, description: 'Who placed or proposed it, where it was a member of staff.' })
  @Classified('INTERNAL')
  @Guarded(open)
  owner(@Root() hold: HoldType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(reachedBy(hold.row, 'placedByStaffId'));
  }

  @FieldResolver(() => Money, {
    nullable: true,
    description:
      'What is authorized and not captured, of the payment, or of the customer’s payments together. Null of a group, and where that is several currencies.',
  })
  @Classified('PAYMENT', { from: ['Transaction.open'] })
  @Guarded(mayReadHold)
  async moneyAtRisk(@Root() hold: HoldType, @Ctx() { access, loaders }: RequestContext): Promise<Money | null> {
    if (!access.shows(['Transaction.open'], hold)) return null;
    const open = await loaders.holds.openAmountOf(hold);
    return open && new Money(hold, open);
  }

  @FieldResolver(() => [HoldEffectType], { nullable: true, description: 'What it is to bring about, and how far that is.' })
  @Listed({ most: holdEffectKinds.length })
  @Classified('PAYMENT', { from: fromPayments })
  @Guarded(mayReadHold)
  effects(@Root() hold: HoldType): readonly HoldEffectType[] {
    return hold.row.effects.map((effect) => new HoldEffectType(hold, effect));
  }

  @FieldResolver(() => [HoldTransitionType], { nullable: true, description: 'Oldest first.' })
  @Listed({ most: mostMoves })
  @Classified('INTERNAL')
  @Guarded(open)
  history(@Root() hold: HoldType, @Ctx() { loaders }: RequestContext): readonly HoldTransitionType[] {
    return loaders.holds.historyOf(hold);
  }
}

@Resolver(() => HoldSubjectType)
export class HoldSubjectResolver {
  @FieldResolver(() => CustomerType, { nullable: true, description: 'Of a group: null.' })
  @Classified('PERSONAL')
  @Guarded(mayFollowPart)
  async customer(@Root() { hold }: HoldSubjectType, @Ctx() { loaders }: RequestContext): Promise<CustomerType | null> {
    const { customerId, key, row } = hold;
    if (customerId === null || key === null || row.subjectKind === 'GROUP') return null;
    return loaders.customers.load(customerId, key);
  }

  @FieldResolver(() => TransactionType, { nullable: true, description: 'The payment that it is about, where it is about one.' })
  @Classified('PAYMENT')
  @Guarded(mayFollowPart)
  async transaction(@Root() { hold }: HoldSubjectType, @Ctx() { loaders }: RequestContext): Promise<TransactionType | null> {
    const { customerId, key, row } = hold;
    const customer = customerId === null || key === null ? null : await loaders.customers.load(customerId, key);
    return customer && loaders.payments.transactionOf(customer, reachedBy(row, 'transactionId'));
  }
}

@Resolver(() => HoldTransitionType)
export class HoldTransitionResolver {
  @FieldResolver(() => Staff, { nullable: true, description: 'Who, where it was a member of staff.' })
  @Classified('INTERNAL')
  @Guarded(open)
  by(@Root() transition: HoldTransitionType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(transition.staffId);
  }
}

@Resolver(() => AlertType)
export class AlertHoldsResolver {
  @FieldResolver(() => [HoldType], {
    nullable: true,
    description: 'What covers its customer, newest first: ten at most; `Query.holds` has them all.',
  })
  @Listed({ most: newestOfCustomer })
  @Classified('INTERNAL')
  @Guarded(alertIsAssisted)
  holds(@Root() alert: AlertType, @Ctx() { loaders }: RequestContext): Promise<readonly HoldType[]> {
    return loaders.holds.ofCustomer(alert.customerId);
  }
}

@Resolver(() => TicketType)
export class TicketHoldsResolver {
  @FieldResolver(() => [HoldType], {
    nullable: true,
    description: 'What covers its customer, newest first, while you assist here: ten at most; `Query.holds` has them all.',
  })
  @Listed({ most: newestOfCustomer })
  @Classified('INTERNAL')
  @Guarded(ticketIsAssisted)
  holds(
    @Root() { customerId }: TicketType,
    @Ctx() { loaders }: RequestContext,
  ): Promise<readonly HoldType[]> | readonly HoldType[] {
    return customerId === null ? [] : loaders.holds.ofCustomer(customerId);
  }
}
