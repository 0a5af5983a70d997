import type { FastifyRequest } from 'fastify';

const loopbackAddresses = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
export const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a browser or program on this machine asks, of its own accord. The socket's own address counts, not what a proxy
 * says; the name in Host unmasks a foreign page that had its own name resolved to this machine (DNS rebinding); and
 * Sec-Fetch-Site one that posts across origins.
 */
export const comesFromHere = ({ socket, headers }: FastifyRequest): boolean => {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const site = headers['sec-fetch-site'];
  return (
    loopbackAddresses.has(socket.remoteAddress ?? '') &&
    loopbackNames.has(host) &&
    (site === undefined || site === 'same-origin' || site === 'none')
  );
};
