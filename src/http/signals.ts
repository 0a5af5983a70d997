import type { FastifyInstance } from 'fastify';
import type { App } from '../app';
import { Failure } from '../failure';
import { SetRefused, securityEvent } from '../features/signals/receive/security-events';
import { failureIn } from '../graphql/errors';
import { Lanes, WaitedTooLong } from '../lanes';
import { refuseLarger } from './largest';
import type { Metrics } from './metrics';

/** Largest request with signals, in bytes: a thousand of them. */
const largestBody = 1024 * 1024;
/** Requests that are taken at once, and that wait for at most so many milliseconds: what isn't taken is sent again. */
const atOnce = 8;
const waiting = 64;
const longestWait = 5_000;

/** `POST /signals/:source`, by which others tell of what happened. */
export const signalRoutes =
  (app: App, metrics: Metrics) =>
  async (server: FastifyInstance): Promise<void> => {
    const places = new Lanes(atOnce, waiting);
    // Signatures are over bytes: nothing may parse and re-write a body before it is judged.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: largestBody }, (_request, body, done) => done(null, body));
    server.post<{ Params: { source: string } }>(
      '/signals/:source',
      { bodyLimit: largestBody, errorHandler: refuseLarger(largestBody) },
      async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const { source } = request.params;
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
        );
        const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
        try {
          // Before it takes a place: whoever can't prove who they are keeps nobody out who can.
          const take = await app.signals.receiver.prove(source, mediaType, { headers, body, now: app.clock() });
          const { received, stored } = await places.run('interactive', take, longestWait);
          metrics.signalsReceived.inc({ source, outcome: 'stored' }, stored);
          metrics.signalsReceived.inc({ source, outcome: 'known' }, received - stored);
          return mediaType === securityEvent ? reply.code(202).send() : reply.code(202).send({ received, stored });
        } catch (error) {
          if (error instanceof SetRefused) {
            metrics.signalsRefused.inc({ source });
            return reply.code(400).send({ err: error.err, description: error.description });
          }
          if (error instanceof WaitedTooLong)
            throw new Failure('OVERLOADED', 'More signals come than can be taken just now.', {
              remedy: 'Send them again.',
              retryAfter: 10,
            });
          const code = failureIn(error)?.code;
          if (code === 'UNAUTHENTICATED') metrics.signalsRefused.inc({ source: '(unproven)' });
          if (code === 'INVALID') metrics.signalsRefused.inc({ source });
          throw error;
        }
      },
    );
  };
