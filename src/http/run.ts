import { createServer as createSocket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { App } from '../app';
import type { Config } from '../config/load';
import type { SyncProgress } from '../features/sources/polling';
import { describeError } from '../log';
import { createServer } from './server';

/** The address is taken by another program. */
export class AddressInUse extends Error {
  constructor(
    readonly host: string,
    readonly port: number,
  ) {
    super(`Port ${port} on ${host} is in use by another program. Stop that one, or take another port with PORT.`);
    this.name = 'AddressInUse';
  }
}

const addressFault = (error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): unknown =>
  (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? new AddressInUse(host, port) : error;

/** Throws `AddressInUse` before anything long begins; `listen` itself is what decides. */
const probeAddress = ({ host, port }: Pick<Config, 'host' | 'port'>): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createSocket();
    socket.once('error', (error) => reject(addressFault(error, { host, port })));
    socket.listen({ host, port }, () => socket.close(() => resolve()));
  });

export interface GatewayObserver {
  /** The demo merchant is loaded into an empty database. */
  onLoading?(): void;
  onProgress?(progress: SyncProgress): void;
  onLoaded?(): void;
  /** The first signal came: what is under way is finished. */
  onStopping?(): void;
  /** It listens, and may take commands beside its requests. Returns what ends that. */
  onListening?(app: App): Promise<() => Promise<void>>;
}

export interface Gateway {
  readonly app: App;
  readonly server: FastifyInstance;
  /** `http://127.0.0.1:4000` */
  readonly address: string;
  /** Whether the demo merchant was loaded. */
  readonly loaded: boolean;
}

/**
 * Opens the app, fills an empty demo database, listens, and stops on SIGTERM or SIGINT once requests, disclosures and
 * writes under way are done; a second signal stops at once. Null when it was told to stop before it listened. Throws
 * `DatabaseInUse` and `AddressInUse`.
 */
export const runGateway = async (config: Config, log: Logger, observer: GatewayObserver = {}): Promise<Gateway | null> => {
  await probeAddress(config);
  const app = await App.open({ config, log });
  let server: FastifyInstance | null = null;
  let loading: Promise<void> | null = null;
  let stopping = false;
  let stopCommands = async () => {};
  const stop = async (): Promise<void> => {
    await stopCommands();
    if (server) return server.close();
    await app.sources.stop();
    // What a stopped load throws is of no interest; what it wrote stays, and the next start goes on from there.
    await loading?.catch(() => {});
    await app.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      log.info({ signal }, 'stopping');
      observer.onStopping?.();
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error: describeError(error) }, 'could not stop cleanly');
          process.exit(1);
        },
      );
    });
  }
  try {
    const unread = (await app.sources.health()).some(({ side, backfilledAt }) => side === 'helpdesk' && backfilledAt === null);
    // Real sources fill in the background: a sidebar's ticket is read through meanwhile.
    const loads = config.demo !== null && unread;
    if (loads) {
      observer.onLoading?.();
      loading = app.sources.syncAll(observer.onProgress);
      await loading;
      observer.onLoaded?.();
    }
    if (stopping) return null;
    server = await createServer(app);
    const address = await server.listen({ host: config.host, port: config.port });
    // Links lead to where it listens, so nothing is sent before that is known.
    app.listensAt(address);
    app.start();
    if (observer.onListening) stopCommands = await observer.onListening(app);
    return { app, server, address, loaded: loads };
  } catch (error) {
    if (stopping) return null;
    await stop();
    throw addressFault(error, config);
  }
};
