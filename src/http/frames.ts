import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../app';
import { Failure } from '../failure';
import type { Embeds } from '../features/embeds/embeds.slice';
import { handOffSeconds, isChallenge } from '../features/embeds/frame-sessions.service';
import { frameHeader } from './arriving';
import { clientOf, surroundingsOf } from './client-address';
import { type BuiltConsole, pageHeadersOfConsole, sendBuilt } from './console';
import { clearCookie, cookieOf, frameCookie, handOffCookie, sessionCookie, setCookie } from './session-cookies';
import { expectOwnPage, frameSignInPath } from './sign-in';

/** Requests a minute from one address, of each kind. */
const requestsPerMinute = 120;
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

    server.get<{ Params: { source: string } }>('/embed/:source/:reference', async (request, reply) => {
      const embed = embeds.embedOf(request.params.source);
      if (!embed) {
        reply.callNotFound();
        return reply;
      }
      reply
        .headers(pageHeadersOfConsole(embed.origins))
        .removeHeader('x-frame-options')
        .header('cross-origin-resource-policy', 'cross-origin')
        .header('cache-control', 'no-store');
      return sent(request, reply, 'frame.html');
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
