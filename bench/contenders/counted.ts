import 'reflect-metadata';
import { App } from '../../src/app';
import { createServer } from '../../src/http/server';
import { createLog } from '../../src/log';
import { countedConfigOf } from '../events/counted';
import { connectorsOf, merchantOf } from '../settings';
import { listening, serveForParent } from './child';

/** One replica of the gateway that takes security event tokens, with the rule about recoveries in force. */
serveForParent(async (settings) => {
  const config = countedConfigOf(settings);
  const app = await App.open({ config, log: createLog(config.logLevel), connectors: connectorsOf(merchantOf(settings)) });
  const server = await createServer(app);
  const serving = await listening(server);
  app.start();
  return serving;
});
