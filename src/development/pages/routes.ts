import type { FastifyInstance } from 'fastify';
import type { App } from '../../app';
import { named } from '../../http/named';
import { demoProviderRoutes, demoProvidersOf } from './demo-provider';
import { developmentMailRoutes } from './development-mail';
import { explorerRoutes } from './explorer';

/** The pages of development: what customers are sent, the demo provider where there is one, the explorer where its issuer is on. */
export const developmentRoutes = (app: App) => async (server: FastifyInstance) => {
  await server.register(named('mail', developmentMailRoutes(app)));
  const providers = demoProvidersOf(app);
  if (providers.length > 0) await server.register(named('provider', demoProviderRoutes(app, providers)));
  if (app.development) await server.register(named('explorer', explorerRoutes(app, app.development.issuer)));
};
