import type { Config } from '../../src/config/load';
import { helpdeskSource, paymentsSource } from '../merchant';
import { configOf, type Settings } from '../settings';

export const sender = { name: 'bench', key: Buffer.from('a key of the bench alone, 32 bytes') } as const;
/** The table that the bare replicas look at. */
export const bareEvents = 'bare_event';
/** Milliseconds between two looks: as often as the gateway looks. */
export const lookEvery = 100;

/** As `configOf`, with one sender of signals; a thousand readers come from this machine, as they would through a proxy. */
export const eventsConfigOf = (settings: Settings): Config => ({
  ...configOf(settings),
  trustedProxies: ['127.0.0.1/32'],
  signals: {
    sources: [{ name: sender.name, secrets: [sender.key], payments: paymentsSource, helpdesk: helpdeskSource, lateHours: 6 }],
  },
});
