import { sql } from '../../db/sql';
import { select } from '../../db/table';
import type { Core } from '../core';
import { frameUses } from './frame-session.entity';

/** Rows that are removed in one transaction, and in one turn. */
const removedAtOnce = 500;
const mostRemoved = 20_000;
/** For so many milliseconds they are kept beyond their end: another process's clock may be behind. */
const keptBeyond = 300_000;

const names = select(frameUses.pick('id'), sql`FROM ${frameUses}`);

/** What may be used once, by all processes together. Only what was proven genuine comes here: nobody else makes a row. */
export class FrameUses {
  constructor(private readonly parts: Pick<Core, 'database' | 'clock' | 'keys'>) {}

  /** False where it was used before. `endsAt`: from when on it is refused as too old. */
  take(kind: 'code' | 'context', text: string, endsAt: Date): Promise<boolean> {
    const id = this.parts.keys.searchDigest(`frame-${kind}`, text) as string;
    return this.parts.database.bookkeeping(frameUses, async (books) => {
      if ((await books.read(names, sql`WHERE ${frameUses.id} = ${id}`)).length > 0) return false;
      await books.insert([{ id, endsAt }]);
      return true;
    });
  }

  /** Removes what is too old by now. */
  async forget(): Promise<void> {
    const { database, clock } = this.parts;
    const before = new Date(clock().getTime() - keptBeyond);
    for (let all = 0; all < mostRemoved; all += removedAtOnce) {
      const old = await database.read(
        names,
        sql`WHERE ${frameUses.endsAt} < ${before} ORDER BY ${frameUses.endsAt} LIMIT ${removedAtOnce}`,
      );
      if (old.length === 0) return;
      const ids = old.map(({ id }) => id);
      await database.bookkeeping(frameUses, (books) => books.remove(sql`${frameUses.id} IN (${ids})`));
      if (old.length < removedAtOnce) return;
    }
  }
}
