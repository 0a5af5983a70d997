import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings';

/** A server that listens on this machine. */
export interface Serving {
  readonly port: number;
  close(): Promise<unknown>;
}

/** Lets a Fastify server listen on a free port of this machine. */
export const listening = async (server: FastifyInstance): Promise<Serving> => {
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  return { port: Number(new URL(address).port), close: () => server.close() };
};

/** The child's side: starts the server with what the parent sends, tells its port, and stops when the parent is gone. */
export const serveForParent = (start: (settings: Settings) => Promise<Serving>): void => {
  process.once('message', (settings) => {
    start(settings as Settings).then(
      (server) => {
        process.once('disconnect', () => {
          server.close().then(
            () => process.exit(0),
            () => process.exit(1),
          );
        });
        process.send?.({ port: server.port });
      },
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
};
