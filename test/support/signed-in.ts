import type { BrowserContext } from 'playwright-core';
import { request } from 'undici';

type Cookie = Parameters<BrowserContext['addCookies']>[0][number];

const mostSteps = 12;

/** A cookie as an answer sets it; null where it takes it away. One host has the cookies of all its ports (RFC 6265, 8.5). */
const read = (
  header: string,
  { hostname }: URL,
): Cookie | { readonly name: string; readonly path: string; readonly value: null } => {
  const [pair = '', ...attributes] = header.split(/; */);
  const name = pair.slice(0, pair.indexOf('='));
  const value = pair.slice(name.length + 1);
  const attribute = (wanted: string) =>
    attributes.find((each) => each.toLowerCase().split('=')[0] === wanted)?.slice(wanted.length + 1);
  const path = attribute('path') ?? '/';
  const expires = attribute('expires');
  if (value === '' || (expires !== undefined && new Date(expires).getTime() < Date.now())) return { name, path, value: null };
  const [first = 'L', ...others] = (attribute('samesite') ?? 'Lax').toLowerCase();
  return {
    name,
    value,
    domain: hostname,
    path,
    secure: attribute('secure') !== undefined,
    httpOnly: attribute('httponly') !== undefined,
    sameSite: `${first.toUpperCase()}${others.join('')}` as 'Strict' | 'Lax' | 'None',
  };
};

/**
 * The cookies of a browser in which one of the demo people has just signed in, the gateway's and those of their provider: asked for as a browser asks
 * for them, and nothing of it is shown. Throws where it doesn't lead back to the gateway.
 */
export const cookiesOf = async (gateway: string, user: string, secondFactor: boolean): Promise<readonly Cookie[]> => {
  const cookies = new Map<string, Cookie>();
  let url = new URL('/sign-in?return=/', gateway);
  let form: URLSearchParams | null = null;
  for (let step = 0; step < mostSteps; step += 1) {
    const sent = [...cookies.values()].filter(({ path = '/' }) => url.pathname.startsWith(path));
    // Node's fetch would say that a page loads it.
    const { statusCode, headers, body } = await request(url, {
      method: form === null ? 'GET' : 'POST',
      headers: {
        cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '),
        ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form === null ? null : form.toString(),
    });
    for (const header of [headers['set-cookie'] ?? []].flat()) {
      const { name, path, value, ...rest } = read(header, url);
      if (value === null) cookies.delete(`${name} ${path}`);
      else cookies.set(`${name} ${path}`, { name, path: path as string, value, ...rest });
    }
    const text = await body.text();
    const next = headers.location;
    form = null;
    if (typeof next === 'string') {
      url = new URL(next, url);
      if (url.href === `${gateway}/`) return [...cookies.values()];
      continue;
    }
    const [, code] = /id="current">([0-9]{6})</.exec(text) ?? [];
    if (statusCode !== 200 || url.origin === gateway) throw new Error(`${url.pathname} answers ${statusCode}: ${text}`);
    if (code === undefined) form = new URLSearchParams({ person: user });
    else form = new URLSearchParams({ person: user, code, act: secondFactor ? 'code' : 'without' });
  }
  throw new Error(`${user} isn't signed in after ${mostSteps} requests`);
};
