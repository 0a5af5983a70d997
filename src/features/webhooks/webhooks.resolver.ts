import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { withSecondFactor } from '../audit/audit.policy';
import type { RequestContext } from '../request';
import { ReplayWebhooksInput, WebhookDeliveryConnection, WebhookDeliveryFilter } from './webhook.type';

@Resolver()
export class WebhooksResolver {
  @Query(() => WebhookDeliveryConnection, {
    description: 'Messages to the configured endpoints, newest first, with their attempts.',
  })
  @Classified('INTERNAL')
  // Whoever the policy file names reads all of them.
  @Guarded(withSecondFactor)
  webhookDeliveries(
    @Arg('filter', () => WebhookDeliveryFilter, { nullable: true }) filter: WebhookDeliveryFilter | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, services }: RequestContext,
  ) {
    return services.webhooks.page(actor, { filter, first, after });
  }

  @Mutation(() => Int, {
    description: 'Sends messages again under the same ids, and enables an endpoint that had answered 410. Returns how many.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  replayWebhooks(
    @Arg('input', () => ReplayWebhooksInput) input: ReplayWebhooksInput,
    @Ctx() { actor, services }: RequestContext,
  ): Promise<number> {
    return services.webhooks.replay(actor, input);
  }
}
