import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { CustomerType } from '../customers/customer.type';
import type { RequestContext } from '../request';
import {
  CustomerAuthor,
  MessageAuthor,
  MessageConnection,
  MessageType,
  mostSetters,
  Staff,
  StaffAuthor,
  SystemAuthor,
  TicketConnection,
  type TicketFilter,
  TicketFilterInput,
  TicketOrder,
  TicketType,
} from './ticket.type';
import { customerIsCovered, messageIsAssisted, ticketIsAssisted, ticketIsTheirs } from './tickets.policy';

@Resolver(() => TicketType)
export class TicketsResolver {
  @Query(() => TicketType, { nullable: true, description: 'Opens one ticket; on one of your own an assistance begins.' })
  @Classified('INTERNAL')
  // Narrowed in SQL to the actor's scope.
  @Guarded(open)
  ticket(@Arg('id', () => ID) id: string, @Ctx() { actor, access, services }: RequestContext): Promise<TicketType> {
    return services.opening.open(actor, access, id);
  }

  @Query(() => TicketType, { nullable: true, description: 'Opens one ticket by the helpdesk’s own number.' })
  @Classified('INTERNAL')
  // Narrowed in SQL to the actor's scope.
  @Guarded(open)
  ticketByReference(
    @Arg('source', () => String) source: string,
    @Arg('reference', () => String) reference: string,
    @Ctx() { actor, access, services }: RequestContext,
  ): Promise<TicketType> {
    return services.opening.openByReference(actor, access, source, reference);
  }

  @Query(() => TicketConnection, { description: 'The tickets you work with. A list begins no assistance.' })
  @Classified('INTERNAL')
  // Narrowed in SQL to the actor's scope.
  @Guarded(open)
  tickets(
    @Arg('filter', () => TicketFilterInput, { nullable: true }) filter: TicketFilter | undefined,
    @Arg('orderBy', () => TicketOrder, { nullable: true, defaultValue: TicketOrder.UPDATED_AT }) orderBy: TicketOrder,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, access, services }: RequestContext,
  ) {
    return services.tickets.page(actor, { filter, orderBy, first, after }, access.fields);
  }

  @FieldResolver(() => Staff, { nullable: true })
  @Classified('INTERNAL')
  @Guarded(open)
  assignee(@Root() ticket: TicketType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(ticket.assigneeId);
  }

  @FieldResolver(() => Staff, {
    nullable: true,
    description: 'Who of the staff created it; null where it came from outside, or nobody knows.',
  })
  @Classified('INTERNAL')
  @Guarded(ticketIsTheirs)
  createdBy(@Root() ticket: TicketType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(ticket.createdById);
  }

  @FieldResolver(() => [Staff], {
    nullable: true,
    description: 'Who of the staff ever set, changed or took away whom it is about: 20 of them at most.',
  })
  @Listed({ most: mostSetters })
  @Classified('INTERNAL')
  @Guarded(ticketIsTheirs)
  async customerSetBy(@Root() ticket: TicketType, @Ctx() { loaders }: RequestContext): Promise<readonly Staff[]> {
    const found = await Promise.all(ticket.customerSetByIds.map((id) => loaders.tickets.staff(id)));
    return found.filter((each) => each !== null);
  }

  @FieldResolver(() => CustomerType, { nullable: true })
  @Classified('PERSONAL')
  @Guarded(customerIsCovered)
  customer(@Root() ticket: TicketType, @Ctx() { loaders, services }: RequestContext): Promise<CustomerType | null> {
    return services.customers.ofTicket(loaders.customers, ticket);
  }

  @FieldResolver(() => MessageConnection, { nullable: true, description: 'Oldest first.' })
  @Classified('PERSONAL')
  @Guarded(ticketIsAssisted)
  messages(
    @Root() ticket: TicketType,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, access, loaders, services }: RequestContext,
  ) {
    return services.tickets.messages(actor, loaders.tickets, ticket, { first, after, fields: access.fields });
  }
}

@Resolver(() => MessageType)
export class MessagesResolver {
  @FieldResolver(() => MessageAuthor, { nullable: true })
  @Classified('INTERNAL')
  @Guarded(messageIsAssisted)
  author(@Root() message: MessageType, @Ctx() { loaders }: RequestContext): Promise<MessageAuthor> {
    return authorOf(message, loaders);
  }
}

const authorOf = async (message: MessageType, loaders: RequestContext['loaders']): Promise<MessageAuthor> => {
  if (message.authorKind === 'STAFF') {
    const staff = await loaders.tickets.staff(message.authorStaffId);
    return new StaffAuthor(message.of, message.shownAs, () => staff?.displayName ?? null);
  }
  if (message.authorKind === 'SYSTEM') return new SystemAuthor(message.of, message.shownAs, () => null);
  const customer = message.of.customerId ? await loaders.customers.load(message.of.customerId, message.of.key) : null;
  return new CustomerAuthor(message.of, message.shownAs, () => customer?.displayName ?? null);
};
