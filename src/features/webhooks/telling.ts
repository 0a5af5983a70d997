import { Loop } from '../../background/loop';
import { Outbox } from '../../background/outbox';
import { describeError } from '../../log';
import type { Outgoing } from '../../upstream/outgoing';
import type { Core } from '../core';
import { Delivering, webhookJobs } from './delivering';
import { LogFollower } from './following';
import { Poster } from './posting';
import type { WebhookEndpointSection } from './webhooks.section';

/** How often, in milliseconds, the log is looked at for what endpoints are to be told. */
const every = 500;
/** For how long, in milliseconds, one process has a message to itself: longer than a try may take. */
const lease = 60_000;

/** Tells the configured endpoints: writes down what they are to be told, and sends it. */
export class Telling {
  private readonly posters = new Map(
    this.endpoints.map((endpoint) => [endpoint.name, new Poster(endpoint, this.outgoing)] as const),
  );
  readonly outbox = new Outbox<'POST', 'subject'>({
    database: this.core.database,
    jobs: webhookJobs,
    handlers: {
      POST: new Delivering({
        database: this.core.database,
        posters: this.posters,
        clock: this.core.clock,
        onGone: (endpoint) =>
          this.core.log.error({ endpoint }, 'an endpoint of webhooks says that it is gone; it is told nothing more'),
      }),
    },
    lease,
    clock: this.core.clock,
    faultOf: () => null,
    onFault: ({ subject, fault }, error) =>
      this.core.log.error({ webhook: subject, fault, error: describeError(error) }, 'a webhook failed'),
  });
  readonly follower = new LogFollower({
    database: this.core.database,
    endpoints: this.endpoints,
    source: this.core.publicUrl,
    onQueued: () => this.outbox.wake(),
  });
  private readonly loop = new Loop({
    turn: async () => void (await this.follower.turn()),
    every,
    onFault: (error) => this.core.log.error({ error: describeError(error) }, 'webhooks could not be written down'),
  });

  constructor(
    private readonly core: Pick<Core, 'database' | 'clock' | 'log' | 'publicUrl'>,
    private readonly endpoints: readonly WebhookEndpointSection[],
    private readonly outgoing: Outgoing,
  ) {}

  start(): void {
    this.loop.start();
    this.outbox.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.outbox.stop();
    await Promise.all([...this.posters.values()].map((poster) => poster.close()));
  }
}
