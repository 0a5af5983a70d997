import type { FastifyInstance } from 'fastify';
import type { App } from '../../app';
import { named } from '../../http/named';
import { demoHelpdesksOf, demoProviderRoutes, demoProvidersOf } from './demo-provider';
import { developmentMailRoutes } from './development-mail';
import { explorerRoutes } from './explorer';
import { helpdeskRoutes } from './helpdesk';

/** The pages of development: what customers are sent, the demo provider and a helpdesk with the panel where there is one, the explorer where its issuer is on. */
export const developmentRoutes = (app: App) => async (server: FastifyInstance) => {
  await server.register(named('mail', developmentMailRoutes(app)));
  const providers = demoProvidersOf(app);
  if (providers.length > 0) await server.register(named('provider', demoProviderRoutes(app, providers)));
  const [helpdesk] = demoHelpdesksOf(app);
  if (app.development && helpdesk) await server.register(named('helpdesk', helpdeskRoutes(app, app.development, helpdesk)));
  if (app.development) await server.register(named('explorer', explorerRoutes(app, app.development.issuer)));
};
