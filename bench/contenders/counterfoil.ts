import 'reflect-metadata';
import { App } from '../../src/app';
import { createServer } from '../../src/http/server';
import { createLog } from '../../src/log';
import { configOf, connectorsOf, merchantOf } from '../settings';
import { listening, serveForParent } from './child';

/** The gateway with everything on: as `counterfoil start` runs it, following its sources and logging each request. */
serveForParent(async (settings) => {
  const config = configOf(settings);
  const app = await App.open({ config, log: createLog(config.logLevel), connectors: connectorsOf(merchantOf(settings)) });
  const server = await createServer(app);
  const serving = await listening(server);
  app.start();
  return serving;
});
