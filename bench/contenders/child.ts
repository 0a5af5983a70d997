import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings';

/** The child's side: starts the server with what the parent sends, tells its port, and stops when the parent is gone. */
export const serveForParent = (start: (settings: Settings) => Promise<FastifyInstance>): void => {
  process.once('message', (settings) => {
    start(settings as Settings).then(
      async (server) => {
        const address = await server.listen({ host: '127.0.0.1', port: 0 });
        process.once('disconnect', () => {
          server.close().then(
            () => process.exit(0),
            () => process.exit(1),
          );
        });
        process.send?.({ port: Number(new URL(address).port) });
      },
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
};
