import 'reflect-metadata';
import { App } from '../../src/app';
import { createServer } from '../../src/http/server';
import { createLog } from '../../src/log';
import { eventsConfigOf } from '../events/settings';
import { connectorsOf, merchantOf } from '../settings';
import { listening, serveForParent } from './child';

/** One replica of the gateway, with everything on, and one sender of signals. */
serveForParent(async (settings) => {
  const config = eventsConfigOf(settings);
  const app = await App.open({ config, log: createLog(config.logLevel), connectors: connectorsOf(merchantOf(settings)) });
  const server = await createServer(app);
  const serving = await listening(server);
  app.start();
  return serving;
});
