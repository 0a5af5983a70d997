import { createHash } from 'node:crypto';
import { type CanonicalValue, canonicalize } from '../../audit/canonical';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { differing, type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { type ActorRow, actors } from './actor.entity';
import { type SessionRevocation, sessionRevocations } from './session-revocation.entity';

const digestOf = (values: readonly CanonicalValue[]): string =>
  createHash('sha256').update(canonicalize(values)).digest('base64url');

/** Who an actor is, as the event that first saw them states it: SHA-256 over issuer and keyed digest of the subject, in base64url. */
export const identityDigest = ({ issuer, subjectDigest }: Pick<ActorRow, 'issuer' | 'subjectDigest'>): string =>
  digestOf([issuer, subjectDigest]);

/** What was ended, as its event states it: SHA-256 over issuer, keyed digests of subject and session, and the token's time. */
export const revocationDigest = ({
  issuer,
  subjectDigest,
  sessionDigest,
  issuedAt,
}: Pick<SessionRevocation, 'issuer' | 'subjectDigest' | 'sessionDigest' | 'issuedAt'>): string =>
  digestOf([issuer, subjectDigest, sessionDigest, issuedAt.getTime()]);

const actorRows = select(actors.pick('id', 'issuer', 'subjectDigest', 'createdAt'), sql`FROM ${actors}`);
const revocationRows = select(
  sessionRevocations.pick('id', 'issuer', 'subjectDigest', 'sessionDigest', 'issuedAt', 'untilAt'),
  sql`FROM ${sessionRevocations}`,
);

/** Actors are those that their first event says: one who could become another would approve their own requests. */
export const actorSubject: Subject<Selected<typeof actorRows> | undefined> = {
  type: 'Actor',
  kinds: ['actors'],
  places: [{ id: actors.id, from: sql`FROM ${actors} WHERE` }],
  stored: async (reads, ids, most) => {
    const rows = await readAtMost(reads, actorRows, sql`WHERE ${actors.id} IN (${ids})`, most);
    const byId = rows && new Map(rows.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const seen = about.find(({ action }) => action === 'actor.first-seen');
    const alone = missing('actors', id, row, seen);
    if (alone || !row || !seen) return alone ?? { findings: [] };
    const { identity } = seen.detail;
    if (identity === undefined) return { findings: [], isUnstated: true };
    return {
      findings: saysOtherwise(
        'actors',
        id,
        differing(row, { createdAt: seen.at }),
        identity === identityDigest(row) ? '' : 'issuer or subject',
      ),
    };
  },
};

/** A session that was ended stays ended. */
export const revocationSubject: Subject<Selected<typeof revocationRows> | undefined> = {
  type: 'SessionRevocation',
  kinds: ['ended sessions'],
  places: [{ id: sessionRevocations.id, from: sql`FROM ${sessionRevocations} WHERE` }],
  stored: async (reads, ids, most) => {
    const rows = await readAtMost(reads, revocationRows, sql`WHERE ${sessionRevocations.id} IN (${ids})`, most);
    const byId = rows && new Map(rows.map((row) => [row.id, row]));
    return byId && ((id) => byId.get(id));
  },
  judge: (id, row, about): Judgement => {
    const ended = about.find(({ action }) => action === 'session.revoke');
    const alone = missing('ended sessions', id, row, ended);
    if (alone || !row || !ended) return alone ?? { findings: [] };
    const { entry, until } = ended.detail;
    if (entry === undefined) return { findings: [], isUnstated: true };
    return {
      findings: saysOtherwise(
        'ended sessions',
        id,
        differing(row, { untilAt: new Date(String(until)) }),
        entry === revocationDigest(row) ? '' : 'whose',
      ),
    };
  },
};
