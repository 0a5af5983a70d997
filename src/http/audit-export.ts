import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../app';
import type { SignedInActor } from '../authz/actor';
import { Failure } from '../failure';
import { Waits } from '../lanes';
import { answered } from './answered';

/** Downloads that are written at once: each reads the log from end to end, and nobody waits for one as for an answer. */
const downloadsAtOnce = 4;
/** Seconds. */
const comeAgainAfter = 30;

const tooManyDownloads = (): Failure =>
  new Failure('OVERLOADED', 'Too many exports are being written, or there is too much else to do just now.', {
    rule: 'audit.export',
    remedy: 'Try again later; a download that broke off goes on where it was (curl -C -).',
    retryAfter: comeAgainAfter,
  });

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

/** Bytes from the first to the last one, both included; `last` is null for all the rest. */
interface ByteRange {
  readonly first: number;
  readonly last: number | null;
}

/**
 * RFC 9110, 14.1.2: one range of bytes, from one that is named. Null for whatever else may stand there (the end of what isn't written yet,
 * several ranges, another unit, nonsense), and for the whole of it: a server may ignore such a range (14.2), and answers with all.
 */
const rangeOf = (text: string | undefined): ByteRange | null => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/i.exec(text ?? '') ?? [];
  if (from === undefined) return null;
  const first = Number(from);
  const last = to ? Number(to) : null;
  return (first === 0 && last === null) || (last !== null && last < first) ? null : { first, last };
};

/** In the query: an address's path is bounded by the router, and what stands here is sealed and may be long. */
const addressOf = (ticket: string): string => `/audit/exports?ticket=${ticket}`;

async function* firstBytes(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, most: number): AsyncGenerator<Buffer> {
  let left = most;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/**
 * The log as a download, for auditors: `GET /audit/export` answers with the address of an export that is the same bytes
 * whenever it is asked for, so that `curl -C -` goes on with one that broke off.
 */
export const auditExportRoutes =
  (app: App, identify: (request: FastifyRequest, reply: FastifyReply) => Promise<void>) =>
  async (server: FastifyInstance): Promise<void> => {
    const downloads = new Waits();
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
        // Whoever works on a ticket comes first.
        if (downloads.count >= downloadsAtOnce || app.admission.isCrowded) throw tooManyDownloads();
        const leave = downloads.begin();
        void answered(reply).then(leave);
        /** Nothing more is read for it once it is over, whichever side ends it. */
        const sent = (written: AsyncIterable<Buffer>) => Readable.from(written).once('close', leave);
        const { format, digest, manifest, write, rest } = await app.services.auditDownloads.open(
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
        const range = condition === undefined || condition === `"${digest}"` ? rangeOf(request.headers.range) : null;
        if (range === null) return reply.send(sent(write()));
        const { length, chunks } = await rest(range.first);
        if (range.first >= length) return reply.code(416).header('content-range', `bytes */${length}`).send();
        const last = Math.min(range.last ?? length - 1, length - 1);
        const bytes = last - range.first + 1;
        return reply
          .code(206)
          .header('content-range', `bytes ${range.first}-${last}/${length}`)
          .header('content-length', bytes)
          .send(sent(firstBytes(chunks, bytes)));
      },
    );
  };
