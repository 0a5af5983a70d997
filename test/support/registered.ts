import { createHash } from 'node:crypto';
import type { OfferedDocument } from '../../src/features/operations/examine';
import type { Registration } from '../../src/features/operations/operations.service';
import type { GraphQLAnswer, TestApp } from './app';

/** Who registers, where no test says otherwise. */
export const operator = { id: 'operator:1000', kind: 'system', roles: [] } as const;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A plain file. */
export const offered = (text: string): OfferedDocument => ({ from: 'test.graphql', id: null, name: null, type: null, text });

/** Registers texts, as the running gateway does for the command beside it. Returns their hashes. */
export const register = async ({ app }: TestApp, ...texts: readonly string[]): Promise<readonly string[]> => {
  const { problems }: Registration = await app.operations.register(operator, texts.map(offered));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return texts.map(sha256);
};

/** Sends a body as it is, with the token of a demo person or one of its own. */
export const post = async (
  test: TestApp,
  who: string | { readonly token: string },
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<GraphQLAnswer> => {
  const token = typeof who === 'string' ? await test.token(who) : who.token;
  const response = await test.server.inject({
    method: 'POST',
    url: '/graphql',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });
  return { status: response.statusCode, ...(response.json() as Omit<GraphQLAnswer, 'status'>) };
};

/** As Apollo's clients ask by hash. */
export const byApollo = (sha256Hash: unknown, more: object = {}) => ({
  extensions: { persistedQuery: { version: 1, sha256Hash } },
  ...more,
});
