import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app';
import { Failure } from '../../failure';
import { comesFromHere } from '../../http/same-origin';
import type { DevelopmentIssuer } from '../issuer/development-issuer';
import { demoProvidersOf } from './demo-provider';
import { examplesFor } from './explorer/examples';
import { explorerPage, pageScript, pageStyle } from './explorer/page';

/** Four megabytes, for whoever opens the page. */
const editor = () => require('@graphql-yoga/render-graphiql/graphiql') as typeof import('@graphql-yoga/render-graphiql/graphiql');

const tokenRequest = z.strictObject({ user: z.string().max(32), mfa: z.boolean() });

/** The editor writes style elements and attributes of its own; everything else comes as a file from this server. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    workerSrc: ["'self'"],
    connectSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    fontSrc: ["'self'", 'data:'],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/**
 * The explorer page of development and its way to tokens: the graph as any of the demo people. Registered outside
 * production only.
 */
export const explorerRoutes = (app: App, issuer: DevelopmentIssuer) => async (server: FastifyInstance) => {
  const demo = app.config.sources.helpdesk.find(({ kind }) => kind === 'demo');
  // A new process may have new files; the same one never does.
  const version = Date.now().toString(36);
  const page = explorerPage(issuer.people, examplesFor(demo?.name ?? null), {
    version,
    hasDemoProvider: demoProvidersOf(app).length > 0,
  });
  server.get('/explorer', { helmet: { contentSecurityPolicy } }, (_request, reply) =>
    reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page),
  );

  const script = 'text/javascript; charset=utf-8';
  const style = 'text/css; charset=utf-8';
  const files: Readonly<Record<string, readonly [type: string, content: () => string]>> = {
    'page.js': [script, () => pageScript],
    'page.css': [style, () => pageStyle],
    'graphiql.js': [script, () => editor().js],
    'graphiql.css': [style, () => editor().css],
    'editor.worker.js': [script, () => editor().editorWorkerService],
    'json.worker.js': [script, () => editor().jsonWorker],
    'graphql.worker.js': [script, () => editor().graphqlWorker],
  };
  for (const [name, [type, content]] of Object.entries(files)) {
    server.get(`/explorer/${name}`, { helmet: { contentSecurityPolicy } }, (_request, reply) =>
      reply.header('cache-control', 'private, max-age=86400, immutable').type(type).send(content()),
    );
  }

  server.post('/development/token', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (!comesFromHere(request)) {
      throw new Failure('DENIED', 'Demo tokens are given to this machine only.', {
        remedy: 'Open the page as http://127.0.0.1 on the machine that runs the gateway, or run `counterfoil token` there.',
      });
    }
    const asked = tokenRequest.safeParse(request.body);
    if (!asked.success) throw Failure.invalid('body', 'expected {"user": …, "mfa": true or false}');
    const { user, mfa } = asked.data;
    const token = await issuer.issue(user, { mfa });
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp: number };
    return { user, mfa, token, expiresAt: new Date(exp * 1_000).toISOString() };
  });
};
