import type { Pool, PoolConnection } from 'mysql2';
import { sever, within } from './deadline';
import { spoilsConnection } from './engine';
import type { ServerLocation } from './location';
import { ServerConnections } from './server-connections';
import { openPool } from './server-pool';

/**
 * Reads from MariaDB or MySQL by prepared statements, over connections of its own: the server parses a statement once a
 * connection, refuses one that would write, and a value never becomes part of a text. Rows come as through TypeORM.
 */
export class PreparedReads {
  private readonly pool: Pool;

  /** `deadline`: milliseconds that the server gives a statement; without one, any time. */
  constructor(
    location: ServerLocation,
    poolSize: number,
    deadline = Number.POSITIVE_INFINITY,
    private readonly connections = new ServerConnections(),
  ) {
    this.pool = openPool(location, { side: 'read', size: poolSize, deadline, connections });
  }

  /** Fails with `NO_ANSWER` after so many milliseconds, the wait for a free connection included. */
  query<R>(sql: string, parameters: readonly unknown[], milliseconds: number): Promise<R[]> {
    let connection: PoolConnection | undefined;
    let isLate = false;
    const giveBack = (used: PoolConnection): void => {
      this.connections.endIfLeft(used);
      used.release();
    };
    const reading = new Promise<R[]>((resolve, reject) => {
      this.pool.getConnection((fault, acquired) => {
        if (fault) return reject(fault);
        if (isLate) return giveBack(acquired);
        connection = acquired;
        try {
          acquired.execute(sql, parameters as Parameters<Pool['execute']>[1], (error: Error | null, rows: unknown) => {
            if (error && spoilsConnection(error)) acquired.destroy();
            else giveBack(acquired);
            if (error) reject(error);
            else resolve(rows as R[]);
          });
        } catch (error) {
          // The driver refuses some values before it sends anything.
          giveBack(acquired);
          reject(error);
        }
      });
    });
    return within(milliseconds, reading, () => {
      isLate = true;
      sever(connection);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pool.end((error) => (error ? reject(error) : resolve()));
    });
  }
}
