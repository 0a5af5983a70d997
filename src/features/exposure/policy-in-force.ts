import type { ExposurePolicy } from '../../authz/policy/exposure';
import { auditEvents } from '../../db/audit.entity';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { packed } from './packed';
import { policyVersions } from './policy-version.entity';

const subjects = select(auditEvents.pick('subjectId'), sql`FROM ${auditEvents}`);
const versions = select(policyVersions.pick('id'), sql`FROM ${policyVersions}`);

/**
 * Each policy that came into force is an event, so that what was shown can be compared with what was allowed then, and its text is kept, so
 * that another one can be. Of one that came into force before texts were, the next start says again that it is, and keeps it.
 */
export const recordPolicy = (database: Database, { digest, text }: Pick<ExposurePolicy, 'digest' | 'text'>): Promise<void> =>
  database.system('start', 'policy.in-force', async (change) => {
    const { subjectType, at, id } = auditEvents;
    // The row before the events: where a replica that starts at the same time commits between both, its event is seen too, and it isn't said twice.
    const [kept] = await change.read(versions, sql`WHERE ${policyVersions.id} = ${digest}`);
    const [newest] = await change.read(subjects, sql`WHERE ${subjectType} = 'Policy' ORDER BY ${at} DESC, ${id} DESC LIMIT 1`);
    if (newest?.subjectId === digest && kept) return;
    if (!kept) await change.insert(policyVersions, { id: digest, text: packed(text), keptAt: change.at });
    change.record('policy.in-force', {
      subject: { type: 'Policy', id: digest },
      detail: { bytes: Buffer.byteLength(text) },
    });
  });
