import { auditEvents } from '../db/audit.entity';
import type { Database } from '../db/database';
import { sql } from '../db/sql';
import { select } from '../db/table';

const subjects = select(auditEvents.pick('subjectId'), sql`FROM ${auditEvents}`);

/** Each policy that came into force is an event, so that what was shown can be compared with what was allowed then. */
export const recordPolicy = (database: Database, digest: string): Promise<void> =>
  database.system('start', 'policy.in-force', async (change) => {
    const { subjectType, at, id } = auditEvents;
    const [newest] = await change.read(subjects, sql`WHERE ${subjectType} = 'Policy' ORDER BY ${at} DESC, ${id} DESC LIMIT 1`);
    if (newest?.subjectId !== digest) change.record('policy.in-force', { subject: { type: 'Policy', id: digest } });
  });
