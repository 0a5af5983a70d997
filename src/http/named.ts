import type { FastifyInstance } from 'fastify';

type Plugin = (server: FastifyInstance) => Promise<void>;

/** A part of the server under a name of its own. For one without, Fastify looks through every module that is loaded. */
export const named = (name: string, plugin: Plugin): Plugin =>
  Object.assign(plugin, { [Symbol.for('fastify.display-name')]: name });
