import type { FastifyRequest } from 'fastify';
import type { App } from '../app';
import { Failure } from '../failure';
import type { Arrival } from '../features/actors/actors.service';
import { ContextDenied } from '../features/embeds/contexts.service';
import { surroundingsOf } from './client-address';
import { presentedBy } from './presented';
import { cookieOf, frameCookie, sessionCookie } from './session-cookies';
import { expectOwnPage, unattendedHeader } from './sign-in';

/** What pages of ours in a helpdesk's frame send: for which helpdesk. They have a cookie of their own for each, and no other counts then. */
export const frameHeader = 'counterfoil-frame';

/** The receipt for what a helpdesk signed, in what its frame asks. */
const contextHeader = 'counterfoil-context';
const receiptOf = ({ headers }: FastifyRequest): string | undefined => {
  const text = headers[contextHeader];
  return typeof text === 'string' ? text : undefined;
};

interface Brought {
  /** Null for the session of a browser. */
  readonly source: string | null;
  readonly cookie: string;
}

/** The cookie that a request goes by; null where it brings none, or says by itself who it is of. */
export const broughtBy = (request: Pick<FastifyRequest, 'headers'>): Brought | null => {
  if (request.headers.authorization !== undefined) return null;
  const source = request.headers[frameHeader];
  if (typeof source === 'string') {
    const cookie = /^[a-z][a-z0-9-]{0,31}$/.test(source) ? cookieOf(request, frameCookie(source)) : null;
    return cookie === null ? null : { source, cookie };
  }
  const cookie = cookieOf(request, sessionCookie);
  return cookie === null ? null : { source: null, cookie };
};

/**
 * Who a request comes from: by what it says of itself, or by the session of a browser, or of a frame, where it says nothing. A frame asks the graph
 * and nothing else. Throws `UNAUTHENTICATED`, `DENIED` and what else identifying throws.
 */
export const arriving =
  (app: App, expectFewRefused: (request: FastifyRequest) => Promise<void>) =>
  async (request: FastifyRequest): Promise<Arrival> => {
    const { signIn, embeds } = app;
    const brought = signIn ? broughtBy(request) : null;
    if (!signIn || brought === null) return app.actors.arrive(presentedBy(request), surroundingsOf(request));
    expectOwnPage(request, app.publicUrl);
    // A made-up one would be looked up each time.
    await expectFewRefused(request);
    const { source, cookie } = brought;
    const isAttended = request.headers[unattendedHeader] === undefined;
    if (source === null) return signIn.sessions.arriveBy(cookie, surroundingsOf(request), isAttended);
    if (!embeds) return app.actors.arrive(presentedBy(request), surroundingsOf(request));
    const receipt = receiptOf(request);
    const signed = embeds.contexts.opened(receipt, source);
    const arrival = await embeds.frames.arriveBy({ cookie, source, signed }, surroundingsOf(request), isAttended);
    // A page that was signed for doesn't become one that wasn't: then whoever is signed in here would be held against nobody.
    if (receipt !== undefined && signed === null) {
      const denied = new ContextDenied('context');
      await embeds.onRecord(denied);
      throw denied;
    }
    if (request.routeOptions.url?.startsWith('/graphql')) return arrival;
    await app.denials.record([{ actor: arrival.actor, rule: 'frame.route', reason: 'FRAME', ticketIds: [] }]);
    throw Failure.denied('FRAME', 'frame.route');
  };
