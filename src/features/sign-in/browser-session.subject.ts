import { createHash } from 'node:crypto';
import { canonicalize } from '../../audit/canonical';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { differing, endedEarly, type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { type BrowserSession, browserSessions } from './browser-session.entity';

/** Whose session it is, as the event of its beginning states it: SHA-256 over the digests of cookie, subject and the provider's session, actor and issuer, in base64url. */
export const sessionDigest = ({
  cookieDigest,
  actorId,
  issuer,
  subjectDigest,
  sessionDigest: ofProvider,
}: Pick<BrowserSession, 'cookieDigest' | 'actorId' | 'issuer' | 'subjectDigest' | 'sessionDigest'>): string =>
  createHash('sha256')
    .update(canonicalize([cookieDigest, actorId, issuer, subjectDigest, ofProvider]))
    .digest('base64url');

const rows = select(
  {
    ...browserSessions.pick('id', 'cookieDigest', 'actorId', 'issuer', 'subjectDigest', 'sessionDigest'),
    ...browserSessions.pick('createdAt', 'endsAt', 'endedAt'),
  },
  sql`FROM ${browserSessions}`,
);

/** A session is the one that began, is over when it was said to be, and doesn't begin again once it was ended. */
export const browserSessionSubject: Subject<Selected<typeof rows> | undefined> = {
  type: 'BrowserSession',
  kinds: ['browser sessions'],
  places: [{ id: browserSessions.id, from: sql`FROM ${browserSessions} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${browserSessions.id} IN (${ids})`, most);
    const byId = found && new Map(found.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const began = about.find(({ action }) => action === 'browser-session.begin');
    const ended = about.find(({ action }) => action === 'browser-session.end');
    // What ended long ago is swept.
    if (!row && ended) return { findings: [] };
    const alone = missing('browser sessions', id, row, began);
    if (alone || !row || !began) return alone ?? { findings: [] };
    const { entry, until } = began.detail;
    return {
      findings: saysOtherwise(
        'browser sessions',
        id,
        differing(row, { createdAt: began.at, endsAt: new Date(String(until)), endedAt: ended?.at ?? null }),
        entry === sessionDigest(row) ? '' : 'whose',
        endedEarly(ended?.detail.why === 'time' ? ended : undefined, until),
      ),
    };
  },
};
