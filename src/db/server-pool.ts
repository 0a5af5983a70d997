import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, createPool, type Pool } from 'mysql2';
import { sever } from './deadline';
import type { ServerLocation } from './location';

export type Side = 'read' | 'write';

/** Statements kept prepared per connection. A server allows 16,382 over all connections unless told otherwise. */
const keptPerConnection = 200;

/**
 * Each session is told how to work, whatever the server's own settings say: a session that began without autocommit would
 * lose what was written outside a transaction, and show its first instant for ever. READ COMMITTED: what a change reads
 * without locking is what is committed now, not at its first statement.
 */
const sessions: Readonly<Record<Side, readonly string[]>> = {
  write: ['SET SESSION autocommit = 1', 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'],
  read: ['SET SESSION autocommit = 1', 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY'],
};

/** The driver holds a certificate against the name that the socket was connected by, which Node doesn't note for an address. */
const namedSocket = (host: string, port: number): Socket => {
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
        stream: () => namedSocket(host, port),
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
export const openPool = (location: ServerLocation, side: Side, size: number): Pool => {
  const pool = createPool({ ...connectionOptions(location), connectionLimit: size });
  // Sent before whatever the connection was opened for. Where the server doesn't take it, nothing else is asked of that connection.
  pool.on('connection', (opened) => {
    for (const statement of sessions[side])
      opened.query(statement, (error) => {
        if (error) sever(opened);
      });
  });
  return pool;
};
