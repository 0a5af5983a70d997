import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../app';
import { Failure } from '../failure';
import { ContextDenied } from '../features/embeds/contexts.service';
import type { Embeds } from '../features/embeds/embeds.slice';
import { handOffSeconds, isChallenge } from '../features/embeds/frame-sessions.service';
import { frameHeader } from './arriving';
import { clientOf, surroundingsOf } from './client-address';
import { type BuiltConsole, pageHeadersOfConsole, sendBuilt } from './console';
import { acceptForms, formOf } from './form';
import { refuseLarger } from './largest';
import { clearCookie, cookieOf, frameCookie, handOffCookie, sessionCookie, setCookie } from './session-cookies';
import { expectOwnPage, frameSignInPath } from './sign-in';

/**
 * Requests a minute from one address, of each kind by which people sign in: an office has one. What a helpdesk signed comes with each ticket that
 * somebody opens, and is limited with all else from there (`RATE_LIMIT`).
 */
const requestsPerMinute = 240;
const longestCode = 2_000;

const challenge = z.custom<string>(isChallenge);
const codeAsked = z.strictObject({ source: z.string().max(64), challenge, handOff: z.boolean().default(false) });
const redeemed = z.strictObject({
  source: z.string().max(64),
  verifier: challenge,
  code: z
    .string()
    .max(longestCode)
    .regex(/^[\w-]+$/)
    .optional(),
});

const brought = z.strictObject({ source: z.string().max(64), context: z.string().max(8_192) });

/** Bytes of a form with what a helpdesk signed. */
const largestForm = 16 * 1024;

/** Bytes of a request for a card, which has the conversation with all that was said in it. */
const largestCardRequest = 1024 * 1024;

/** The headers of a page that these origins' pages may hold. */
const framed = (reply: FastifyReply, origins: readonly string[]): FastifyReply =>
  reply
    .headers(pageHeadersOfConsole(origins))
    .removeHeader('x-frame-options')
    .header('cross-origin-resource-policy', 'cross-origin')
    .header('cache-control', 'no-store');

/** The frame's page with this in its head: nothing that needs escaping. */
const withHead = ({ files }: BuiltConsole, head: string): string =>
  String(files.get('frame.html')?.plain).replace('</head>', `${head}\n</head>`);
/** An empty receipt says that what was signed was refused. Receipts are base64url. */
const receiptIn = (receipt: string | null): string => `<meta name="counterfoil-context" content="${receipt ?? ''}">`;
/** What asks the page around the frame for the ticket's number, and hears these origins' pages alone. */
const askingChatwoot = (origins: readonly string[]): string =>
  `<meta name="counterfoil-origins" content="${origins.join(' ')}">\n<script src="/console/chatwoot.js" defer></script>`;

export interface FramesOptions {
  readonly app: App;
  readonly embeds: Embeds;
  readonly built: BuiltConsole | null;
  /** Counts what was refused. */
  readonly refused: (rule: string) => void;
}

