import { Client, fetchExchange } from '@urql/core';
import { frameReceipt } from '../frame/context';
import { framePlace } from '../frame/place';

/** Where subscriptions are asked for: server-sent events, one a connection. */
export const streamUrl = '/graphql/stream';

/** What the gateway is told of a request that a page makes by itself while nobody has touched it: their session goes on being idle. */
const unattended = { 'counterfoil-unattended': '1' };

/** A frame that nobody touched yet counts for nothing: the page around it makes a new one as often as it likes. */
let touched = framePlace === null ? performance.now() : Number.NEGATIVE_INFINITY;
/** Seconds after which what a page asks isn't what its reader did. */
const handled = 30;
// Who speaks to their machine, or has it press for them, presses without a pointer.
for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'click', 'input'] as const)
  addEventListener(kind, () => (touched = performance.now()), { capture: true, passive: true });

/** Headers of what is asked again each so many `seconds`. */
export const headersOfPoll = (seconds: number): Readonly<Record<string, string>> =>
  performance.now() - touched < seconds * 1_000 ? {} : unattended;

/** For every request of this page: the gateway takes its cookie only with our header, and nothing is kept by the browser. */
export const ownFetch: typeof fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('counterfoil-browser', '1');
  for (const [name, value] of Object.entries(headersOfPoll(handled))) headers.set(name, value);
  // In a helpdesk's frame it is the frame's own session that counts.
  if (framePlace !== null) headers.set('counterfoil-frame', framePlace.source);
  const receipt = frameReceipt();
  if (receipt !== null) headers.set('counterfoil-context', receipt);
  return fetch(input, { redirect: 'error', ...init, headers, credentials: 'same-origin', cache: 'no-store' });
};

/** Milliseconds after which an answer isn't waited for: a connection may be gone without a word, and what is shown has to be asked about again. */
const longestAnswer = 30_000;

/** As `ownFetch`, with an end to it, except for streams. */
const boundedFetch: typeof fetch = (input, init = {}) => {
  if (input === streamUrl) return ownFetch(input, init);
  const end = new AbortController();
  init.signal?.addEventListener('abort', () => end.abort());
  setTimeout(() => end.abort(new TypeError('no answer came')), longestAnswer);
  return ownFetch(input, { ...init, signal: end.signal });
};

/** Asks the graph anew each time: what was shown under an assistance that has ended is never shown again out of a store. */
export const client = new Client({
  url: '/graphql',
  preferGetMethod: false,
  fetchSubscriptions: true,
  requestPolicy: 'network-only',
  exchanges: [fetchExchange],
  fetch: boundedFetch,
});
