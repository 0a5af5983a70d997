import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

/** Where the build puts it, seen from the compiled module. */
const builtInto = join(__dirname, '..', '..', 'verifier');

const types = {
  'counterfoil-verify.html': 'text/html; charset=utf-8',
  'counterfoil-verify.mjs': 'text/javascript; charset=utf-8',
  SHA256SUMS: 'text/plain; charset=utf-8',
} as const;
type Name = keyof typeof types;

/** The verifier that auditors take along, as it was built: the files that a release has. */
export type BuiltVerifier = ReadonlyMap<Name, Buffer>;

/** Null where none was built. */
export const readVerifier = (folder = builtInto): BuiltVerifier | null => {
  const names = Object.keys(types) as Name[];
  if (!names.every((name) => existsSync(join(folder, name)))) return null;
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
};

/**
 * The verifier as downloads, for anybody: it is the same for all, and says nothing of the log. It is never shown as a page of this origin, where
 * it would be the owner's word on the owner's log.
 */
export const verifierRoutes = (built: BuiltVerifier) => async (server: FastifyInstance) => {
  for (const [name, bytes] of built)
    server.get(`/verifier/${name}`, (_request, reply) => {
      reply.header('cache-control', 'no-cache').type(types[name]);
      if (name !== 'SHA256SUMS') reply.header('content-disposition', `attachment; filename="${name}"`);
      return reply.send(bytes);
    });
};
