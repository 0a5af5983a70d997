import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import { reachedBy } from '../../db/reached';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { HoldType } from '../holds/hold.type';
import { TransactionType } from '../payments/payment.type';
import type { RequestContext } from '../request';
import { TicketType } from '../tickets/ticket.type';
import { ticketIsTheirs } from '../tickets/tickets.policy';
import { recognitionIsAssisted } from './recognition.policy';
import { RecognitionType } from './recognition.type';
import { newestOfTicket } from './recognitions.service';

@Resolver(() => RecognitionType)
export class RecognitionsResolver {
  @Mutation(() => RecognitionType, {
    description:
      'Asks the ticket’s customer whether a pending payment is theirs. Repeated, it is the question that is there, or was answered.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async askCustomer(
    @Arg('ticketId', () => ID) ticketId: string,
    @Arg('transactionId', () => ID) transactionId: string,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<RecognitionType> {
    const ticket = await services.tickets.inScope(actor, ticketId, (stored) =>
      services.asking.expectMayAsk(stored, transactionId),
    );
    const id = await services.asking.ask(ticket, transactionId);
    return loaders.recognitions.toType(await services.recognitions.reachable(actor, id));
  }

  @FieldResolver(() => TicketType, { nullable: true, description: 'On which it was asked. Reading it here opens no ticket.' })
  @Classified('INTERNAL')
  @Guarded(open)
  ticket(@Root() recognition: RecognitionType, @Ctx() { loaders }: RequestContext): Promise<TicketType | null> {
    return loaders.credentials.ticket(recognition.ticketId);
  }

  @FieldResolver(() => TransactionType, { nullable: true, description: 'The payment that it is about, as it is now.' })
  @Classified('PAYMENT')
  @Guarded(recognitionIsAssisted)
  async transaction(@Root() recognition: RecognitionType, @Ctx() { loaders }: RequestContext): Promise<TransactionType | null> {
    const customer = await loaders.customers.load(recognition.customerId, recognition.key);
    return customer && loaders.payments.transactionOf(customer, reachedBy(recognition.row, 'transactionId'));
  }

  @FieldResolver(() => HoldType, { nullable: true, description: 'What the customer’s no placed.' })
  @Classified('PAYMENT')
  @Guarded(recognitionIsAssisted)
  hold(@Root() recognition: RecognitionType, @Ctx() { loaders }: RequestContext): Promise<HoldType | null> | null {
    return recognition.holdId === null ? null : loaders.holds.ofId(recognition.holdId);
  }
}

@Resolver(() => TicketType)
export class TicketRecognitionsResolver {
  @FieldResolver(() => [RecognitionType], {
    nullable: true,
    description: 'What the customer was asked about payments: the newest 50, newest first.',
  })
  @Listed({ most: newestOfTicket })
  @Classified('INTERNAL')
  @Guarded(ticketIsTheirs)
  recognitions(@Root() ticket: TicketType, @Ctx() { loaders }: RequestContext): Promise<readonly RecognitionType[]> {
    return loaders.recognitions.ofTicket(ticket.id);
  }
}
