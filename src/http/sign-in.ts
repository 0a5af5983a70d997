import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Failure } from '../failure';
import { backPath, mostMinutes, SignInRefused, type SignInStepUp, stepUps } from '../features/sign-in/providers';
import type { SignIn } from '../features/sign-in/sign-in.slice';
import { failureIn } from '../graphql/errors';
import { clientOf } from './client-address';
import { style } from './confirm/style';
import { html, type Markup } from './html';
import { pageHeaders, pageOf } from './page';
import { loopbackNames } from './same-origin';
import { clearCookie, cookieOf, sessionCookie, setCookie, signInCookie } from './session-cookies';

/** What pages of this origin send with every request that goes by a cookie: a form of another site can't, and a script of one is asked first (Fetch, CORS-preflight). */
export const browserHeader = 'counterfoil-browser';

/** What pages of this origin send with what they ask by themselves, while nobody has touched them. */
export const unattendedHeader = 'counterfoil-unattended';

/** Requests a minute from one address. Each sign-in has two, and an office where many begin at nine has one address. */
const requestsPerMinute = 240;
const longestPath = 1_024;

/** A place of this origin: `//host` and `/\host` are addresses of others to a browser, whatever comes before. */
const returnPath = z
  .string()
  .max(longestPath)
  .regex(/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/)
  .refine(
    (path) => URL.canParse(path, 'https://own.invalid') && new URL(path, 'https://own.invalid').origin === 'https://own.invalid',
  );

const asked = z.object({
  return: returnPath.default('/'),
  issuer: z.string().max(512).optional(),
  for: z.enum(stepUps).optional(),
});

export interface SignInOptions {
  readonly signIn: SignIn;
  /** Origin of this gateway, as browsers have it. */
  readonly ownOrigin: () => string;
  readonly refused: (why: string) => void;
}

/**
 * Whether a request that goes by a cookie is by a page of this origin: it has our header, and says so itself. Throws `UNAUTHENTICATED`
 * otherwise, whatever the cookie.
 */
export const expectOwnPage = ({ headers }: Pick<FastifyRequest, 'headers'>, ownOrigin: string): void => {
  const site = headers['sec-fetch-site'];
  // With a GET of its own origin a browser names none (Fetch, 3.2); every one that has Sec-Fetch-Site sets that itself.
  const isOwn = headers.origin === undefined ? site === 'same-origin' : headers.origin === ownOrigin;
  if (headers[browserHeader] === '1' && isOwn && (site === undefined || site === 'same-origin')) return;
  throw new Failure('UNAUTHENTICATED', 'A session’s cookie counts only in requests by this gateway’s own pages.', {
    rule: 'session.foreign',
    remedy: `Send "${browserHeader}: 1" from a page of ${ownOrigin}, or "Authorization: Bearer TOKEN".`,
  });
};

/** Where a window goes that a frame opened, so that somebody signs in outside of it. */
export const frameSignInPath = '/frame/sign-in';

/**
 * A window that goes back to a frame is not cut off from it on its way: redirects count (HTML, 7.1.3). Whoever opened such a window learns that
 * it goes on, and reads nothing of it.
 */
const openerPolicy = (returnTo: string) =>
  ({ 'cross-origin-opener-policy': returnTo.startsWith(`${frameSignInPath}?`) ? 'unsafe-none' : 'same-origin' }) as const;

const send = (reply: FastifyReply, status: number, title: string, body: Markup, returnTo = '/'): FastifyReply =>
  reply
    .code(status)
    .headers(pageHeaders(style, "'self'"))
    .headers(openerPolicy(returnTo))
    .send(pageOf(title, style, html`<main><h1>${title}</h1>${body}</main>`));

/** Whether both are names of this machine, as in development: a browser opened it by the one that isn’t printed. */
const isOtherNameOf = (host: string, origin: string): boolean => {
  const [asked, own] = [new URL(`http://${host}`), new URL(origin)];
  const areOfOnePort = asked.port === own.port && asked.hostname !== own.hostname;
  return areOfOnePort && [asked, own].every(({ hostname }) => loopbackNames.has(hostname));
};

