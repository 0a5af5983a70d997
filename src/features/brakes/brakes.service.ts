import type { SignedInActor } from '../../authz/actor';
import type { KeptPerson } from '../../authz/same-person';
import type { Change, SystemChange } from '../../db/change';
import { sql } from '../../db/sql';
import { Failure } from '../../failure';
import { type Keyset, PageRequest } from '../../graphql/page';
import { ulid } from '../../ulid';
import { putOnActors } from '../actors/actor.brakes';
import { type BrakeLevel, brakeLevels } from '../actors/actor.entity';
import { knownSubjectsOf, subjectsOf } from '../actors/actor.persons';
import { actorsOf, endOf, lateWorkOf } from '../assistance/assistance.ending';
import type { Core } from '../core';
import { sealField } from '../keys/keys.service';
import { reasonIn } from '../reasons';
import { Brake, brakes } from './brake.entity';
import { teamsDigest } from './brake.subject';
import { BrakeConnection, BrakeType } from './brake.type';
import { brakeActions } from './brakes.policy';
import { type BrakeRow, brake, brakeCount, brakeRows, type OpenBrake, openBrakes, releasedBrakes } from './brakes.rows';

/** What a rule wants stopped, and what it goes by. */
export interface BrakeDraft {
  /** By a subject of theirs, or, where only the helpdesk names them, by their rows among the staff. */
  readonly stops: KeptPerson | { readonly actorId: null; readonly staffIds: readonly string[] };
  readonly teams: readonly string[];
  readonly level: BrakeLevel;
  /** In lower case with hyphens. */
  readonly rule: string;
  readonly ruleVersion: number;
  /** Names of the signals that the verdict rests on. */
  readonly signals: readonly string[];
}

/** Which brake, and until when some process may still show something: to be waited out before anybody is told that it is in force. */
export interface PlacedBrake {
  readonly id: string;
  readonly leasesUntil: number;
  /** It wasn't there before. */
  readonly isNew: boolean;
}

interface BrakePage {
  readonly first: number | null;
  readonly after: string | null | undefined;
}

/** Signals that the event of a brake names; the verdict's own event names all. */
const mostSignals = 50;
const newestFirst: Keyset<BrakeRow> = {
  column: brake.placedAt,
  id: brake.id,
  direction: 'DESC',
  positionOf: ({ placedAt, id }) => ({ value: placedAt.getTime(), id }),
};

const strongest = (levels: readonly BrakeLevel[]): BrakeLevel | null =>
  brakeLevels.findLast((level) => levels.includes(level)) ?? null;

const union = (some: readonly string[], others: readonly string[]): readonly string[] =>
  [...new Set([...some, ...others])].sort();

type Stopped = Pick<OpenBrake, 'actorIds' | 'staffIds'>;
const covers = (brake: Stopped, { actorIds, staffIds }: Stopped): boolean =>
  actorIds.every((id) => brake.actorIds.includes(id)) && staffIds.every((id) => brake.staffIds.includes(id));

/** Brakes: what rules stop members of staff and services in, and how two people release it. */
export class Brakes {
  private readonly actions = brakeActions(this.parts.policy.brakes);
  /** Those on sessions, as they were when they were last read. */
  private onSessions: readonly Pick<OpenBrake, 'actorIds' | 'staffIds'>[] = [];

  constructor(private readonly parts: Pick<Core, 'database' | 'keys' | 'cursors' | 'policy'>) {}

