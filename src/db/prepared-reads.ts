import { createPool, type Pool, type PoolConnection } from 'mysql2';
import { sever, within } from './deadline';
import { spoilsConnection } from './engine';

/** Statements kept prepared per connection. A server allows 16,382 over all connections unless told otherwise. */
const keptPerConnection = 200;

/**
 * Reads from MariaDB or MySQL by prepared statements, over connections of its own: the server parses a statement once a
 * connection, refuses one that would write, and a value never becomes part of a text. Rows come as through TypeORM.
 */
export class PreparedReads {
  private readonly pool: Pool;

  constructor(url: string, poolSize: number) {
    this.pool = createPool({
      uri: url,
      connectionLimit: poolSize,
      charset: 'utf8mb4',
      timezone: 'Z',
      supportBigNumbers: false,
      bigNumberStrings: false,
      connectTimeout: 5_000,
      maxPreparedStatements: keptPerConnection,
    });
    // Sent before whatever the connection was opened for. Where the server doesn't take it, nothing else is asked of that connection.
    this.pool.on('connection', (opened) => {
      opened.query('SET SESSION TRANSACTION READ ONLY', (error) => {
        if (error) sever(opened);
      });
    });
  }

  /** Fails with `NO_ANSWER` after so many milliseconds, the wait for a free connection included. */
  query<R>(sql: string, parameters: readonly unknown[], milliseconds: number): Promise<R[]> {
    let connection: PoolConnection | undefined;
    let isLate = false;
    const reading = new Promise<R[]>((resolve, reject) => {
      this.pool.getConnection((fault, acquired) => {
        if (fault) return reject(fault);
        if (isLate) return acquired.release();
        connection = acquired;
        try {
          acquired.execute(sql, parameters as Parameters<Pool['execute']>[1], (error: Error | null, rows: unknown) => {
            if (error && spoilsConnection(error)) acquired.destroy();
            else acquired.release();
            if (error) reject(error);
            else resolve(rows as R[]);
          });
        } catch (error) {
          // The driver refuses some values before it sends anything.
          acquired.release();
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
