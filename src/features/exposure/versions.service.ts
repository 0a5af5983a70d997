import { hashLeaf } from '../../audit/event';
import { LeafInvalid, readLeaf } from '../../audit/leaf';
import type { SignedInActor } from '../../authz/actor';
import { sql } from '../../db/sql';
import { optional, type Selected, select, wholeNumber } from '../../db/table';
import { Failure } from '../../failure';
import type { Page } from '../../graphql/connection';
import { type Keyset, PageRequest } from '../../graphql/page';
import { e, l } from '../audit/audit.rows';
import type { Core } from '../core';
import { unpacked } from './packed';
import { policyVersions } from './policy-version.entity';
import { policyDigest } from './policy-version.subject';

const v = policyVersions.as('v');

/** Each with the event that says that it is kept: what no event says was never in force. */
const versionsByEvents = sql`FROM ${v} JOIN ${e} ON ${e.subjectType} = 'Policy' AND ${e.subjectId} = ${v.id} AND ${e.at} = ${v.keptAt}
  AND ${e.action} = 'policy.in-force' LEFT JOIN ${l} ON ${l.eventId} = ${e.id}`;
const listed = select(
  {
    ...v.pick('id', 'keptAt'),
    eventId: e.id,
    leaf: e.leaf,
    leafHash: e.leafHash,
    placed: optional(l.leafHash),
    leafIndex: optional(l.leafIndex),
  },
  versionsByEvents,
);
const texts = select({ ...v.pick('id', 'text') }, sql`FROM ${v}`);
const counted = select({ n: wholeNumber(sql`COUNT(*)`) }, versionsByEvents);

type Row = Selected<typeof listed>;

/** A policy that was in force, and the event that says so. */
export interface KeptVersion {
  readonly digest: string;
  readonly keptAt: Date;
  readonly isInForce: boolean;
  readonly eventId: string;
  /** Null while the event waits for its place. */
  readonly leafIndex: number | null;
}

const newestFirst: Keyset<Row> = {
  column: v.keptAt,
  id: v.id,
  direction: 'DESC',
  positionOf: ({ keptAt, id }) => ({ value: keptAt.getTime(), id }),
};

/** That the leaf is what was signed, or is to be, and says of the row what the row says. */
const isSaidByLeaf = ({ id, keptAt, leaf: bytes, leafHash, placed }: Row): boolean => {
  if (hashLeaf(bytes) !== (placed ?? leafHash)) return false;
  try {
    const { action, at, subject } = readLeaf(bytes.toString('utf8'));
    const isAbout = subject?.type === 'Policy' && subject.id === id;
    return action === 'policy.in-force' && isAbout && Date.parse(at) === keptAt.getTime();
  } catch (error) {
    if (error instanceof LeafInvalid) return false;
    throw error;
  }
};

const altered = (what: string) =>
  new Failure('CONFLICT', `${what}: what is stored was altered.`, {
    rule: 'policy.versions',
    remedy: 'Run "counterfoil doctor": it names every place.',
  });

/** The policies that were in force, of which the texts are kept. None of them comes into force by anything that is asked here. */
export class PolicyVersions {
  constructor(private readonly parts: Pick<Core, 'database' | 'policy' | 'cursors' | 'log'>) {}

  /** Newest first. Throws `INVALID`, and `CONFLICT` where a row isn't what its leaf says. */
  async page(actor: SignedInActor, first: number | null, after: string | null | undefined): Promise<Page<KeptVersion>> {
    const { database, cursors, policy } = this.parts;
    const list = ['Query.policyVersions'];
    const request = new PageRequest({ cursors, actorId: actor.id, list, keyset: newestFirst }, { first, after });
    const rows = await database.read(listed, sql`WHERE 1 = 1 ${request.clause}`);
    const found = rows.find((row) => !isSaidByLeaf(row));
    if (found) throw altered('A policy isn’t what the leaf says that it came into force by');
    const nodeOf = ({ id, keptAt, eventId, leafIndex }: Row): KeptVersion => ({
      digest: id,
      keptAt,
      isInForce: id === policy.digest,
      eventId,
      leafIndex,
    });
    return request.pageOf(rows, nodeOf, async () => (await database.read(counted, sql``))[0]?.n ?? 0);
  }

  /** What the policy of this digest means. Throws `NOT_FOUND` for one that was never in force or isn't kept, `CONFLICT` for an altered one. */
  async text(digest: string): Promise<string> {
    const { database, log } = this.parts;
    const [version] = await database.read(listed, sql`WHERE ${v.id} = ${digest} LIMIT 1`);
    const [row] = version ? await database.read(texts, sql`WHERE ${v.id} = ${digest}`) : [];
    if (!version || !row) throw Failure.notFound('policy');
    const text = isSaidByLeaf(version) ? await unpacked(row.text) : null;
    if (text !== null && policyDigest(text) === digest) return text;
    log.error({ policy: version.id }, 'the text of a policy that was in force was altered; it is not compared');
    throw altered('The text of this policy isn’t the one that came into force');
  }
}