  /**
   * Part of a change that records a verdict. Repeated while it isn't released, it is the one that is there. From its commit on nothing is
   * begun or changed that it stops; what is under way may be shown until `leasesUntil`. Null for somebody who never assisted anybody here.
   */
  async place(change: SystemChange, draft: BrakeDraft): Promise<PlacedBrake | null> {
    const { level, rule, ruleVersion } = draft;
    const named = await actorsOf(change, draft.stops);
    const actorId = draft.stops.actorId ?? named[0];
    if (actorId === undefined) return null;
    const actorIds = await subjectsOf(change, named);
    const work = await lateWorkOf(change, actorIds);
    const staffIds = union(draft.stops.staffIds ?? [], work.staffIds);
    const openKey = `${actorId}|${rule}`;
    const known = await change.lockIfAny(Brake, { openKey });
    if (known) {
      const leasesUntil = await this.extend(change, known, { actorIds, staffIds });
      if (known.state === 'PROPOSED') await renew(change, known);
      return { id: known.id, leasesUntil, isNew: false };
    }
    const teams = union(draft.teams, work.teams);
    const id = `brk_${ulid(change.at.getTime())}`;
    const others = await this.openOn(change, actorIds);
    const readersUntil = await putOnActors(change, actorIds, strongest([level, ...others.map((each) => each.level)]));
    await change.insert(brakes, {
      id,
      actorId,
      actorIds,
      staffIds,
      teams,
      level,
      rule,
      ruleVersion,
      state: 'ACTIVE',
      placedAt: change.at,
      proposedById: null,
      proposedByStaffIds: null,
      proposedAt: null,
      releasedById: null,
      releasedAt: null,
      keyId: null,
      proposalReasonSealed: null,
      releaseReasonSealed: null,
      openKey,
    });
    const assistedUntil = await endOf(change, actorIds, level === 'ASSISTANCES' ? 'waiting' : 'all');
    change.record('brake.place', {
      subject: { type: 'Brake', id },
      detail: {
        of: actorId,
        actors: actorIds,
        staffRows: staffIds,
        teams: teamsDigest(teams),
        level,
        rule,
        version: ruleVersion,
        signals: draft.signals.slice(0, mostSignals),
        count: draft.signals.length,
      },
    });
    return { id, leasesUntil: Math.max(readersUntil, assistedUntil), isNew: true };
  }

  /**
   * The first of two people proposes the release, the second makes it so. Once it is released, it changes nothing.
   * Throws `NOT_FOUND`, `DENIED`, `INVALID`.
   */
  async release(actor: SignedInActor, id: string, reason: string): Promise<BrakeType> {
    const text = reasonIn(reason);
    await this.parts.database.change(actor, this.actions.release, async (change, permit) => {
      const row = await change.lock(Brake, { id });
      const proposer =
        row.state !== 'PROPOSED' || row.proposedById === null
          ? null
          : { actorId: row.proposedById, staffIds: row.proposedByStaffIds };
      const asker = await knownSubjectsOf(change, actor.id);
      permit({ stops: row, asker, teams: row.teams, proposer, at: change.at });
      if (row.state === 'RELEASED') return;
      const key = (await this.parts.keys.forOwners(change, [row.actorId])).get(row.actorId);
      if (!key) throw Failure.notFound('brake');
      row.keyId = key.id;
      const isSecond = row.state === 'PROPOSED';
      if (isSecond) {
        row.state = 'RELEASED';
        row.releasedById = actor.id;
        row.releasedAt = change.at;
        row.releaseReasonSealed = sealField(brakes, id, 'releaseReason', key, text);
        row.openKey = null;
      } else {
        row.state = 'PROPOSED';
        row.proposedById = actor.id;
        row.proposedByStaffIds = actor.staffIds;
        row.proposedAt = change.at;
        row.proposalReasonSealed = sealField(brakes, id, 'proposalReason', key, text);
      }
      await change.save(row);
      if (isSecond) await this.ease(change, row);
      const facts = { subject: { type: 'Brake', id }, notes: [this.parts.keys.note('reason', key, text)] } as const;
      if (isSecond) change.record('brake.release', { ...facts, detail: { of: row.actorId } });
      else change.record('brake.propose', { ...facts, detail: { of: row.actorId, staffRows: actor.staffIds } });
    });
    const [row] = await this.parts.database.read(brakeRows, sql`WHERE ${brake.id} = ${id}`);
    if (!row) throw Failure.notFound('brake');
    return this.toType(row);
  }

  /**
   * Who has a brake on them and asks under a subject that it isn't on yet is stopped under that one as well. Asked wherever a person's
   * rows among the staff are read.
   */
  async stopAlso({ actorId, staffIds }: KeptPerson): Promise<void> {
    const { database } = this.parts;
    const open = await database.read(openBrakes, sql`WHERE ${brake.openKey} IS NOT NULL`);
    if (open.length === 0) return;
    const subjects = await subjectsOf(database, [actorId]);
    const isTheirs = (each: OpenBrake) =>
      each.actorIds.some((id) => subjects.includes(id)) || each.staffIds.some((id) => staffIds?.includes(id));
    const theirs = open.filter((each) => isTheirs(each) && !covers(each, { actorIds: [actorId], staffIds: staffIds ?? [] }));
    if (theirs.length === 0) return;
    await database.system(
      'identity',
      'brake.extend',
      async (change) => {
        for (const { id } of theirs) {
          const row = await change.lock(Brake, { id });
          if (row.openKey !== null) await this.extend(change, row, { actorIds: [actorId], staffIds: staffIds ?? [] });
        }
      },
      { idempotent: true },
    );
  }

