import type { FastifyReply } from 'fastify';

/** Settles when an answer has left, or nobody is there any more to read it. */
export const answered = ({ raw }: FastifyReply): Promise<unknown> =>
  new Promise((resolve) => {
    raw.once('finish', resolve);
    raw.once('close', resolve);
  });
