import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { credentialUpdateKinds } from '../../authz/policy/update-policy';
import { reachedBy } from '../../db/reached';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { PaymentMethodType } from '../payments/payment.type';
import type { RequestContext } from '../request';
import { Staff, TicketType } from '../tickets/ticket.type';
import { ticketIsTheirs } from '../tickets/tickets.policy';
import {
  ApprovalType,
  CredentialUpdateConnection,
  type CredentialUpdateFilter,
  CredentialUpdateFilterInput,
  CredentialUpdateType,
  RequestCredentialUpdateInput,
  TransitionType,
} from './credential-update.type';
import { coversOwner, mayFollowMethod } from './credentials.policy';
import { mostTransitions, newestOfTicket } from './credentials.service';
import { UpdateOffer } from './update-offer.type';

@Resolver(() => CredentialUpdateType)
export class CredentialsResolver {
  @Query(() => CredentialUpdateType, {
    nullable: true,
    description: 'One that you asked for, or of a ticket that you work with.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to what the actor asked for and the tickets within their scope.
  @Guarded(open)
  async credentialUpdate(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<CredentialUpdateType> {
    return loaders.credentials.toType(await services.credentials.reachable(actor, id));
  }

  @Query(() => CredentialUpdateConnection, { description: 'Newest first, unless asked for from the other end.' })
  @Classified('INTERNAL')
  // Narrowed in SQL to what the actor asked for and the tickets within their scope.
  @Guarded(open)
  credentialUpdates(
    @Arg('filter', () => CredentialUpdateFilterInput, { nullable: true }) filter: CredentialUpdateFilter | undefined,
    @Arg('oldestFirst', () => Boolean, { nullable: true, defaultValue: false }) oldestFirst: boolean | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, services, loaders }: RequestContext,
  ) {
    return services.credentials.page(actor, { filter, oldestFirst, first, after }, loaders.credentials.toType);
  }

  @Mutation(() => CredentialUpdateType, {
    description: 'Asks the customer to confirm a change. The same idempotency key with the same input returns the same update.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async requestCredentialUpdate(
    @Arg('input', () => RequestCredentialUpdateInput) input: RequestCredentialUpdateInput,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<CredentialUpdateType> {
    const ticket = await services.tickets.inScope(actor, input.ticketId, (stored) =>
      services.credentialRequests.expectMayRequest(stored, input),
    );
    const id = await services.credentialRequests.request(ticket, input);
    return loaders.credentials.toType(await services.credentials.reachable(actor, id));
  }

  @Mutation(() => CredentialUpdateType, {
    description: 'A supervisor’s consent to what the customer confirmed. Repeated, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async approveCredentialUpdate(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<CredentialUpdateType> {
    return loaders.credentials.toType(
      await services.credentials.reachable(actor, await services.credentialDecisions.approve(actor, id)),
    );
  }

  @Mutation(() => CredentialUpdateType, {
    description: 'A supervisor’s refusal; a new card that was entered is taken away again. Repeated, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async rejectCredentialUpdate(
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String) reason: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<CredentialUpdateType> {
    return loaders.credentials.toType(
      await services.credentials.reachable(actor, await services.credentialDecisions.reject(actor, id, reason)),
    );
  }

  @Mutation(() => CredentialUpdateType, {
    description: 'Calls an update off before anything was sent to the provider. Repeated, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async cancelCredentialUpdate(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<CredentialUpdateType> {
    return loaders.credentials.toType(
      await services.credentials.reachable(actor, await services.credentialDecisions.cancel(actor, id)),
    );
  }

  @FieldResolver(() => TicketType, { nullable: true })
  @Classified('INTERNAL')
  @Guarded(open)
  ticket(@Root() update: CredentialUpdateType, @Ctx() { loaders }: RequestContext): Promise<TicketType | null> {
    return loaders.credentials.ticket(update.ticketId);
  }

  @FieldResolver(() => PaymentMethodType, { nullable: true })
  @Classified('PAYMENT')
  @Guarded(mayFollowMethod)
  async paymentMethod(
    @Root() update: CredentialUpdateType,
    @Ctx() { loaders }: RequestContext,
  ): Promise<PaymentMethodType | null> {
    const customer = await loaders.customers.load(update.customerId);
    return customer && loaders.payments.methodOf(customer, reachedBy(update.row, 'paymentMethodId'));
  }

  @FieldResolver(() => Staff, { nullable: true })
  @Classified('INTERNAL')
  @Guarded(open)
  requestedBy(@Root() update: CredentialUpdateType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(reachedBy(update.row, 'requestedByStaffId'));
  }

  @FieldResolver(() => [TransitionType], { nullable: true, description: 'Oldest first: the first 50; the log has them all.' })
  @Listed({ most: mostTransitions })
  @Classified('INTERNAL')
  @Guarded(open)
  history(@Root() update: CredentialUpdateType, @Ctx() { loaders }: RequestContext): Promise<readonly TransitionType[]> {
    return loaders.credentials.historyOf(update);
  }
}

@Resolver(() => PaymentMethodType)
export class UpdateOffersResolver {
  @FieldResolver(() => [UpdateOffer], {
    nullable: true,
    description: 'Which changes of it can be asked for, and why others can’t: every kind there is, in one order.',
  })
  @Listed({ most: credentialUpdateKinds.length })
  @Classified('PAYMENT', { from: ['UpdateOffer.blockedBy'] })
  @Guarded(coversOwner)
  updates(@Root() method: PaymentMethodType, @Ctx() { loaders }: RequestContext): Promise<readonly UpdateOffer[]> {
    return loaders.credentials.offersOf(method);
  }
}

@Resolver(() => ApprovalType)
export class ApprovalResolver {
  @FieldResolver(() => Staff, { nullable: true })
  @Classified('INTERNAL')
  @Guarded(open)
  by(@Root() approval: ApprovalType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(approval.staffId);
  }
}

@Resolver(() => TransitionType)
export class TransitionResolver {
  @FieldResolver(() => Staff, { nullable: true, description: 'Who, where it was a member of staff.' })
  @Classified('INTERNAL')
  @Guarded(open)
  by(@Root() transition: TransitionType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(transition.staffId);
  }
}

@Resolver(() => TicketType)
export class TicketCredentialsResolver {
  @FieldResolver(() => [CredentialUpdateType], {
    nullable: true,
    description:
      'The newest 50, newest first, while you assist here with those that a rule asked for of the customer; `Query.credentialUpdates` has them all.',
  })
  @Listed({ most: newestOfTicket })
  @Classified('INTERNAL')
  @Guarded(ticketIsTheirs)
  credentialUpdates(
    @Root() ticket: TicketType,
    @Ctx() { access, loaders }: RequestContext,
  ): Promise<readonly CredentialUpdateType[]> {
    return loaders.credentials.ofTicket(ticket, access);
  }
}
