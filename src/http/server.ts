import { createHash } from 'node:crypto';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { App } from '../app';
import type { SignedInActor } from '../authz/actor';
import { credentialsIn } from '../authz/identity/presented-tokens';
import { asksForNonce } from '../authz/identity/proof-fault';
import { Failure, ProgrammingError } from '../failure';
import type { Arrival } from '../features/actors/actors.service';
import type { RequestContext } from '../features/request';
import { extensionsOf, failureIn, persistedQueryNotFound, unexpectedMessage } from '../graphql/errors';
import { nextTurn } from '../graphql/work';
import { Lanes, WaitedTooLong } from '../lanes';
import { reportFault } from '../log';
import { ulid } from '../ulid';
import { SourceUnavailable } from '../upstream/source-unavailable';
import { answered } from './answered';
import { createApollo } from './apollo';
import { arriving, broughtBy } from './arriving';
import { auditExportRoutes } from './audit-export';
import { challengeOf } from './challenge';
import { clientOf, trustIn } from './client-address';
import { headersOfClients } from './client-headers';
import { confirmRoutes, isConfirmAddress, sendDeadLink } from './confirm';
import { withoutGlue } from './confirm/address';
import { boundConnections, type Deadlines, usualDeadlines } from './connections';
import { consoleRoutes, readConsole } from './console';
import { Documented } from './documented';
import { eventStreamRoutes } from './event-stream';
import { acceptForms, formOf } from './form';
import { frameRoutes } from './frames';
import { healthRoutes } from './health';
import { Metrics } from './metrics';
import { named } from './named';
import { fillRegistered } from './registered';
import { comesFromElsewhere } from './same-origin';
import { signInRoutes } from './sign-in';
import { signalRoutes } from './signals';
import { Subscriptions } from './subscriptions';
import { readVerifier, verifierRoutes } from './verifier';
import { webSocketRoutes } from './web-socket';

declare module 'fastify' {
  interface FastifyRequest {
    actor: SignedInActor | null;
    /** The same, for as long as the connection of this request. */
    arrival: Arrival | null;
    /** It was asked for by the hash that it is registered under. */
    isRegistered: boolean;
  }
}

/** Largest request, in bytes. A webhook of a helpdesk or a provider is far below. */
const largestBody = 256 * 1024;
/** From so many bytes on, a body is read in a turn of the event loop of its own: fifty at once take a fifth of a second. */
const largeBody = 16 * 1024;
/** Largest headers, in bytes: a token of a person with many groups, and what else a browser sends. */
const largestHeaders = 80 * 1024;
/** Webhooks that are taken at once, and that wait for at most so many milliseconds: what isn't taken is sent again. */
const webhooksAtOnce = 16;
const webhooksWaiting = 64;
const longestWebhookWait = 5_000;
/** Largest form with a logout token, in bytes. */
const largestLogoutForm = 16 * 1024;

const statusOf: Readonly<Record<Failure['code'], number>> = {
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  DENIED: 403,
  INVALID: 400,
  CONFLICT: 409,
  UPSTREAM_UNAVAILABLE: 503,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  RECORD_UNAVAILABLE: 503,
};

const sendFailure = (reply: FastifyReply, failure: Failure, status = statusOf[failure.code]): FastifyReply => {
  if (failure.details.retryAfter) reply.header('retry-after', failure.details.retryAfter);
  return reply.code(status).send({ errors: [{ message: failure.message, extensions: extensionsOf(failure) }] });
};

/** What a request that HTTP itself refuses is told; never with a word of what was sent. */
const refusedRequest: Readonly<Record<number, Failure>> = {
  413: Failure.invalid('body', `expected at most ${largestBody / 1024} KiB`),
  414: Failure.invalid('url', 'expected a shorter address'),
  415: Failure.invalid('content-type', 'expected application/json'),
};
const refusalOf = (error: unknown): { readonly status: number; readonly failure: Failure } | null => {
  const { code, statusCode: status = 500 } = error as { code?: string; statusCode?: number };
  if (status >= 500) return null;
  const failure =
    refusedRequest[status] ??
    (code === 'FST_ERR_BAD_URL'
      ? Failure.invalid('url', 'expected a well-formed address')
      : Failure.invalid('body', `expected one JSON object of at most ${largestBody / 1024} KiB`));
  return { status, failure };
};

