import { Loop } from '../../background/loop';
import { Outbox } from '../../background/outbox';
import { describeError } from '../../log';
import type { Core } from '../core';
import { Delivering, webhookJobs } from './delivering';
import { LogFollower } from './following';
import { Poster } from './posting';
import type { WebhookEndpointSection } from './webhooks.section';
import { Webhooks } from './webhooks.service';

export interface WebhookSettings {
  readonly webhooks: readonly WebhookEndpointSection[];
  readonly outgoing: { readonly proxy: string | null };
}

/** How often, in milliseconds, the log is looked at for what endpoints are to be told. */
const every = 500;
/** For how long, in milliseconds, one process has a message to itself: longer than a try may take. */
const lease = 60_000;

/** What other systems are told of what happens here. */
export const createWebhooks = (
  { database, cursors, clock, log, publicUrl }: Core,
  { webhooks: endpoints, outgoing }: WebhookSettings,
) => {
  const posters = new Map(endpoints.map((each) => [each.name, new Poster(each, outgoing.proxy !== null)]));
  const outbox = new Outbox<'POST', 'subject'>({
    database,
    jobs: webhookJobs,
    handlers: {
      POST: new Delivering({
        database,
        posters,
        clock,
        onGone: (endpoint) => log.error({ endpoint }, 'an endpoint of webhooks says that it is gone; it is told nothing more'),
      }),
    },
    lease,
    clock,
    faultOf: () => null,
    onFault: ({ subject, fault }, error) =>
      log.error({ webhook: subject, fault, error: describeError(error) }, 'a webhook failed'),
  });
  const follower = new LogFollower({ database, endpoints, source: publicUrl, onQueued: () => outbox.wake() });
  const loop = new Loop({
    turn: async () => void (await follower.turn()),
    every,
    onFault: (error) => log.error({ error: describeError(error) }, 'webhooks could not be written down'),
  });
  return {
    service: new Webhooks({
      database,
      cursors,
      endpoints: endpoints.map(({ name }) => name),
      onQueued: () => outbox.wake(),
    }),
    outbox,
    follower,
    start: () => {
      if (endpoints.length === 0) return;
      loop.start();
      outbox.start();
    },
    stop: async () => {
      await loop.stop();
      await outbox.stop();
      await Promise.all([...posters.values()].map((poster) => poster.close()));
    },
  };
};
