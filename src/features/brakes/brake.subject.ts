import { createHash } from 'node:crypto';
import { canonicalize } from '../../audit/canonical';
import { sql } from '../../db/sql';
import { type Selected, select } from '../../db/table';
import { differing, type Judgement, missing, readAtMost, type Subject, saysOtherwise } from '../../ledger/subjects';
import { actors, brakeLevels } from '../actors/actor.entity';
import { brakes as b } from './brake.entity';

const kind = 'brakes';

/** The teams of whom a brake stops, as its event states them: SHA-256 over their sorted names, in base64url. */
export const teamsDigest = (teams: readonly string[]): string =>
  createHash('sha256')
    .update(canonicalize([...teams].sort()))
    .digest('base64url');

const rows = select(
  {
    ...b.pick('id', 'actorId', 'actorIds', 'staffIds', 'teams', 'level', 'rule', 'ruleVersion', 'state', 'placedAt'),
    ...b.pick('proposedById', 'proposedByStaffIds', 'proposedAt', 'proposalReasonSealed'),
    ...b.pick('releasedById', 'releasedAt', 'releaseReasonSealed', 'openKey'),
  },
  sql`FROM ${b}`,
);
const onActors = select(actors.pick('id', 'brake'), sql`FROM ${actors}`);

interface StoredBrake {
  readonly row: Selected<typeof rows>;
  /** Whom it should stop, and doesn't. */
  readonly unstopped: readonly string[];
}

/** A brake is what the events of its placing, its proposal and its release say, and stops whom it is to stop. */
export const brakeSubject: Subject<StoredBrake | undefined> = {
  type: 'Brake',
  kinds: [kind],
  places: [{ id: b.id, from: sql`FROM ${b} WHERE` }],
  stored: async (reads, ids, most) => {
    const found = await readAtMost(reads, rows, sql`WHERE ${b.id} IN (${ids})`, most);
    if (!found) return null;
    const stopped = [...new Set(found.flatMap(({ openKey, actorIds }) => (openKey === null ? [] : actorIds)))];
    const theirs = stopped.length === 0 ? [] : await readAtMost(reads, onActors, sql`WHERE ${actors.id} IN (${stopped})`, most);
    if (!theirs) return null;
    const levels = new Map(theirs.map(({ id, brake }) => [id, brake]));
    const stops = (actorId: string, least: number): boolean => {
      const level = levels.get(actorId) ?? null;
      return level !== null && brakeLevels.indexOf(level) >= least;
    };
    const byId = new Map(
      found.map((row) => [
        row.id,
        {
          row,
          unstopped: row.openKey === null ? [] : row.actorIds.filter((id) => !stops(id, brakeLevels.indexOf(row.level))),
        },
      ]),
    );
    return (id) => byId.get(id);
  },
  judge: (id, stored, about): Judgement => {
    const of = (action: string) => about.find((event) => event.action === action);
    const [placed, released] = [of('brake.place'), of('brake.release')];
    // What was found again put an earlier proposal aside. They are counted: two events of one millisecond have no order.
    const all = (action: string) => about.filter((event) => event.action === action);
    const proposals = all('brake.propose');
    const proposed = proposals.length > all('brake.renew').length ? proposals.at(-1) : undefined;
    const alone = missing(kind, id, stored?.row, placed);
    if (alone || !stored || !placed) return alone ?? { findings: [] };
    const { row, unstopped } = stored;
    const { detail } = placed;
    const extended = all('brake.extend').map((event) => event.detail);
    const grown = (first: unknown, name: 'actors' | 'staffRows') =>
      extended.length === 0 ? first : [...new Set([first, ...extended.map((each) => each[name])].flat())].sort();
    const isSilent =
      (proposed !== undefined && row.proposalReasonSealed === null) ||
      (released !== undefined && row.releaseReasonSealed === null);
    return {
      findings: saysOtherwise(
        kind,
        id,
        differing(row, {
          actorId: detail.of,
          actorIds: grown(detail.actors, 'actors'),
          staffIds: grown(detail.staffRows, 'staffRows'),
          level: detail.level,
          rule: detail.rule,
          ruleVersion: detail.version,
          placedAt: placed.at,
          state: released ? 'RELEASED' : proposed ? 'PROPOSED' : 'ACTIVE',
          proposedById: proposed?.actorId ?? null,
          proposedByStaffIds: proposed?.detail.staffRows ?? null,
          proposedAt: proposed?.at ?? null,
          releasedById: released?.actorId ?? null,
          releasedAt: released?.at ?? null,
          openKey: released ? null : `${String(detail.of)}|${String(detail.rule)}`,
        }),
        detail.teams === teamsDigest(row.teams) ? '' : 'teams',
        unstopped.length === 0 ? '' : 'whom they stop',
        isSilent ? 'reason' : '',
      ),
    };
  },
};
