import type { FastifyError, FastifyReply } from 'fastify';
import { Failure } from '../failure';
import { extensionsOf } from '../graphql/errors';

/** Says of a route with a limit of its own what that is, in bytes; the server's words are about another one. */
export const refuseLarger =
  (largest: number) =>
  (error: FastifyError, _request: unknown, reply: FastifyReply): void => {
    if (error.statusCode !== 413) throw error;
    const failure = Failure.invalid('body', `expected at most ${largest / 1024} KiB`);
    void reply.code(413).send({ errors: [{ message: failure.message, extensions: extensionsOf(failure) }] });
  };
