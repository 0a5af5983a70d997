import { createHash } from 'node:crypto';

/** What a document is called by: SHA-256 of the UTF-8 bytes of its text as it stands, in lower-case hexadecimal digits. */
export const operationHash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A hash as clients write it: bare, as Apollo's do, or `sha256:` before it (GraphQL over HTTP, Appendix A). */
const written = /^(?:sha256:)?([0-9a-f]{64})$/;

/** Null where it is no SHA-256 in lower-case hexadecimal digits. */
export const hashIn = (id: string): string | null => written.exec(id)?.[1] ?? null;
