import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { App, describeError } from '../app';
import { loadConfig } from '../config';
import { createServer } from './server';

export const createLog = (level: string) =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { req: () => undefined, res: () => undefined, err: describeError },
  });

/** Reads the configuration, opens the app, fills an empty database, listens, and stops on SIGTERM or SIGINT once what is under way is done. */
export const runGateway = async (): Promise<FastifyInstance> => {
  const config = loadConfig();
  const log = createLog(config.logLevel);
  const app = await App.open({ config, log });
  if (config.demo) await app.sources.syncAll();
  const server = await createServer(app);
  app.start();
  const address = await server.listen({ host: config.host, port: config.port });
  log.info({ address }, 'listening');
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log.info({ signal }, 'stopping');
      server.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
  return server;
};
