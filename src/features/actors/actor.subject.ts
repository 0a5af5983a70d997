import { createHash } from 'node:crypto';
import { type CanonicalValue, canonicalize } from '../../audit/canonical';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import {
  differing,
  type Judgement,
  missing,
  type RecordedEvent,
  readAtMost,
  type Subject,
  saysOtherwise,
} from '../../ledger/subjects';
import { type ActorRow, actors } from './actor.entity';
import { actorNames, nameIdOf } from './actor-name.entity';
import { type SessionRevocation, sessionRevocations } from './session-revocation.entity';

const names = 'names of actors';

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

const nameRows = select(
  {
    ...actorNames.pick('id', 'actorId', 'nameSealed', 'seenAt', 'proposedById', 'proposedByStaffIds', 'proposedAt'),
    ...actorNames.pick('erasedById', 'erasedAt'),
  },
  sql`FROM ${actorNames}`,
);

interface StoredActor {
  readonly row: Selected<typeof actorRows> | undefined;
  readonly name: Selected<typeof nameRows> | undefined;
}

/** Whose name it is, since when, and that it is there until two had it erased. What it says is bound to its row by the seal. */
const judgeName = (id: string, { name }: StoredActor, about: readonly RecordedEvent[]): Judgement['findings'] => {
  const named = about.find(({ action, detail }) => action === 'actor.name' || detail.named === true);
  if (!name && !named) return [];
  const alone = missing(names, id, name, named);
  if (alone || !name || !named) return alone?.findings ?? [];
  const proposed = about.findLast(({ action }) => action === 'actor.name-propose');
  const erased = about.find(({ action }) => action === 'actor.name-erase');
  return saysOtherwise(
    names,
    id,
    differing(name, {
      id: nameIdOf(id),
      seenAt: named.at,
      proposedById: proposed?.actorId ?? null,
      proposedByStaffIds: proposed?.detail.staffRows ?? null,
      proposedAt: proposed?.at ?? null,
      erasedById: erased?.actorId ?? null,
      erasedAt: erased?.at ?? null,
    }),
    (name.nameSealed === null) === (erased !== undefined) ? '' : 'name',
  );
};

/**
 * Actors are those that their first event says: one who could become another would approve their own requests. And they are called what their
 * first token said: one who could be called like another would do things in their name.
 */
export const actorSubject: Subject<StoredActor> = {
  type: 'Actor',
  kinds: ['actors', names],
  places: [
    { id: actors.id, from: sql`FROM ${actors} WHERE` },
    { id: actorNames.actorId, from: sql`FROM ${actorNames} WHERE` },
  ],
  stored: async (reads, ids, most) => {
    const rows = await readAtMost(reads, actorRows, sql`WHERE ${actors.id} IN (${ids})`, most);
    const named = await readAtMost(reads, nameRows, sql`WHERE ${actorNames.actorId} IN (${ids})`, most);
    if (!rows || !named) return null;
    const byId = new Map(rows.map((row) => [row.id, row]));
    const nameOf = new Map(named.map((name) => [name.actorId, name]));
    return (id) => ({ row: byId.get(id), name: nameOf.get(id) });
  },
  judge: (id, stored, about): Judgement => {
    const { row } = stored;
    const seen = about.find(({ action }) => action === 'actor.first-seen');
    const ofName = judgeName(id, stored, about);
    const alone = missing('actors', id, row, seen);
    if (alone || !row || !seen) return { findings: [...(alone?.findings ?? []), ...ofName] };
    const { identity } = seen.detail;
    if (identity === undefined) return { findings: ofName, isUnstated: true };
    const findings = saysOtherwise(
      'actors',
      id,
      differing(row, { createdAt: seen.at }),
      identity === identityDigest(row) ? '' : 'issuer or subject',
    );
    return { findings: [...findings, ...ofName] };
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
