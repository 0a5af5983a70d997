import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure } from '../failure';

/** Fields that one form may have; the largest of ours has nine. */
const mostFields = 64;

class SentForm {
  constructor(readonly fields: Readonly<Record<string, string>>) {}
}

/**
 * The fields of a body in `application/x-www-form-urlencoded` (URL Standard, 5.1). Throws `INVALID` where a field came twice:
 * which of the two counts is where one program reads another thing than the next.
 */
export const parseForm = (body: string): Readonly<Record<string, string>> => {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (fields.has(name)) throw Failure.invalid('form', 'expected every field once');
    if (fields.size === mostFields) throw Failure.invalid('form', `expected at most ${mostFields} fields`);
    fields.set(name, value);
  }
  // Without a prototype: a field is there because it was sent, whatever it is called.
  return Object.assign(Object.create(null), Object.fromEntries(fields));
};

/** Takes forms of at most so many bytes on the routes of this server. */
export const acceptForms = (server: FastifyInstance, { largest }: { readonly largest: number }): void => {
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: largest },
    async (_request: FastifyRequest, body: string | Buffer) => new SentForm(parseForm(String(body))),
  );
};

/** What a request sent as a form; no field where it sent something else. */
export const formOf = ({ body }: FastifyRequest): Readonly<Record<string, string>> =>
  body instanceof SentForm ? body.fields : Object.create(null);
