import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { addressIn } from './client-address';

/** Milliseconds. */
export const usualDeadlines = {
  /** For a request's line and headers; also for the first byte on a new connection. */
  headers: 10_000,
  /** For a whole request, its body included. */
  request: 15_000,
  /** For a connection on which nothing moves in either direction: whoever doesn't read their answer. */
  silence: 60_000,
  /** For a connection between two requests: longer than proxies keep one, so that they are the ones to close it. */
  idle: 72_000,
  /** How often late ones are looked for. */
  check: 1_000,
  /** For what is under way when the gateway is told to stop. */
  stop: 10_000,
};
export type Deadlines = Readonly<typeof usualDeadlines>;

/** Connections of the process, and of one address that is no trusted proxy's: a desk of forty browsers behind one address has 240. */
const mostConnections = { all: 4_096, ofAnAddress: 512 };

interface ConnectionOptions {
  /** Whether many people's requests come from an address: a proxy's. */
  readonly isTrusted: (address: string) => boolean;
  readonly deadlines: Pick<Deadlines, 'stop'>;
  readonly most?: Readonly<typeof mostConnections>;
}

/**
 * Bounds what connections may hold: their number, and, when the gateway stops, their time. `stop` ends those that never carried
 * a request at once, and all that are left when the deadline is over.
 */
export const boundConnections = (
  server: Server,
  { isTrusted, deadlines, most = mostConnections }: ConnectionOptions,
): { readonly stop: () => void } => {
  const open = new Map<string, number>();
  const unused = new Set<Socket>();
  server.maxConnections = most.all;
  server.on('connection', (socket: Socket) => {
    const address = addressIn(socket.remoteAddress ?? '') ?? '';
    const count = (open.get(address) ?? 0) + 1;
    if (count > most.ofAnAddress && !isTrusted(address)) return void socket.destroy();
    open.set(address, count);
    unused.add(socket);
    socket.once('close', () => {
      unused.delete(socket);
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
  server.on('request', ({ socket }) => unused.delete(socket));
  return {
    stop: () => {
      for (const socket of unused) socket.destroy();
      setTimeout(() => server.closeAllConnections(), deadlines.stop).unref();
    },
  };
};
