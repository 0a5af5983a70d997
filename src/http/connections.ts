import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { addressIn, networkOf } from './client-address';

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

/** Connections of the process, and of one network that is no trusted proxy's: a desk of forty browsers behind one address has 240. */
const mostConnections = { all: 4_096, ofANetwork: 512 };

interface ConnectionOptions {
  /** Whether many people's requests come from an address: a proxy's. */
  readonly isTrusted: (address: string) => boolean;
  readonly deadlines: Pick<Deadlines, 'stop'>;
  readonly most?: Readonly<typeof mostConnections>;
}

/** The connections of one network. */
interface Connections {
  count: number;
  /** Those on which no request is under way, the longest idle first. */
  readonly idle: Set<Socket>;
}

/**
 * Bounds what connections may hold: their number, and, when the gateway stops, their time. A network that has all of its own gets
 * a further one in place of the longest idle, and none while all are busy: many people may share one address, and whoever keeps
 * connections that do nothing must not lock them out. `stop` ends those that never carried a request at once, and all that are
 * left when the deadline is over.
 */
export const boundConnections = (
  server: Server,
  { isTrusted, deadlines, most = mostConnections }: ConnectionOptions,
): { readonly stop: () => void } => {
  const networks = new Map<string, Connections>();
  const unused = new Set<Socket>();
  const underWay = new WeakMap<Socket, { readonly network: Connections; requests: number }>();
  server.maxConnections = most.all;
  server.on('connection', (socket: Socket) => {
    const address = addressIn(socket.remoteAddress ?? '') ?? '';
    const name = networkOf(address);
    const network = networks.get(name) ?? { count: 0, idle: new Set() };
    if (network.count >= most.ofANetwork && !isTrusted(address)) {
      const [idle] = network.idle;
      if (!idle) return void socket.destroy();
      network.idle.delete(idle);
      idle.destroy();
    }
    network.count += 1;
    network.idle.add(socket);
    networks.set(name, network);
    underWay.set(socket, { network, requests: 0 });
    unused.add(socket);
    socket.once('close', () => {
      unused.delete(socket);
      network.idle.delete(socket);
      network.count -= 1;
      if (network.count === 0) networks.delete(name);
    });
  });
  server.on('request', ({ socket }, response) => {
    unused.delete(socket);
    const here = underWay.get(socket);
    if (!here) return;
    here.requests += 1;
    here.network.idle.delete(socket);
    response.once('close', () => {
      here.requests -= 1;
      if (here.requests === 0 && !socket.destroyed) here.network.idle.add(socket);
    });
  });
  // What a connection was turned into is under way until it ends.
  server.on('upgrade', ({ socket }) => {
    unused.delete(socket);
    underWay.get(socket)?.network.idle.delete(socket);
  });
  return {
    stop: () => {
      for (const socket of unused) socket.destroy();
      setTimeout(() => server.closeAllConnections(), deadlines.stop).unref();
    },
  };
};
