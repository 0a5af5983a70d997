import type { Socket } from 'node:net';
import type { Pool, PoolConnection } from 'mysql2';

/** Milliseconds within which connections are left once at most while a server stays read-only: it goes on being read from. */
const leaveEvery = 1_000;

/**
 * The connections of both sides to one address. Another server may take over behind it, while those that are open still lead to the one
 * before. Only who writes there is told so; who reads would go on seeing what was.
 */
export class ServerConnections {
  private readonly sockets = new Set<Socket>();
  private readonly idle = new Set<PoolConnection>();
  /** Those opened since all were left the last time. */
  private current = new WeakSet<PoolConnection>();
  /** The last that was heard is that the server takes no writes, and since when that is so. */
  private refusedAt: number | null = null;

  watch(pool: Pool): void {
    pool.on('connection', (connection) => this.current.add(connection));
    pool.on('acquire', (connection) => this.idle.delete(connection));
    pool.on('release', (connection) => this.idle.add(connection));
  }

  /** From the beginning: one that a server took and never greeted is a connection to nobody else yet. */
  opened(socket: Socket): Socket {
    this.sockets.add(socket);
    return socket.once('close', () => this.sockets.delete(socket));
  }

  /** A server takes no writes: nothing new begins on the connections that are open, so that the next may lead elsewhere. */
  refused(): void {
    const now = performance.now();
    if (this.refusedAt !== null && now - this.refusedAt < leaveEvery) return;
    this.refusedAt = now;
    this.leave();
  }

  /** A server took a write over this connection. Where one refused before, those that were opened meanwhile may still lead to that one. */
  accepted(connection: PoolConnection): void {
    if (this.refusedAt === null) return;
    this.refusedAt = null;
    this.leave();
    this.current.add(connection);
  }

  /** Ends all of them without a word to a server that doesn't answer; each would keep the process alive. */
  sever(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Ends a connection that was left while it was in use; to be asked before it is given back. */
  endIfLeft(connection: PoolConnection): void {
    if (!this.current.has(connection)) connection.destroy();
  }

  private leave(): void {
    this.current = new WeakSet();
    for (const connection of this.idle) connection.destroy();
    this.idle.clear();
  }
}
