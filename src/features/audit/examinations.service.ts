import { hashLeaf } from '../../audit/event';
import type { EventFacts } from '../../audit/events';
import { readLeaf } from '../../audit/leaf';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { Failure } from '../../failure';
import { ulid } from '../../ulid';
import { e, l, placedEvents } from './audit.rows';
import { Examination } from './examination.type';

const action = 'installation.examine';

/** How much was found, by area; `sources` is null where these weren't asked. */
export type Found = EventFacts<typeof action>['detail'];

const rows = select({ ...e.pick('id', 'leaf'), ...l.pick('leafIndex', 'leafHash') }, placedEvents);

/** What the command line found when it looked through the installation: in the log by its numbers, and nowhere else. */
export class Examinations {
  constructor(private readonly database: Database) {}

  async record(
    actor: { readonly id: string; readonly kind: 'system'; readonly roles: readonly string[] },
    found: Found,
  ): Promise<void> {
    await this.database.system('recorder', action, async (change) =>
      change.recordFor(actor, action, { subject: { type: 'Examination', id: `exm_${ulid()}` }, detail: found }),
    );
  }

  /** The last by its place in the tree: the time beside it is only in the row. Null before the first. Throws `CONFLICT` where the event that was found isn't one by its leaf. */
  async last(): Promise<Examination | null> {
    const [row] = await this.database.read(
      rows,
      sql`WHERE ${e.subjectType} = 'Examination' AND ${e.action} = ${action} ORDER BY ${l.leafIndex} DESC LIMIT 1`,
    );
    if (!row) return null;
    const leaf = readLeaf(row.leaf.toString('utf8'));
    if (hashLeaf(row.leaf) !== row.leafHash || leaf.action !== action || leaf.id !== row.id)
      throw new Failure('CONFLICT', `Leaf ${row.leafIndex} isn’t what the row beside it says: what is stored was altered.`, {
        remedy: 'Run "counterfoil doctor": it names every place.',
      });
    return new Examination({ eventId: row.id, at: new Date(leaf.at), found: leaf.detail as Found });
  }
}
