import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Where the build puts it, seen from the compiled module. */
const builtInto = join(__dirname, '..', '..', 'console');

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

interface BuiltFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly br: Buffer;
  readonly gzip: Buffer;
}

/** The console as it was built: all of it in memory, found by name, so that no request reaches the disk. */
export interface BuiltConsole {
  readonly files: ReadonlyMap<string, BuiltFile>;
  /** Addresses of its screens, as a router has them, and which files each of them needs beside what all do. */
  readonly addresses: readonly { readonly path: string; readonly loads: readonly string[] }[];
}

const addressesIn = z.array(z.object({ path: z.string().startsWith('/'), loads: z.array(z.string()) }));

/** Null where none was built. */
export const readConsole = (folder = builtInto): BuiltConsole | null => {
  const addressesFile = join(folder, 'addresses.json');
  if (!existsSync(addressesFile)) return null;
  const named = (name: string) => readFileSync(join(folder, name));
  const files = readdirSync(folder)
    .filter((name) => types[name.split('.').at(-1) ?? ''] !== undefined)
    .map((name): [string, BuiltFile] => {
      const type = types[name.split('.').at(-1) as string] as string;
      return [name, { type, plain: named(name), br: named(`${name}.br`), gzip: named(`${name}.gz`) }];
    });
  return { files: new Map(files), addresses: addressesIn.parse(JSON.parse(readFileSync(addressesFile, 'utf8'))) };
};

/**
 * The headers of a page that runs the console (CSP Level 3, Trusted Types): nothing from elsewhere, no script or style but its files, no text
 * that becomes markup. `frameAncestors`: the origins whose pages may frame it.
 */
export const pageHeadersOfConsole = (frameAncestors: readonly string[] = []) =>
  ({
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ')}`,
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
    'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
  }) as const;

/** One of its files, in the encoding that the browser takes. */
export const sendBuilt = (request: FastifyRequest, reply: FastifyReply, { type, plain, br, gzip }: BuiltFile): FastifyReply => {
  const accepted = request.headers['accept-encoding'] ?? '';
  reply.header('vary', 'accept-encoding').type(type);
  if (/\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(br);
  if (/\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(gzip);
  return reply.send(plain);
};

/** The pages of the console and what they load. They are the same for everybody: whatever is shown, they ask the graph for. */
export const consoleRoutes = (built: BuiltConsole) => async (server: FastifyInstance) => {
  const index = built.files.get('index.html');
  if (!index) throw new Error('the console was built without its page');
  for (const { path, loads } of built.addresses)
    server.get(path, (request, reply) =>
      sendBuilt(
        request,
        reply
          .headers(pageHeadersOfConsole())
          // The screen at this address, with the page and not once that has begun (RFC 8288; HTML, modulepreload).
          .headers(loads.length === 0 ? {} : { link: loads.map((name) => `</console/${name}>; rel=modulepreload`).join(', ') })
          .header('cross-origin-opener-policy', 'same-origin')
          // Another version has other names; a page that is kept would ask for files that are gone.
          .header('cache-control', 'no-store'),
        index,
      ),
    );
  server.get<{ Params: { name: string } }>('/console/:name', (request, reply) => {
    const file = built.files.get(request.params.name);
    if (!file || request.params.name.endsWith('.html')) return reply.callNotFound();
    // All but the icon have their digest in their name.
    const isKept = /-[\w-]{8}\.(?:js|css)$/.test(request.params.name);
    return sendBuilt(request, reply.header('cache-control', isKept ? 'public, max-age=31536000, immutable' : 'no-cache'), file);
  });
};
