import { createPool, type Pool } from 'mysql2';

/** Statements kept prepared per connection. A server allows 16,382 over all connections unless told otherwise. */
const keptPerConnection = 200;

/**
 * Reads from MariaDB or MySQL by prepared statements, over connections of its own: the server parses a statement once a
 * connection, and a value never becomes part of a text. Rows come as through TypeORM.
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
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<R[]> {
    return new Promise((resolve, reject) => {
      this.pool.execute(sql, parameters as Parameters<Pool['execute']>[1], (error: Error | null, rows: unknown) =>
        error ? reject(error) : resolve(rows as R[]),
      );
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pool.end((error) => (error ? reject(error) : resolve()));
    });
  }
}