/** Our pages in frames of helpdesks' pages: the element that makes the frame, the frame's own page, and how it gets a session. */
export const frameRoutes =
  ({ app, embeds, built, refused }: FramesOptions) =>
  async (server: FastifyInstance): Promise<void> => {
    const limited = (what: string) =>
      server.rateLimit({
        max: requestsPerMinute,
        timeWindow: '1 minute',
        keyGenerator: (request) => `${what} ${clientOf(request)}`,
      });
    const parsed = <T>(schema: z.ZodType<T>, body: unknown): T => {
      const { success, data } = schema.safeParse(body);
      if (!success) throw Failure.invalid('body', 'expected what a frame of this version sends');
      return data;
    };
    const sent = (request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply => {
      const file = built?.files.get(name);
      if (file) return sendBuilt(request, reply, file);
      reply.callNotFound();
      return reply;
    };

    server.get('/embed/panel.js', (request, reply) =>
      sent(
        request,
        reply
          .header('cache-control', 'public, max-age=300')
          // Any page may load it, also one that asks for consent to that (COEP): it is the same for everybody and knows nothing.
          .header('cross-origin-resource-policy', 'cross-origin'),
        'panel.js',
      ),
    );

    const page = async (request: FastifyRequest, reply: FastifyReply) => {
      const embed = embeds.embedOf((request.params as { readonly source: string }).source);
      if (!embed) {
        reply.callNotFound();
        return reply;
      }
      return sent(request, framed(reply, embed.origins), 'frame.html');
    };
    server.get('/embed/:source/:reference', page);
    // Apps of helpdesks that have one address: the page around the frame says which ticket it is, or its reader does.
    server.get('/embed/:source', async (request, reply) => {
      const embed = embeds.embedOf((request.params as { readonly source: string }).source);
      if (embed?.context !== 'chatwoot' || !built) return page(request, reply);
      return framed(reply, embed.origins)
        .type('text/html; charset=utf-8')
        .send(withHead(built, askingChatwoot(embed.origins)));
    });

    /** What a helpdesk signed, taken or refused; a refusal is counted and put on record, and nothing of it is kept. */
    const taking = async <T>(take: () => T | Promise<T>): Promise<T> => {
      try {
        return await take();
      } catch (error) {
        if (error instanceof ContextDenied) refused('frame.context');
        await embeds.onRecord(error);
        throw error;
      }
    };

    // Helpdesks that sign addresses send what they signed with the first request of a frame, as a form. No cookie counts in it.
    await server.register(async (signed) => {
      acceptForms(signed, { largest: largestForm });
      const take = async (request: FastifyRequest, reply: FastifyReply) => {
        const { source } = request.params as { readonly source: string };
        const embed = embeds.embedOf(source);
        if (!embed?.signed || !built) {
          reply.callNotFound();
          return reply;
        }
        const { token = '' } = formOf(request);
        const receipt = await taking(() => embeds.contexts.take(source, token)).catch((error: unknown) => {
          if (error instanceof ContextDenied) return null;
          throw error;
        });
        framed(reply, embed.origins);
        return reply
          .code(receipt === null ? 400 : 200)
          .type('text/html; charset=utf-8')
          .send(withHead(built, receiptIn(receipt)));
      };
      signed.post('/embed/:source', take);
      signed.post('/embed/:source/:reference', take);
    });

    // Helpdesks that show a card and no frame. Signatures are over bytes: nothing may parse a body before it is judged.
    await server.register(async (cards) => {
      cards.removeAllContentTypeParsers();
      const asBytes = { parseAs: 'buffer', bodyLimit: largestCardRequest } as const;
      cards.addContentTypeParser('*', asBytes, (_request: FastifyRequest, body: Buffer, done) => done(null, body));
      cards.post<{ Params: { source: string } }>(
        '/cards/:source',
        { bodyLimit: largestCardRequest, errorHandler: refuseLarger(largestCardRequest) },
        async ({ params: { source }, headers, body }, reply) => {
          if (!embeds.cardOf(source)) {
            reply.callNotFound();
            return reply;
          }
          const signature = headers['x-body-signature'];
          const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
          reply.header('cache-control', 'no-store');
          return taking(() => embeds.contexts.card(source, bytes, typeof signature === 'string' ? signature : undefined));
        },
      );
    });

    server.post('/frame/contexts', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      expectOwnPage(request, app.publicUrl);
      const { source, context } = parsed(brought, request.body);
      return reply.send({ receipt: await taking(() => embeds.contexts.take(source, context)) });
    });

    // In a window of its own, so that it is the browser's session that signs in, and the address bar says where.
    server.get(frameSignInPath, async (request, reply) => {
      const { source, challenge: given } = request.query as Readonly<Record<string, unknown>>;
      if (typeof source !== 'string' || !embeds.embedOf(source) || !isChallenge(given))
        throw Failure.invalid('source', 'expected a helpdesk that has frames, and a challenge');
      reply
        .headers(pageHeadersOfConsole())
        .header('cross-origin-opener-policy', 'unsafe-none')
        .header('cache-control', 'no-store');
      return sent(request, reply, 'popup.html');
    });

    server.post('/frame/codes', { onRequest: limited('codes') }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      expectOwnPage(request, app.publicUrl);
      const { handOff, ...asked } = parsed(codeAsked, request.body);
      if (!embeds.embedOf(asked.source)) throw Failure.invalid('source', 'expected a helpdesk that has frames');
      const cookie = cookieOf(request, sessionCookie);
      if (cookie === null)
        throw new Failure('UNAUTHENTICATED', 'Nobody is signed in with this browser.', {
          rule: 'session.none',
          remedy: 'Sign in.',
        });
      const code = await embeds.frames.code(cookie, { ...asked, network: surroundingsOf(request) });
      if (!handOff) return reply.send({ code });
      setCookie(reply, handOffCookie, code, handOffSeconds, 'handOff');
      return reply.send({});
    });

    server.post('/frame/session', { onRequest: limited('frame') }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      expectOwnPage(request, app.publicUrl);
      const { source, verifier, code: given } = parsed(redeemed, request.body);
      if (!embeds.embedOf(source)) throw Failure.invalid('source', 'expected a helpdesk that has frames');
      const code = given ?? cookieOf(request, handOffCookie);
      if (code === null)
        throw new Failure('UNAUTHENTICATED', 'No code was brought.', {
          rule: 'frame.no-code',
          remedy: 'Sign in from the frame, or open the ticket in the console.',
        });
      try {
        const cookie = await embeds.frames.redeem({ code, verifier, source }, cookieOf(request, frameCookie(source)));
        setCookie(reply, frameCookie(source), cookie, null, 'frame');
      } catch (error) {
        refused('frame.code');
        await embeds.onRecord(error);
        throw error;
      } finally {
        if (given === undefined) clearCookie(reply, handOffCookie, 'handOff');
      }
      return reply.send({});
    });

    server.post('/frame/sign-out', { onRequest: limited('frame') }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      expectOwnPage(request, app.publicUrl);
      const source = request.headers[frameHeader];
      if (typeof source !== 'string' || !embeds.embedOf(source))
        throw Failure.invalid(frameHeader, 'expected a helpdesk that has frames');
      const cookie = cookieOf(request, frameCookie(source));
      if (cookie !== null) await embeds.frames.signOut(cookie);
      clearCookie(reply, frameCookie(source), 'frame');
      return reply.send({});
    });
  };
