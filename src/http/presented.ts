import type { FastifyRequest } from 'fastify';
import type { Presented } from '../authz/identity/presented-tokens';

const single = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header.join(',') : header);

/** What a request says of who sends it, in its headers. */
export const presentedBy = ({ headers, method, url }: FastifyRequest): Presented => ({
  authorization: headers.authorization,
  proof: { text: single(headers.dpop), method, path: url.replace(/[?#].*$/s, '') },
});
