import { Arg, Ctx, FieldResolver, ID, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { AssistanceType } from '../assistance/assistance.type';
import type { RequestContext } from '../request';
import { Viewer } from './viewer.type';

@Resolver(() => Viewer)
export class ViewerResolver {
  @Query(() => Viewer)
  @Classified('PUBLIC')
  @Guarded(open)
  viewer(@Ctx() { actor }: RequestContext): Viewer {
    return new Viewer(actor);
  }

  @FieldResolver(() => AssistanceType, {
    nullable: true,
    description: 'Yours on a ticket, as `Ticket.assistance` is. Asking for it opens no ticket, so none begins by it.',
  })
  @Classified('INTERNAL')
  // It is the reader's own.
  @Guarded(open)
  assistance(@Arg('ticketId', () => ID) ticketId: string, @Ctx() { loaders }: RequestContext): Promise<AssistanceType | null> {
    return loaders.assistances.ofTicket(ticketId);
  }
}
