import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { largestPage, pageSize } from '../../graphql/cursor';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import type { RequestContext } from '../request';
import { TicketType } from '../tickets/ticket.type';
import { AssistanceType, BeginAssistanceInput } from './assistance.type';

@Resolver(() => AssistanceType)
export class AssistanceResolver {
  @Listed({ most: largestPage })
  @Query(() => [AssistanceType], {
    description: 'Requests of others on tickets of your teams that wait for your consent, oldest first.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to the supervisor's teams.
  @Guarded(open)
  async assistancesToApprove(
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<readonly AssistanceType[]> {
    const waiting = await services.assistances.waitingFor(actor, pageSize(first));
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
    return loaders.assistances.toType(await services.assistances.ask(ticket, input));
  }

  @Mutation(() => AssistanceType, { description: 'A supervisor’s consent to somebody else’s request.' })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async approveAssistance(
    @Arg('id', () => ID) id: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AssistanceType> {
    return loaders.assistances.toType(await services.assistances.approve(actor, id));
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
    return loaders.assistances.toType(await services.assistances.reject(actor, id, reason));
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
    return loaders.assistances.toType(await services.assistances.end(actor, id));
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