/** How people of the staff get a session in their browser, and end it. */
export const signInRoutes =
  ({ signIn, ownOrigin, refused }: SignInOptions) =>
  async (server: FastifyInstance): Promise<void> => {
    const { providers, sessions } = signIn;
    const limit = server.rateLimit({
      max: requestsPerMinute,
      timeWindow: '1 minute',
      keyGenerator: (request) => `sign-in ${clientOf(request)}`,
    });

    const begin = async (reply: FastifyReply, issuer: string, returnTo: string, stepUp: SignInStepUp | null) => {
      const { url, begun } = await providers.begin(issuer, returnTo, stepUp);
      setCookie(reply, signInCookie, signIn.sealed(begun), mostMinutes * 60);
      return reply.headers(openerPolicy(returnTo)).redirect(url, 303);
    };

    const unanswered = (reply: FastifyReply, error: unknown): FastifyReply => {
      const failure = failureIn(error);
      if (failure?.code !== 'UPSTREAM_UNAVAILABLE') throw error;
      reply.header('retry-after', failure.details.retryAfter ?? 5);
      return send(
        reply,
        503,
        'The identity provider can’t be reached just now',
        html`<p>Nothing was changed. Try again in a few seconds.</p>`,
      );
    };

    server.get('/sign-in', { onRequest: limit }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      // Somebody went here: nothing that a page loads, and nothing that a browser guesses they might want (Fetch Metadata, Sec-Purpose).
      const { 'sec-fetch-mode': mode, 'sec-purpose': purpose } = request.headers;
      if ((mode !== undefined && mode !== 'navigate') || purpose !== undefined)
        throw Failure.invalid('url', 'expected to be opened by somebody');
      // The cookie is of the address that the provider sends the browser back to.
      if (isOtherNameOf(request.host, ownOrigin())) return reply.redirect(`${ownOrigin()}${request.url}`, 303);
      const read = asked.safeParse(request.query);
      if (!read.success)
        throw Failure.invalid(
          'return',
          `expected a path of this gateway of at most ${longestPath} characters, and as "for" one of ${stepUps.join(', ')}`,
        );
      const { return: returnTo, issuer, for: stepUp = null } = read.data;
      const [only, ...more] = providers.all;
      const chosen = issuer ?? (more.length === 0 ? only?.issuer : undefined);
      if (chosen === undefined) {
        const address = (each: string) =>
          `/sign-in?${new URLSearchParams({ return: returnTo, issuer: each, ...(stepUp ? { for: stepUp } : {}) })}`;
        const links = providers.all.map(({ issuer: each, name }) => html`<li><a href="${address(each)}">${name}</a></li>`);
        return send(reply, 200, 'Sign in', html`<ul>${links}</ul>`, returnTo);
      }
      if (!providers.all.some((each) => each.issuer === chosen))
        throw Failure.invalid('issuer', 'expected an issuer at which people sign in here');
      try {
        return await begin(reply, chosen, returnTo, stepUp);
      } catch (error) {
        return unanswered(reply, error);
      }
    });

    server.get<{ Params: { provider: string } }>(`${backPath}/:provider`, { onRequest: limit }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      clearCookie(reply, signInCookie);
      const refuse = async (why: string): Promise<FastifyReply> => {
        refused(why);
        // That anybody came to this address by themselves is no event.
        if (why !== 'no-beginning') await signIn.refused(why);
        return send(
          reply,
          400,
          'You are not signed in',
          html`<p>This answer belongs to no sign-in that this browser began, or it was used or is too old; or the identity provider said no.</p><p><a href="/sign-in">Sign in again</a></p>`,
        );
      };
      const brought = cookieOf(request, signInCookie);
      if (brought === null) return refuse('no-beginning');
      try {
        const begun = signIn.opened(brought);
        const tokens = await providers.finish(begun, request.params.provider, request.url.split('?')[1] ?? '');
        const { cookie } = await sessions.begin(begun.issuer, tokens, cookieOf(request, sessionCookie));
        // Two headers: fastify joins what is set under one name into a list.
        setCookie(reply, sessionCookie, cookie, null);
        return reply.headers(openerPolicy(begun.returnTo)).redirect(begun.returnTo, 303);
      } catch (error) {
        if (error instanceof SignInRefused) return refuse(error.why);
        const failure = failureIn(error);
        if (failure?.code === 'UNAUTHENTICATED') return refuse('token');
        return unanswered(reply, error);
      }
    });

    server.post('/sign-out', { onRequest: limit }, async (request, reply) => {
      reply.header('cache-control', 'no-store');
      expectOwnPage(request, ownOrigin());
      const cookie = cookieOf(request, sessionCookie);
      const next = cookie === null ? null : await sessions.signOut(cookie);
      clearCookie(reply, sessionCookie);
      return reply.send({ next });
    });
  };
