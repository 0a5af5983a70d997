import type { SignedInActor } from '../../../authz/actor';
import type { Reads } from '../../../db/reads';
import { Failure } from '../../../failure';
import type { RequestAccess } from '../../../graphql/request-access';
import { knownSubjectsOf, subjectsOf } from '../../actors/actor.persons';
import type { ActorName } from '../../actors/actor-name.entity';
import type { KeptNames } from '../../actors/kept-names';
import type { Core } from '../../core';
import { NamedActor } from './actor-name.type';
import { mostNames } from './actor-names.bounds';
import { eraseName } from './actor-names.policy';
import { doneBy, isAmong, lastDoings, type NamedRow, namedActors } from './actor-names.rows';

const day = 86_400_000;
/** For so many milliseconds the second of two people may follow the first. */
const proposalHolds = 7 * day;

export interface ActorNamesParts extends Pick<Core, 'database' | 'keys' | 'clock'> {
  /** For so many days after somebody's last event their name is kept. */
  readonly keptDays: number;
  readonly kept: KeptNames;
}

/** What actors are called, for whoever reads the log: looked up by auditors and privacy officers, erased by two of the latter. */
export class ActorNames {
  constructor(private readonly parts: ActorNamesParts) {}

  /** Those of these who are known, in the order in which they were asked for; who looks is on record. Throws `INVALID` for too many. */
  async lookUp(access: RequestAccess, asked: readonly string[]): Promise<readonly NamedActor[]> {
    const ids = [...new Set(asked)];
    if (ids.length > mostNames) throw Failure.invalid('ids', `expected ${mostNames} different ids at most`);
    if (ids.length === 0) return [];
    const { database } = this.parts;
    const rows = await database.read(namedActors, isAmong(ids));
    const needsEnd = access.fields?.has('NamedActor.erasableFrom') ?? true;
    const ends = needsEnd ? await this.keptUntil(database, ids) : new Map<string, Date>();
    const found = new Map(rows.map((row) => [row.actorId, this.toType(row, ends.get(row.actorId) ?? null)]));
    const named = ids.flatMap((id) => found.get(id) ?? []);
    access.note('Query.auditActors', named.length, named);
    return named;
  }

  /**
   * The first of two privacy officers proposes that a name be erased, the second, within seven days, has it done. Once it is erased, it changes
   * nothing. Throws `NOT_FOUND`, `DENIED`, and `CONFLICT` while the name has to be kept.
   */
  async erase(actor: SignedInActor, actorId: string): Promise<NamedActor> {
    const { database, kept } = this.parts;
    await database.change(actor, eraseName, async (change, permit) => {
      const row = await kept.locked(change, actorId);
      if (!row) throw Failure.notFound('actor');
      const isProposed = row.erasedAt === null && this.isProposed(row, change.at);
      const proposer =
        isProposed && row.proposedById !== null ? { actorId: row.proposedById, staffIds: row.proposedByStaffIds } : null;
      const asker = await knownSubjectsOf(change, actor.id);
      permit({ actorIds: await subjectsOf(change, [actorId]), asker, proposer, at: change.at });
      if (row.erasedAt !== null) return;
      const until = (await this.keptUntil(change, [actorId])).get(actorId);
      if (until !== undefined && until > change.at)
        throw new Failure('CONFLICT', 'The name is still kept: the log has events of this person.', {
          remedy: 'Wait until erasableFrom: audit.namesKeptDays after the last of them.',
        });
      await (isProposed ? kept.erase(change, row, actor) : kept.propose(change, row, actor));
    });
    const [row] = await database.read(namedActors, isAmong([actorId]));
    if (!row) throw Failure.notFound('actor');
    return this.toType(row, (await this.keptUntil(database, [actorId])).get(actorId) ?? null);
  }

  /** By actor, until when their name is kept; without those of whom the log has nothing. */
  private async keptUntil(reads: Pick<Reads, 'read'>, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    const rows = await reads.read(lastDoings, doneBy(ids));
    const time = this.parts.keptDays * day;
    return new Map(
      rows.flatMap(({ actorId, lastAt }) => (lastAt === null ? [] : [[actorId, new Date(lastAt.getTime() + time)]])),
    );
  }

  private isProposed({ proposedAt }: Pick<ActorName, 'proposedAt'>, at: Date): boolean {
    return proposedAt !== null && at.getTime() - proposedAt.getTime() <= proposalHolds;
  }

  private toType(row: NamedRow, erasableFrom: Date | null): NamedActor {
    const isProposed = row.erasedAt === null && this.isProposed(row, this.parts.clock());
    return new NamedActor({ row, isProposed, erasableFrom }, this.parts.keys);
  }
}
