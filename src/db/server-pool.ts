import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, createPool, type Pool } from 'mysql2';
import { sever } from './deadline';
import type { ServerLocation } from './location';
import type { ServerConnections } from './server-connections';

export type Side = 'read' | 'write';

/** Statements kept prepared per connection. A server allows 16,382 over all connections unless told otherwise. */
const keptPerConnection = 200;

/** Statements and changes that wait for each connection of a side; whatever comes then is told so at once. */
const waitingPerConnection = 100;

/** How the connections of one side are made. */
export interface PoolOptions {
  readonly side: Side;
  readonly size: number;
  /** Milliseconds after which nobody waits for what was asked; infinite where somebody does. */
  readonly deadline: number;
  /** Those of both sides. */
  readonly connections: ServerConnections;
}

/**
 * Each session is told how to work, whatever the server's own settings say: a session that began without autocommit would
 * lose what was written outside a transaction, and show its first instant for ever. READ COMMITTED: what a change reads
 * without locking is what is committed now, not at its first statement.
 *
 * The server doesn't notice that nobody waits any more: a read would run to its end, and a change would hold its rows while it
 * waits for another's. So it ends both by itself, a little earlier, which says what was the matter and leaves the connection.
 */
const sessionOf = ({ side, deadline }: PoolOptions): readonly string[] => {
  const isolation = 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED';
  const bound = deadline * 0.9;
  if (side === 'write')
    return [
      `SET SESSION autocommit = 1${Number.isFinite(bound) ? `, innodb_lock_wait_timeout = ${Math.max(1, Math.floor(bound / 1_000))}` : ''}`,
      isolation,
    ];
  // Each server takes the comment that is for it: MariaDB counts in seconds, MySQL in milliseconds.
  const statementTime = Number.isFinite(bound)
    ? ` /*M!100101 , max_statement_time = ${bound / 1_000} */ /*!50708 , max_execution_time = ${Math.round(bound)} */`
    : '';
  return [`SET SESSION autocommit = 1${statementTime}`, `${isolation}, READ ONLY`];
};

/** A socket of our own making: the driver holds a certificate against the name that it was connected by, which Node doesn't note for an address. */
const socketTo = ({ host, port, socket: path }: ServerLocation): Socket => {
  if (path !== null) return connect(path);
  const socket = connect(port, host);
  socket.setNoDelay(true);
  socket.once('connect', () => socket.setKeepAlive(true));
  return Object.assign(socket, { _host: host });
};

/** What the driver is told of a server. Throws where the file of its CA can't be read. */
export const connectionOptions = ({ host, port, user, password, name, tls, socket }: ServerLocation): ConnectionOptions => ({
  ...(socket === null ? { host, port } : { socketPath: socket }),
  user,
  password,
  database: name,
  ...(tls === null
    ? {}
    : {
        ssl: { rejectUnauthorized: true, verifyIdentity: true, ...(tls.ca === null ? {} : { ca: readFileSync(tls.ca, 'utf8') }) },
      }),
  charset: 'utf8mb4',
  timezone: 'Z',
  // Numbers are numbers: `db/integers` refuses one that the driver rounded.
  supportBigNumbers: false,
  bigNumberStrings: false,
  stringifyObjects: true,
  connectTimeout: 5_000,
  maxPreparedStatements: keptPerConnection,
});

/** The one place where connections to a server are made, for both sides. */
export const openPool = (location: ServerLocation, options: PoolOptions): Pool => {
  const pool = createPool({
    ...connectionOptions(location),
    connectionLimit: options.size,
    queueLimit: options.size * waitingPerConnection,
    stream: () => options.connections.opened(socketTo(location)),
  });
  options.connections.watch(pool);
  // Sent before whatever the connection was opened for. Where the server doesn't take it, nothing else is asked of that connection.
  pool.on('connection', (opened) => {
    for (const statement of sessionOf(options))
      opened.query(statement, (error) => {
        if (error) sever(opened);
      });
  });
  return pool;
};
