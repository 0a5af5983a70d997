import { createHash } from 'node:crypto';
import { canonicalize } from '../../audit/canonical';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { differing, type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { type FrameSession, frameSessions } from './frame-session.entity';

/** Whose it is and for which helpdesk, as the event of its beginning states it: SHA-256 over the digest of the cookie, the browser's session and the helpdesk, in base64url. */
export const frameSessionDigest = ({
  cookieDigest,
  sessionId,
  source,
}: Pick<FrameSession, 'cookieDigest' | 'sessionId' | 'source'>): string =>
  createHash('sha256')
    .update(canonicalize([cookieDigest, sessionId, source]))
    .digest('base64url');

const rows = select(
  frameSessions.pick('id', 'cookieDigest', 'sessionId', 'source', 'createdAt', 'endedAt'),
  sql`FROM ${frameSessions}`,
);

/** A frame's session is the one that began, is over when it was said to be, and doesn't begin again once it was ended. */
export const frameSessionSubject: Subject<Selected<typeof rows> | undefined> = {
  type: 'FrameSession',
  kinds: ['frame sessions'],
  places: [{ id: frameSessions.id, from: sql`FROM ${frameSessions} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${frameSessions.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const began = about.find(({ action }) => action === 'frame-session.begin');
    const ended = about.find(({ action }) => action === 'frame-session.end');
    // What ended long ago is swept.
    if (!row && ended) return { findings: [] };
    const alone = missing('frame sessions', id, row, began);
    if (alone || !row || !began) return alone ?? { findings: [] };
    return {
      findings: saysOtherwise(
        'frame sessions',
        id,
        differing(row, { createdAt: began.at, endedAt: ended?.at ?? null }),
        began.detail.entry === frameSessionDigest(row) ? '' : 'whose',
      ),
    };
  },
};
