import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../app';
import type { SignedInActor } from '../authz/actor';
import { Failure } from '../failure';

const formats = ['ndjson', 'csv'] as const;
const contentTypes = { ndjson: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' } as const;

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const selection = z.strictObject({
  format: z.enum(formats).default('ndjson'),
  from: time.optional(),
  to: time.optional(),
  customer: z.string().min(1).max(64).optional(),
  since: z
    .union([z.string(), z.array(z.string())])
    .transform((sizes) => [sizes].flat())
    .pipe(
      z.array(
        z
          .string()
          .regex(/^\d{1,15}$/)
          .transform(Number),
      ),
    )
    .default([]),
});

const expectations: Readonly<Record<string, string>> = {
  format: 'expected ndjson or csv',
  from: 'expected a time such as 2026-09-01T00:00:00Z',
  to: 'expected a time such as 2026-09-01T00:00:00Z',
  customer: 'expected the id of a customer',
  since: 'expected the size of an older checkpoint, a whole number',
};

/** RFC 9110, 14.1.2: the rest from a byte on, which is all that going on with a download takes; anything else is ignored. */
const startOf = (range: string | undefined): number => Number(/^bytes=(\d{1,15})-$/.exec(range ?? '')?.[1] ?? 0);

/** In the query: an address's path is bounded by the router, and what stands here is sealed and may be long. */
const addressOf = (ticket: string): string => `/audit/exports?ticket=${ticket}`;

const bytesOf = async (chunks: AsyncIterable<Buffer>): Promise<number> => {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
};

async function* from(chunks: AsyncIterable<Buffer>, start: number): AsyncGenerator<Buffer> {
  let skip = start;
  for await (const chunk of chunks) {
    if (chunk.length > skip) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

/**
 * The log as a download, for auditors: `GET /audit/export` answers with the address of an export that is the same bytes
 * whenever it is asked for, so that `curl -C -` goes on with one that broke off.
 */
export const auditExportRoutes =
  (app: App, identify: (request: FastifyRequest, reply: FastifyReply) => Promise<void>) =>
  async (server: FastifyInstance): Promise<void> => {
    server.get<{ Querystring: Record<string, unknown> }>('/audit/export', { onRequest: identify }, async (request, reply) => {
      const asked = selection.safeParse(request.query);
      if (!asked.success) {
        const [name = 'query'] = (asked.error.issues[0]?.path ?? []).map(String);
        throw Failure.invalid(name, expectations[name] ?? `expected ${Object.keys(expectations).join(', ')} and nothing else`);
      }
      const { format, from, to, customer, since } = asked.data;
      const ticket = await app.services.auditDownloads.ticket(request.actor as SignedInActor, format, {
        from: from ?? null,
        before: to ?? null,
        customerId: customer ?? null,
        since,
      });
      return reply.redirect(addressOf(ticket), 307);
    });

    server.get<{ Querystring: { ticket?: unknown } }>(
      '/audit/exports',
      { onRequest: identify, exposeHeadRoute: false },
      async (request, reply) => {
        const { format, digest, manifest, write } = await app.services.auditDownloads.open(
          request.actor as SignedInActor,
          String(request.query.ticket ?? ''),
        );
        reply
          .type(contentTypes[format])
          .header('etag', `"${digest}"`)
          .header('accept-ranges', 'bytes')
          .header('content-disposition', `attachment; filename="counterfoil-audit.${format}"`);
        if (manifest !== null) reply.header('link', `<${addressOf(manifest)}>; rel="describedby"`);
        const condition = request.headers['if-range'];
        const start = condition === undefined || condition === `"${digest}"` ? startOf(request.headers.range) : 0;
        if (start === 0) return reply.send(Readable.from(write()));
        // How long it is, nobody knows before it is written; who asks for its end has to be told.
        const total = await bytesOf(write());
        if (start >= total) return reply.code(416).header('content-range', `bytes */${total}`).send();
        return reply
          .code(206)
          .header('content-range', `bytes ${start}-${total - 1}/${total}`)
          .header('content-length', total - start)
          .send(Readable.from(from(write(), start)));
      },
    );
  };
