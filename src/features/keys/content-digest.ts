import { ProgrammingError } from '../../failure';
import type { Keys } from './keys.service';

/** The same text for the same values, in whatever order they were put together. What only its key tells apart can't be compared. */
const canonical = (value: unknown): unknown => {
  if (value instanceof Date) return value.getTime();
  if (ArrayBuffer.isView(value)) throw new ProgrammingError('A sealed value differs each time: give the text that it seals.');
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, each]) => [name, canonical(each)]),
  );
};

/**
 * One keyed digest over all that is given, however deep: two readings of `owner` say the same where it is the same. It says nothing
 * to whoever lacks the installation's secret, nor which rows are alike.
 */
export const contentDigest = (keys: Keys, owner: string, content: object): string =>
  keys.searchDigest('content', `${owner}\n${JSON.stringify(canonical(content))}`) as string;