  /** When two people last released somebody, named as signals name them, from a brake of this rule; null where nobody did since then. */
  async lastRelease(staff: string, { rule, since }: { readonly rule: string; readonly since: Date }): Promise<Date | null> {
    const released = await this.parts.database.read(
      releasedBrakes,
      sql`WHERE ${brake.rule} = ${rule} AND ${brake.state} = 'RELEASED' AND ${brake.releasedAt} >= ${since} ORDER BY ${brake.releasedAt} DESC`,
    );
    return released.find(({ actorIds, staffIds }) => [...actorIds, ...staffIds].includes(staff))?.releasedAt ?? null;
  }

  /** A brake is on the sessions of this person, as far as this process has read. */
  isSignedOut({ actorId, staffIds }: KeptPerson): boolean {
    return this.onSessions.some(
      (each) => each.actorIds.includes(actorId) || each.staffIds.some((staffId) => staffIds?.includes(staffId)),
    );
  }

  /** Reads which sessions brakes are on: by all processes, and from before this one started. */
  async refresh(): Promise<void> {
    this.onSessions = await this.parts.database.read(
      openBrakes,
      sql`WHERE ${brake.openKey} IS NOT NULL AND ${brake.level} = 'SESSION'`,
    );
  }

  /** All there are, newest first. Throws `INVALID` for a page that doesn't fit. */
  async page(actor: SignedInActor, page: BrakePage) {
    const { cursors, database } = this.parts;
    const request = new PageRequest({ cursors, actorId: actor.id, list: ['brakes'], keyset: newestFirst }, page);
    const rows = await database.read(brakeRows, sql`WHERE 1 = 1 ${request.clause}`);
    return new BrakeConnection(
      request.pageOf(
        rows,
        (row) => this.toType(row),
        async () => (await database.read(brakeCount, sql``))[0]?.n ?? 0,
      ),
    );
  }

  private toType(row: BrakeRow): BrakeType {
    return new BrakeType(row, this.parts.keys);
  }

  /** Returns until when some process may go on showing those something whom the brake wasn't on, in UTC milliseconds. */
  private async extend(change: Change, row: Brake, to: Stopped): Promise<number> {
    if (covers(row, to)) return 0;
    const actorIds = to.actorIds.filter((id) => !row.actorIds.includes(id));
    const staffIds = to.staffIds.filter((id) => !row.staffIds.includes(id));
    row.actorIds = union(row.actorIds, actorIds);
    row.staffIds = union(row.staffIds, staffIds);
    await change.save(row);
    const until = [0];
    const open = actorIds.length === 0 ? [] : await this.openOn(change, actorIds);
    for (const actorId of actorIds) {
      const levels = open.filter((each) => each.actorIds.includes(actorId)).map((each) => each.level);
      until.push(await putOnActors(change, [actorId], strongest([row.level, ...levels])));
    }
    if (actorIds.length > 0) until.push(await endOf(change, actorIds, row.level === 'ASSISTANCES' ? 'waiting' : 'all'));
    change.record('brake.extend', {
      subject: { type: 'Brake', id: row.id },
      detail: { of: row.actorId, actors: actorIds, staffRows: staffIds },
    });
    return Math.max(...until);
  }

  /** What is left to stop for whom a released brake stopped. */
  private async ease(change: Change, { id, actorIds }: Brake): Promise<void> {
    const others = (await this.openOn(change, actorIds)).filter((each) => each.id !== id);
    for (const actorId of actorIds) {
      const levels = others.filter((each) => each.actorIds.includes(actorId)).map((each) => each.level);
      await putOnActors(change, [actorId], strongest(levels));
    }
  }

  private async openOn(change: Change, actorIds: readonly string[]) {
    const open = await change.read(openBrakes, sql`WHERE ${brake.openKey} IS NOT NULL`, { lock: true });
    return open.filter((each) => each.actorIds.some((actorId) => actorIds.includes(actorId)));
  }
}

/** What was found again isn't released by who looked at what was found before. */
const renew = async (change: Change, row: Brake): Promise<void> => {
  row.state = 'ACTIVE';
  row.proposedById = null;
  row.proposedByStaffIds = null;
  row.proposedAt = null;
  row.proposalReasonSealed = null;
  await change.save(row);
  change.record('brake.renew', { subject: { type: 'Brake', id: row.id }, detail: { of: row.actorId } });
};
