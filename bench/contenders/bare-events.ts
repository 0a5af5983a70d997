import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import { createPool, type RowDataPacket } from 'mysql2/promise';
import { bareEvents, lookEvery } from '../events/settings';
import { listening, serveForParent } from './child';

interface Socket {
  send(text: string): void;
  on(event: 'close', listener: () => void): void;
}

/** What a team would have without us: looks at a table, and sends what is new to whoever it names. Nobody is asked who they are. */
serveForParent(async ({ databaseUrl }) => {
  const pool = createPool({ uri: databaseUrl, connectionLimit: 4 });
  const readers = new Map<string, Set<Socket>>();
  const server = Fastify();
  await server.register(websocket);
  server.get<{ Params: { reader: string } }>('/:reader', { websocket: true }, (socket: Socket, { params: { reader } }) => {
    const theirs = readers.get(reader) ?? new Set();
    readers.set(reader, theirs.add(socket));
    socket.on('close', () => theirs.delete(socket));
    socket.send('{"type":"connection_ack"}');
  });
  let seen = 0;
  const look = async () => {
    const [rows] = await pool.query<RowDataPacket[]>(
      `SELECT position, reader, body FROM ${bareEvents} WHERE position > ? ORDER BY position LIMIT 500`,
      [seen],
    );
    for (const { position, reader, body } of rows) {
      seen = Number(position);
      for (const socket of readers.get(String(reader)) ?? []) socket.send(String(body));
    }
  };
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, lookEvery));
    }
  })();
  server.addHook('onClose', async () => {
    isOver = true;
    await looking;
    await pool.end();
  });
  return listening(server);
});
