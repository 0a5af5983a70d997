import { promisify } from 'node:util';
import { deflateRawSync, inflateRaw } from 'node:zlib';

const inflated = promisify(inflateRaw);

/** Bytes of a policy's text at most: it is of each field of the graph and each role, of which there are ten times fewer. */
const longestText = 2 * 1024 * 1024;

/** A text as a column keeps it, deflated (RFC 1951): of a policy a tenth or less, since most fields are decided alike. */
export const packed = (text: string): Buffer => deflateRawSync(Buffer.from(text), { level: 9 });

/** Null where the bytes are none that `packed` made, or of a longer text than any policy's. */
export const unpacked = async (bytes: unknown): Promise<string | null> => {
  // An embedded database keeps any type in any column.
  if (!Buffer.isBuffer(bytes)) return null;
  const text = await inflated(bytes, { maxOutputLength: longestText }).catch(() => null);
  return text?.toString('utf8') ?? null;
};
