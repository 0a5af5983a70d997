import type { FastifyRequest } from 'fastify';
import { isForwarded } from './client-address';

const loopbackAddresses = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
export const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Host and port with the port left out where it is the protocol's own; null for what is no host. */
const hostOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).host : null);

/**
 * Whether a browser says that a page of another origin sent this: by Sec-Fetch-Site, or by Origin in a browser that is older.
 * Whoever says nothing is a program, or a browser that was given the address. An opaque origin (`null`) is what our own pages
 * have, because they are served with `no-referrer` (Fetch, 3.2), but anybody's frame can have one too: `opaque` says what is
 * made of it where Sec-Fetch-Site doesn't decide.
 */
export const comesFromElsewhere = (
  { headers: { origin, 'sec-fetch-site': site }, host }: FastifyRequest,
  opaque: 'own' | 'foreign',
): boolean => {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  if (origin === 'null') return site === undefined && opaque === 'foreign';
  const sender = hostOf(origin);
  return sender === null || sender !== hostOf(`${new URL(origin).protocol}//${host}`);
};

/**
 * Whether a browser or program on this machine asks, of its own accord. The socket's own address counts, not what a proxy
 * says, and what a proxy passes on comes from wherever it was sent; and the name in Host unmasks a foreign page that had its own name resolved to this machine (DNS rebinding).
 */
export const comesFromHere = (request: FastifyRequest): boolean => {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  return (
    loopbackAddresses.has(request.socket.remoteAddress ?? '') &&
    loopbackNames.has(name) &&
    !isForwarded(request.headers) &&
    !comesFromElsewhere(request, 'foreign')
  );
};
