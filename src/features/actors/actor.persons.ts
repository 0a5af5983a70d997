import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { actors } from './actor.entity';

const digests = select({ personDigest: actors.personDigest }, sql`FROM ${actors}`);
const subjects = select({ id: actors.id }, sql`FROM ${actors}`);

/** All subjects of the persons of whom these are some, sorted, these among them. */
export const subjectsOf = async (from: Pick<Change, 'read'>, ids: readonly string[]): Promise<readonly string[]> => {
  if (ids.length === 0) return [];
  const rows = await from.read(digests, sql`WHERE ${actors.id} IN (${ids}) AND ${actors.personDigest} IS NOT NULL`);
  const theirs = [...new Set(rows.flatMap(({ personDigest }) => personDigest ?? []))];
  const found = theirs.length === 0 ? [] : await from.read(subjects, sql`WHERE ${actors.personDigest} IN (${theirs})`);
  return [...new Set([...ids, ...found.map(({ id }) => id)])].sort();
};

/** All subjects of this one's person; null where nothing but the subject tells who they are. */
export const knownSubjectsOf = async (from: Pick<Change, 'read'>, id: string): Promise<readonly string[] | null> => {
  const [row] = await from.read(digests, sql`WHERE ${actors.id} = ${id}`);
  return row?.personDigest ? subjectsOf(from, [id]) : null;
};
