import type { SignedInActor } from '../authz/actor';
import { Failure } from '../failure';
import { hashIn, operationHash } from '../features/operations/operation-hash';
import type { Operations } from '../features/operations/operations.service';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/** `documentId` of GraphQL over HTTP, Appendix A. Null where there is none. Throws `INVALID`. */
const documentIdIn = ({ documentId }: Record<string, unknown>): string | null => {
  if (isAbsent(documentId)) return null;
  const hash = typeof documentId === 'string' ? hashIn(documentId) : null;
  if (hash !== null) return hash;
  throw Failure.invalid(
    'documentId',
    'expected sha256: and the SHA-256 of a registered document in lower-case hexadecimal digits',
  );
};

/** `extensions.persistedQuery` as Apollo's clients send it. Null where it is none. */
const hashOfApollo = (sent: unknown): string | null => {
  const { version, sha256Hash } = isRecord(sent) ? sent : {};
  return version === 1 && typeof sha256Hash === 'string' && /^[0-9a-f]{64}$/.test(sha256Hash) ? sha256Hash : null;
};

/** Of a hash in either place. Throws `INVALID` where there are two, or what isn't one. */
const hashOf = (body: Record<string, unknown>, persistedQuery: unknown): string => {
  const byId = documentIdIn(body);
  const byApollo = hashOfApollo(persistedQuery);
  if (byApollo === null && !isAbsent(persistedQuery))
    throw Failure.invalid(
      'extensions.persistedQuery',
      'expected version 1 and, as sha256Hash, the SHA-256 of a registered document in lower-case hexadecimal digits',
    );
  if (byId !== null && byApollo !== null && byId !== byApollo)
    throw Failure.invalid('documentId', 'expected the hash that extensions.persistedQuery has, or one of the two');
  return (byId ?? byApollo) as string;
};

/**
 * Puts the text of the registered operation that a request asks for by its hash into its body, in place of the hash. `sent`: it has a
 * text of its own, which a hash beside it has to be of; `unknown`: nothing is registered under the hash. Throws `INVALID` for a hash that
 * is none, and for two of which one would win.
 */
export const fillRegistered = async (
  body: unknown,
  actor: SignedInActor,
  operations: Operations,
): Promise<'sent' | 'registered' | 'unknown'> => {
  if (!isRecord(body)) return 'sent';
  const { query, documentId, extensions } = body;
  // What is neither is refused with the rest of the form.
  if (!isAbsent(query) && typeof query !== 'string') return 'sent';
  const persistedQuery = isRecord(extensions) ? extensions.persistedQuery : undefined;
  if (isAbsent(documentId) && isAbsent(persistedQuery)) return 'sent';
  // Where nothing is registered, Apollo's clients are told that they needn't ask by hash again, and send texts.
  const isSupported = async () => !isAbsent(documentId) || operations.isLimited(actor) || (await operations.hasAny());
  if ((query || hashOfApollo(persistedQuery) === null) && !(await isSupported())) return 'sent';
  const hash = hashOf(body, persistedQuery);
  if (query && operationHash(query) !== hash)
    throw Failure.invalid('query', 'expected the text that the hash is of, or the hash alone');
  const text = query || (await operations.text(hash));
  if (text === null) return (await isSupported()) ? 'unknown' : 'sent';
  delete body.documentId;
  if (isRecord(extensions)) delete extensions.persistedQuery;
  body.query = text;
  return query ? 'sent' : 'registered';
};
