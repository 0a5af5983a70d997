import type { FastifyInstance } from 'fastify';
import type { App } from '../app';
import type { DevelopmentIssuer } from '../authz/identity/development-issuer';

/** The explorer page of development: the graph as any of the demo people. */
export const explorerRoutes = (_app: App, issuer: DevelopmentIssuer) => async (server: FastifyInstance) => {
  server.get('/', async (_request, reply) =>
    reply.type('text/plain').send(`people: ${issuer.people.map(({ user }) => user).join(', ')}\n`),
  );
};