/** RFC 9110, 7.2: a name, an IPv4 address or an IPv6 address in brackets, with or without a port. */
const isHost = (host: string | undefined): boolean =>
  /^(?:[a-z0-9_](?:[a-z0-9._-]{0,253})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.test(host ?? '') && URL.canParse(`http://${host}`);

/** How often a host is named: more than once is refused (RFC 9112, 3.2), since two that look at it may each take another one. */
const hostsIn = (rawHeaders: readonly string[]): number =>
  rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;

/** What answers the same to everybody, whatever name they ask by. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const developmentPages = () => require('../development/pages/routes') as typeof import('../development/pages/routes');

const tooManyRequests = (milliseconds: number): Failure =>
  new Failure('RATE_LIMITED', 'Too many requests.', { remedy: 'Slow down.', retryAfter: Math.ceil(milliseconds / 1_000) });

/** Bodies are looked at by what takes them, with zod. Unless told otherwise, Fastify loads compilers for schemas of routes, of which there are none. */
const refuseSchema = () => () => {
  throw new ProgrammingError('routes have no JSON schema: what a route takes it looks at itself');
};
const withoutRouteSchemas = { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } };

/** The HTTP side of the gateway. `close` stops accepting, finishes what it has, then closes the app. */
export const createServer = async (
  app: App,
  deadlines: Deadlines = usualDeadlines,
  /** Where the console was built; where the build puts it unless told otherwise. */
  consoleFolder?: string,
  /** The same of the verifier. */
  verifierFolder?: string,
): Promise<FastifyInstance> => {
  const { config, log } = app;
  const metrics = new Metrics();
  const tellUnexpected = unexpectedMessage(config.production);
  const confirm = { merchant: config.merchant.name, supportUrl: config.merchant.supportUrl, answerSteps: app.answerSteps };
  const isTrusted = trustIn(config.trustedProxies);
  const server = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    // Our own lines below: route patterns instead of URLs, and nothing of bodies or headers.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: largestBody,
    genReqId: () => `req_${ulid()}`,
    trustProxy: config.trustedProxies.length > 0 ? isTrusted : false,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: largestHeaders,
      headersTimeout: deadlines.headers,
      connectionsCheckingInterval: deadlines.check,
    },
    requestTimeout: deadlines.request,
    connectionTimeout: deadlines.silence,
    keepAliveTimeout: deadlines.idle,
    routerOptions: { maxParamLength: 200 },
    schemaController: withoutRouteSchemas,
    rewriteUrl: ({ url = '/' }) => withoutGlue(url),
    // An address that the router can't read doesn't reach the error handler, and Fastify's own answer repeats it.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      if (isConfirmAddress(request.raw.url)) return void sendDeadLink(reply, confirm);
      const { status, failure } = refusalOf(error) ?? {
        status: 400,
        failure: Failure.invalid('url', 'expected a well-formed address'),
      };
      sendFailure(reply, failure, status);
    },
  });
  server.decorateRequest('actor', null);
  server.decorateRequest('arrival', null);
  server.decorateRequest('isRegistered', false);

  // A request under way when the gateway stops is answered; its connection must not then wait for another one.
  let closing = false;
  const connections = boundConnections(server.server, { isTrusted, deadlines });
  server.addHook('preClose', async () => {
    closing = true;
    connections.stop();
  });
  server.addHook('onRequest', ({ headers, raw, routeOptions: { url } }, reply, done) => {
    // Load balancers ask in HTTP/1.0, which needs no host.
    if (headers.host === undefined && url !== undefined && probes.has(url)) return done();
    // What is told by name (links, the origin of a page) is told by this one.
    if (isHost(headers.host) && hostsIn(raw.rawHeaders) === 1) return done();
    // Whose the rest on this connection is nobody can tell.
    reply.header('connection', 'close');
    done(Failure.invalid('host', 'expected the name or address that the request was sent to'));
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    // Node would measure a text, join it with the headers and make bytes of both.
    done(null, typeof payload === 'string' ? Buffer.from(payload) : payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? '(none)';
    const seconds = reply.elapsedTime / 1_000;
    metrics.requests.observe({ route, method: request.method, status: reply.statusCode }, seconds);
    log.info(
      {
        requestId: request.id,
        route,
        method: request.method,
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
        actor: request.actor?.id,
      },
      'request',
    );
    done();
  });

  await server.register(helmet, {
    // helmet's defaults would add sources for scripts, styles and fonts to what is an interface for programs.
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    referrerPolicy: { policy: 'no-referrer' },
    // Where TLS ends is the operator's; a header sent over plain HTTP has no meaning anyway.
    hsts: config.production,
  });
  await server.register(cors, {
    origin: config.corsOrigins.length > 0 ? [...config.corsOrigins] : false,
    methods: ['POST'],
    allowedHeaders: [...headersOfClients],
    exposedHeaders: ['retry-after', 'www-authenticate', 'dpop-nonce'],
    maxAge: 600,
  });
  await server.register(rateLimit, {
    max: config.rateLimit,
    timeWindow: '1 minute',
    // By token, so that one desk's proxy isn't one client; by address without one, and where no token is asked for.
    keyGenerator: (request) => {
      const { headers, routeOptions } = request;
      // What opens a web socket is looked at before its token is.
      if (request.method === 'GET' && routeOptions.url === '/graphql') return clientOf(request);
      const asksToken = routeOptions.url?.startsWith('/graphql') || routeOptions.url?.startsWith('/audit/');
      const token = asksToken ? (credentialsIn(headers.authorization)?.token ?? broughtBy(request)?.cookie ?? null) : null;
      return token === null ? clientOf(request) : createHash('sha256').update(token).digest('base64url');
    },
    allowList: ({ url }) => url === '/healthz',
    errorResponseBuilder: (_request, { ttl }) => tooManyRequests(ttl),
  });
  // A made-up token is a new client each time: what is refused counts for the address it came from.
  const countRefusal = server.createRateLimit({
    max: config.rateLimit,
    timeWindow: '1 minute',
    keyGenerator: (request) => `refused ${clientOf(request)}`,
  });

  server.setErrorHandler((error, request, reply) => {
    const failure = failureIn(error);
    if (failure?.code === 'RECORD_UNAVAILABLE') reportFault(log, request.id, failure);
    if (failure?.code === 'UNAUTHENTICATED') {
      reply.header('www-authenticate', challengeOf(failure, request.headers.authorization, config.dpop.algorithms));
      if (asksForNonce(failure)) reply.header('dpop-nonce', app.actors.proofNonce);
    }
    if (failure) return sendFailure(reply, failure);
    const refusal = refusalOf(error);
    if (refusal) return sendFailure(reply, refusal.failure, refusal.status);
    reportFault(log, request.id, error);
    return reply.code(500).send({
      errors: [
        {
          message: tellUnexpected(error),
          extensions: { code: 'INTERNAL', requestId: request.id },
        },
      ],
    });
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({
      errors: [{ message: 'There is nothing here. The graph is at POST /graphql.', extensions: { code: 'NOT_FOUND' } }],
    }),
  );

  const refused = (error: unknown): Failure | undefined => {
    const failure = failureIn(error);
    if (failure?.code === 'UNAUTHENTICATED') metrics.unidentified.inc({ rule: failure.details.rule ?? 'token.none' });
    return failure;
  };
  const expectFewRefused = async (request: FastifyRequest): Promise<void> => {
    const counted = await countRefusal(request, { increment: false });
    if (!counted.isAllowed && counted.isExceeded) throw tooManyRequests(counted.ttl);
  };
  const arrive = arriving(app, expectFewRefused);
  const identify = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header('cache-control', 'no-store');
    try {
      const arrival = await arrive(request);
      request.arrival = arrival;
      request.actor = arrival.actor;
      if (arrival.nextNonce !== null) reply.header('dpop-nonce', arrival.nextNonce);
    } catch (error) {
      const failure = refused(error);
      // That nobody can be looked up just now is no refusal.
      if (failure?.code === 'RECORD_UNAVAILABLE' || failure?.code === 'OVERLOADED') throw error;
      // Whoever is asked for a nonce has proven nothing wrong: it is how their clients begin.
      if (failure && asksForNonce(failure)) throw error;
      const counted = await countRefusal(request);
      if (!counted.isAllowed && counted.isExceeded) throw tooManyRequests(counted.ttl);
      throw error;
    }
  };

  const documents = new Documented(app);
  const apollo = await createApollo(app, documents, (code) => metrics.errors.inc({ code }));
  const graph = fastifyApolloHandler<RequestContext>(apollo, {
    context: async (request: FastifyRequest) => app.context(request.actor as SignedInActor, request.id, request.isRegistered),
  });
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length < largeBody) parseJson(request, String(body), done);
    else void nextTurn().then(() => parseJson(request, String(body), done));
  });
  server.route({
    // POST only: opening a ticket begins an assistance, which no link and no cache may do.
    method: 'POST',
    url: '/graphql',
    onRequest: identify,
    preHandler: async ({ body }) => {
      // Some clients send it for operations without a name.
      if (isRecord(body) && body.operationName === '') delete body.operationName;
    },
    handler: (request, reply) => {
      const actor = request.actor as SignedInActor;
      const work = async () => {
        // Whoever went away meanwhile is asked nothing for.
        if (reply.raw.destroyed) return reply.hijack();
        const found = await fillRegistered(request.body, actor, app.operations);
        if (found === 'unknown') {
          metrics.errors.inc({ code: persistedQueryNotFound.extensions.code });
          return reply.send({ errors: [persistedQueryNotFound] });
        }
        request.isRegistered = found === 'registered';
        return graph.call(server, request, reply);
      };
      return app.admission.request({ actorId: actor.id, isService: actor.kind === 'service', work, left: answered(reply) });
    },
  });

  const subscriptions = new Subscriptions(app, documents, metrics);
  // Whoever names no origin is a program: browsers name it with every connection that a page opens.
  const isWelcome = (request: FastifyRequest): boolean =>
    !comesFromElsewhere(request, 'foreign') || config.corsOrigins.includes(request.headers.origin ?? '');
  const countSocket = async (request: FastifyRequest): Promise<void> => void (await countRefusal(request));
  const sockets = { app, subscriptions, isWelcome, refused, countRefusal: countSocket, expectFewRefused };
  await server.register(named('web socket', webSocketRoutes(sockets)));
  await server.register(named('event stream', eventStreamRoutes({ subscriptions, identify, isWelcome })));

  await server.register(named('audit export', auditExportRoutes(app, identify)));

  const webhookPlaces = new Lanes(webhooksAtOnce, webhooksWaiting);
  const webhooks = named('webhooks', async (raw) => {
    // Signatures are over bytes: nothing may parse and re-write a body before it is judged.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    raw.post<{ Params: { source: string } }>('/webhooks/:source', async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
      );
      let outcome: string;
      try {
        const take = () => app.sources.webhook(request.params.source, { headers, body, now: app.clock() });
        outcome = await webhookPlaces.run('interactive', take, longestWebhookWait);
      } catch (error) {
        if (!(error instanceof SourceUnavailable || error instanceof WaitedTooLong)) throw error;
        // The source sends it again, and the next poll would find the change anyway.
        reply.header('retry-after', 10);
        outcome = 'unavailable';
      }
      // Whether a customer has entered their new card is asked of the provider, which just said that something happened.
      if (outcome === 'accepted') await app.services.jobs.hasten('SETUP', request.params.source);
      metrics.webhooks.inc({ source: outcome === 'rejected' ? '(unproven)' : request.params.source, outcome });
      if (outcome === 'rejected') {
        return sendFailure(
          reply.header('www-authenticate', 'Bearer'),
          new Failure('UNAUTHENTICATED', 'The webhook is not proven to come from its source.', {
            remedy: 'Check the signing secret and the clock on both sides.',
          }),
        );
      }
      return reply.code(outcome === 'unavailable' ? 503 : 202).send({ outcome });
    });
  });
  await server.register(webhooks);

  await server.register(named('signals', signalRoutes(app, metrics)));

  const logout = named('logout', async (form) => {
    acceptForms(form, { largest: largestLogoutForm });
    // OpenID Connect Back-Channel Logout 1.0, 2.5 and 2.8.
    form.post('/oidc/back-channel-logout', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const { logout_token: token } = formOf(request);
      if (token === undefined)
        return reply.code(400).send({ error: 'invalid_request', error_description: 'expected logout_token in a form' });
      try {
        await app.actors.logout(token);
        return reply.code(200).send();
      } catch (error) {
        const failure = failureIn(error);
        if (!failure) throw error;
        if (failure.code === 'RECORD_UNAVAILABLE') reportFault(log, request.id, failure);
        // A session that should have ended goes on: whoever operates this has to know, and nothing of the token.
        else
          log.warn(
            { requestId: request.id, issuer: app.actors.issuerNamedIn(token), rule: failure.details.rule },
            'a logout token was refused',
          );
        if (failure.details.retryAfter) reply.header('retry-after', failure.details.retryAfter);
        return reply
          .code(failure.code === 'UNAUTHENTICATED' ? 400 : statusOf[failure.code])
          .send({ error: 'invalid_request', error_description: failure.message });
      }
    });
  });
  await server.register(logout);

  if (app.signIn) {
    const refusedSignIn = (why: string) => metrics.unidentified.inc({ rule: `sign-in.${why}` });
    const options = { signIn: app.signIn, ownOrigin: () => app.publicUrl, refused: refusedSignIn };
    await server.register(named('sign-in', signInRoutes(options)));
    const built = readConsole(consoleFolder);
    if (built) await server.register(named('console', consoleRoutes(built)));
    const verifier = readVerifier(verifierFolder);
    if (verifier) await server.register(named('verifier', verifierRoutes(verifier)));
    const refusedFrame = (rule: string) => metrics.unidentified.inc({ rule });
    if (app.embeds)
      await server.register(named('frames', frameRoutes({ app, embeds: app.embeds, built, refused: refusedFrame })));
  }

  await server.register(named('confirm', confirmRoutes(app.services.invitations, { ...confirm, clock: app.clock })));

  await server.register(healthRoutes(app, metrics));

  if (!config.production) await server.register(named('development', developmentPages().developmentRoutes(app)));
  server.addHook('onClose', async () => {
    await apollo.stop();
    await app.close();
  });
  return server;
};
