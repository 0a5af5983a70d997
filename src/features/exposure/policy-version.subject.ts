import { createHash } from 'node:crypto';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { unpacked } from './packed';
import { policyVersions as v } from './policy-version.entity';

const kind = 'policies that were in force';

const rows = select(v.pick('id', 'text', 'keptAt'), sql`FROM ${v}`);

interface StoredVersion {
  /** Of the text; null where it is none. */
  readonly digest: string | null;
  readonly keptAt: Date;
}

/** The digest of a policy's text, as events name policies. */
export const policyDigest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The text of a policy is what its digest is of, and one of its events says that it is kept since then. */
export const policyVersionSubject: Subject<StoredVersion | undefined> = {
  type: 'Policy',
  kinds: [kind],
  places: [{ id: v.id, from: sql`FROM ${v} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${v.id} IN (${ids})`, most);
    if (!found) return null;
    const byId = new Map<string, StoredVersion>();
    // One after the other: their texts are twenty times longer than what is stored of them.
    for (const { id, text, keptAt } of found) {
      const whole = await unpacked(text);
      byId.set(id, { digest: whole === null ? null : policyDigest(whole), keptAt });
    }
    return (id) => byId.get(id);
  },
  judge: (id, row, about): Judgement => {
    // What came into force before texts were kept has only its digest in the log.
    const kept = about.filter(({ action, detail }) => action === 'policy.in-force' && 'bytes' in detail);
    if (!row && kept.length === 0) return { findings: [] };
    const alone = missing(kind, id, row, kept[0]);
    if (alone || !row) return alone ?? { findings: [] };
    const isSince = kept.some(({ at }) => at.getTime() === row.keptAt.getTime());
    return { findings: saysOtherwise(kind, id, row.digest === id ? '' : 'text', isSince ? '' : 'keptAt') };
  },
};
