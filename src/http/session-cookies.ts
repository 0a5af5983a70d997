import type { FastifyReply, FastifyRequest } from 'fastify';

/*
 * Cookies of the gateway's own: for its host alone, over TLS alone, out of reach of scripts, and not with what other sites send but for
 * following a link (RFC 6265bis, 4.1.3.2 and 5.6.7). Browsers count localhost as TLS.
 */

/** The session of a browser. */
export const sessionCookie = '__Host-counterfoil';
/** A sign-in that has begun. */
export const signInCookie = '__Host-counterfoil-sign-in';

/** Brings a code to a frame by the browser, where the window that got it can't tell the frame. */
export const handOffCookie = '__Host-counterfoil-hand-off';
/** The session of a frame in this helpdesk's pages. */
export const frameCookie = (source: string): string => `__Host-counterfoil-frame-${source}`;

const host = 'Path=/; Secure; HttpOnly';
/**
 * With what other sites send, too, as a frame's requests are counted among those of the page that holds it. `frame`: kept apart for each such site
 * (CHIPS), so that it comes from there alone and no browser takes it for tracking.
 */
const attributes = {
  own: `${host}; SameSite=Lax`,
  frame: `${host}; SameSite=None; Partitioned`,
  handOff: `${host}; SameSite=None`,
} as const;
type Reach = keyof typeof attributes;

/** Names and values of ours need no more: base64url. */
const longest = 4_000;

/** The value of a cookie; null where there is none, or two: one of them is somebody else's. */
export const cookieOf = ({ headers }: Pick<FastifyRequest, 'headers'>, name: string): string | null => {
  const values = (headers.cookie ?? '')
    .split(';')
    // Blanks and tabs alone (RFC 6265bis, 5.7): a byte that another program takes for a blank is how a sibling host gets past a name's prefix.
    .map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value = '', ...more] = values;
  return more.length === 0 && value.length <= longest && /^[A-Za-z0-9_-]+$/.test(value) ? value : null;
};

/** `seconds`: for how long the browser keeps it; null for as long as it is open. */
export const setCookie = (
  reply: FastifyReply,
  name: string,
  value: string,
  seconds: number | null,
  reach: Reach = 'own',
): void => {
  reply.header('set-cookie', `${name}=${value}; ${attributes[reach]}${seconds === null ? '' : `; Max-Age=${seconds}`}`);
};

export const clearCookie = (reply: FastifyReply, name: string, reach: Reach = 'own'): void =>
  setCookie(reply, name, '', 0, reach);
