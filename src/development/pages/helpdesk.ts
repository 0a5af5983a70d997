import type { FastifyInstance } from 'fastify';
import type { App } from '../../app';
import { Failure } from '../../failure';
import { comesFromHere } from '../../http/same-origin';
import type { Development } from '../sites/development';
import type { MockHelpdesk } from '../sites/helpdesk/mock-helpdesk';

/** The way to the helpdesk that has the panel in its pages, which is at an address of its own. Registered outside production only. */
export const helpdeskRoutes =
  (app: App, development: Development, desk: Omit<MockHelpdesk, 'gateway'>) => async (server: FastifyInstance) => {
    server.get('/development/helpdesk', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      if (!comesFromHere(request))
        throw new Failure('DENIED', 'The demo helpdesk is seen from this machine only.', {
          remedy: 'Open the page as http://127.0.0.1 on the machine that runs the gateway.',
        });
      return reply.redirect(`${await development.helpdesk({ ...desk, gateway: app.publicUrl })}/`, 303);
    });
  };
