import { Sweep } from '../../background/sweep';
import type { Outgoing } from '../../upstream/outgoing';
import type { Core } from '../core';
import type { Telling } from './telling';
import { removeMessages } from './webhook-retention';
import type { WebhookEndpointSection } from './webhooks.section';
import { Webhooks } from './webhooks.service';

export interface WebhookSettings {
  readonly webhooks: readonly WebhookEndpointSection[];
  readonly outgoing: Outgoing;
}

/** Loaded where somebody is to be told. */
const tellingModule = () => require('./telling') as typeof import('./telling');

const tellingOf = (core: Core, { webhooks, outgoing }: WebhookSettings): Telling | null => {
  if (webhooks.length === 0) return null;
  const { Telling: Configured } = tellingModule();
  return new Configured(core, webhooks, outgoing);
};

/** What other systems are told of what happens here. */
export const createWebhooks = (core: Core, settings: WebhookSettings) => {
  const telling = tellingOf(core, settings);
  const sweep = new Sweep((now) => removeMessages(core.database, now), core.clock);
  return {
    service: new Webhooks({
      database: core.database,
      cursors: core.cursors,
      endpoints: settings.webhooks.map(({ name }) => name),
      onQueued: () => telling?.outbox.wake(),
    }),
    telling,
    // What endpoints were told that nobody has configured any more goes too.
    recurring: [() => sweep.turn()],
    start: () => telling?.start(),
    stop: async () => telling?.stop(),
  };
};
