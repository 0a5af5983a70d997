import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FormattedExecutionResult } from 'graphql';
import { Failure } from '../failure';
import type { Arrival } from '../features/actors/actors.service';
import type { Subscriptions, Told } from './subscriptions';

/** Milliseconds between two signs of life, each after a look at whether the reader may be there still. */
const beatEvery = 12_000;
/** Milliseconds for what was written to be taken by its reader. */
const takenWithin = 10_000;

const message = (event: 'next' | 'complete', data: FormattedExecutionResult | null): string =>
  `event: ${event}\ndata: ${data === null ? '' : JSON.stringify(data)}\n\n`;

/** Writes, and resolves once it was taken; false where nobody takes it any more. */
const write = (raw: ServerResponse, text: string): Promise<boolean> =>
  new Promise((resolve) => {
    if (raw.destroyed || raw.writableEnded) return resolve(false);
    if (raw.write(text)) return resolve(true);
    const settle = (isTaken: boolean) => {
      clearTimeout(late);
      raw.off('drain', drained);
      raw.off('close', closed);
      if (!isTaken) raw.destroy();
      resolve(isTaken);
    };
    const drained = () => settle(true);
    const closed = () => settle(false);
    const late = setTimeout(closed, takenWithin);
    raw.once('drain', drained);
    raw.once('close', closed);
  });

export interface EventStreamParts {
  readonly subscriptions: Subscriptions;
  readonly identify: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Whether a page may open one. */
  readonly isWelcome: (request: FastifyRequest) => boolean;
}

/** Subscriptions as server-sent events: the protocol "GraphQL over SSE", distinct connections. One connection carries one subscription. */
export const eventStreamRoutes =
  ({ subscriptions, identify, isWelcome }: EventStreamParts) =>
  async (server: FastifyInstance): Promise<void> => {
    const open = new Set<() => void>();
    server.addHook('preClose', async () => {
      for (const end of open) end();
    });

    const serve = async (raw: ServerResponse, told: Told, arrival: Arrival): Promise<void> => {
      if ('refusal' in told) {
        await write(raw, message('next', told.refusal));
        await write(raw, message('complete', null));
        return void raw.end();
      }
      const { events } = told;
      const end = () => void events.return();
      open.add(end);
      raw.on('close', end);
      const beat = setInterval(() => {
        void arrival.again().then(() => write(raw, ':\n\n').then((taken) => taken || end()), end);
      }, beatEvery);
      beat.unref();
      try {
        for await (const result of events) if (!(await write(raw, message('next', result)))) break;
      } finally {
        clearInterval(beat);
        open.delete(end);
        end();
      }
      await write(raw, message('complete', null));
      raw.end();
    };

    server.post('/graphql/stream', { onRequest: identify }, async (request, reply) => {
      if (!/\btext\/event-stream\b/.test(request.headers.accept ?? ''))
        throw Failure.invalid('accept', 'expected text/event-stream');
      if (!isWelcome(request)) throw Failure.denied('SCOPE', 'subscription.origin');
      const arrival = request.arrival as Arrival;
      const told = await subscriptions.subscribe({ arrival, body: request.body });
      const { raw } = reply;
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // A proxy that collects what it passes on would keep it from its reader.
        'x-accel-buffering': 'no',
      });
      // Browsers take headers for an answer once something follows.
      await write(raw, ':\n\n');
      await serve(raw, told, arrival);
      return reply;
    });
  };
