import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { largestPage, pageSize } from '../../graphql/cursor';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { LinkAssuranceEnum } from '../customers/customer.type';
import type { RequestContext } from '../request';
import { Staff, TicketType } from '../tickets/ticket.type';
import { forWhoDecides } from './assistance.policy';
import { mostEarlier } from './assistance.service';
import { AssistanceType, BeginAssistanceInput } from './assistance.type';

@Resolver(() => AssistanceType)
export class AssistanceResolver {
  @Listed({ most: largestPage })
  @Query(() => [AssistanceType], {
    description:
      'Requests of others on tickets of your teams that wait for your consent, or your own, about which you can’t decide; oldest first.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to the supervisor's teams.
  @Guarded(open)
  async assistancesToApprove(
    @Arg('requestedByMe', () => Boolean, { nullable: true, defaultValue: false }) requestedByMe: boolean | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Ctx() { actor, access, services, loaders }: RequestContext,
  ): Promise<readonly AssistanceType[]> {
    const { assistances } = services;
    const waiting =
      requestedByMe === true
        ? await assistances.ownWaiting(actor, pageSize(first), access.fields)
        : await assistances.waitingFor(actor, pageSize(first), access.fields);
    return waiting.map((row) => loaders.assistances.toType(row));
  }

  @Mutation(() => AssistanceType, {
    description: 'Asks for an assistance that doesn’t begin by itself. Repeated, it returns the open one.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async beginAssistance(
    @Arg('input', () => BeginAssistanceInput) input: BeginAssistanceInput,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AssistanceType> {
    const ticket = await services.tickets.inScope(actor, input.ticketId, (stored) =>
      services.assistances.expectMayAsk(stored, input),
    );
    return loaders.assistances.changed(await services.assistances.ask(ticket, input));
  }

  @Mutation(() => AssistanceType, { description: 'A supervisor’s consent to somebody else’s request.' })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async approveAssistance(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AssistanceType> {
    return loaders.assistances.changed(await services.assistances.approve(actor, id));
  }

  @Mutation(() => AssistanceType, {
    description: 'A supervisor’s refusal of somebody else’s request; the asker reads the reason. Repeated, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async rejectAssistance(
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String, { description: '10 to 1,000 characters. No card data. Stored sealed.' }) reason: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AssistanceType> {
    return loaders.assistances.changed(await services.assistances.reject(actor, id, reason));
  }

  @Mutation(() => AssistanceType, {
    description:
      'Ends an assistance now, also for what is under way. What a supervisor ended of somebody else’s begins on that ticket by approval only. Repeated, it changes nothing.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async endAssistance(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AssistanceType> {
    return loaders.assistances.changed(await services.assistances.end(actor, id));
  }
}

@Resolver(() => AssistanceType)
export class AssistancePartsResolver {
  @FieldResolver(() => Staff, {
    nullable: true,
    description: 'Who asked, or opened the ticket; null where its helpdesk doesn’t know them.',
  })
  @Classified('INTERNAL')
  @Guarded(open)
  requestedBy(@Root() assistance: AssistanceType, @Ctx() { loaders }: RequestContext): Promise<Staff | null> {
    return loaders.tickets.staff(assistance.requestedByStaffId);
  }

  @FieldResolver(() => TicketType, { nullable: true, description: 'Null where you don’t work with it.' })
  @Classified('INTERNAL')
  @Guarded(open)
  ticket(@Root() assistance: AssistanceType, @Ctx() { loaders }: RequestContext): Promise<TicketType | null> {
    return loaders.credentials.ticket(assistance.ticketId);
  }

  @FieldResolver(() => LinkAssuranceEnum, {
    nullable: true,
    description: '`Customer.link` of whom it was asked for: for who may decide about it, before anybody did.',
  })
  @Classified('PERSONAL', { from: ['Customer.link'] })
  @Guarded(forWhoDecides)
  async link(@Root() assistance: AssistanceType, @Ctx() { loaders }: RequestContext): Promise<LinkAssurance | null> {
    const customer = await loaders.customers.load(assistance.customerId);
    assistance.tellsOf(customer?.shown.customer ?? null);
    return customer?.link ?? null;
  }

  @FieldResolver(() => [AssistanceType], {
    nullable: true,
    description:
      'Requests on its ticket for its customer before it, whoever made them, newest first, ten at most: for who may decide about it, before anybody did.',
  })
  @Listed({ most: mostEarlier })
  @Classified('INTERNAL')
  @Guarded(forWhoDecides)
  earlier(@Root() assistance: AssistanceType, @Ctx() { loaders }: RequestContext): Promise<readonly AssistanceType[]> {
    return loaders.assistances.earlierOf(assistance);
  }
}

@Resolver(() => TicketType)
export class TicketAssistanceResolver {
  @FieldResolver(() => AssistanceType, {
    nullable: true,
    description:
      'Yours on this ticket, live or waiting for its approval; where there is none, the last one where a supervisor put an end to it.',
  })
  @Classified('INTERNAL')
  @Guarded(open)
  assistance(@Root() ticket: TicketType, @Ctx() { loaders }: RequestContext): Promise<AssistanceType | null> {
    return loaders.assistances.ofTicket(ticket.id);
  }
}
