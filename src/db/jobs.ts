import type { Lane } from '../lanes';

/**
 * The gateway's own jobs that write. Each has its place in the queue of an embedded database: `interactive` where a person
 * waits, or the log does.
 */
export const jobs = {
  delivery: 'background',
  expiry: 'background',
  identity: 'interactive',
  keys: 'interactive',
  logout: 'interactive',
  /** Takes what others tell, who wait for its answer. */
  receiver: 'interactive',
  /** Writes down, in their name, what somebody was shown, was refused, or had done from the command line. */
  recorder: 'interactive',
  sequencer: 'interactive',
  /** Does what is to be done about signals, and removes those whose time is over. */
  signals: 'background',
  /** Begins and ends the sessions of browsers. */
  'sign-in': 'interactive',
  start: 'interactive',
  sync: 'background',
  worker: 'background',
} as const satisfies Readonly<Record<string, Lane>>;

export type Job = keyof typeof jobs;
