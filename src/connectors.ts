import type { Config } from './config/load';
import { RtHelpdesk } from './upstream/helpdesk/rt/rt.connector';

/** The object without what wasn't given: an option that is absent is not one that is undefined. */
export const present = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** The connector to a configured Request Tracker. `onFault` is told of a ticket that couldn't be read. */
export const rtHelpdesk = (
  {
    name,
    url,
    token,
    queues,
    webhookSecret,
    customerField,
    statuses,
    resilience,
  }: Extract<Config['sources']['helpdesk'][number], { kind: 'rt' }>,
  windowDays: number,
  clock: () => Date,
  onFault: (source: string, error: unknown) => void,
): RtHelpdesk =>
  new RtHelpdesk({
    source: name,
    url,
    token,
    windowDays,
    clock,
    onSkipped: (_reference, fault) => onFault(name, fault),
    ...present({ queues, webhookSecret, customerField, statuses, resilience: resilience && present(resilience) }),
  });
