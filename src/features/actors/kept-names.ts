import type { SignedInActor } from '../../authz/actor';
import type { Change } from '../../db/change';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import type { Core } from '../core';
import { sealField } from '../keys/keys.service';
import { ActorName, actorNames, nameIdOf } from './actor-name.entity';

const nameIds = select(actorNames.pick('id'), sql`FROM ${actorNames}`);

/** What actors are called, as it is kept: taken when a token first says it, and gone once two people had it erased. */
export class KeptNames {
  constructor(private readonly parts: Pick<Core, 'database' | 'keys'>) {}

  /** Part of the change that records it: the name of an actor who has none yet. */
  async keep(change: Change, actorId: string, name: string): Promise<void> {
    const id = nameIdOf(actorId);
    const key = (await this.parts.keys.forOwners(change, [id])).get(id);
    if (!key) throw new RangeError('a name has no key');
    const nameSealed = sealField(actorNames, id, 'name', key, name);
    const open = { proposedById: null, proposedByStaffIds: null, proposedAt: null, erasedById: null, erasedAt: null };
    await change.insert(actorNames, { id, actorId, nameSealed, seenAt: change.at, ...open });
  }

  /** The same of somebody who was known before a token said it. Whatever is there stays, also where that was erased. */
  async keepLater(actorId: string, name: string): Promise<void> {
    await this.parts.database.system(
      'identity',
      'actor.name',
      async (change) => {
        const [known] = await change.read(nameIds, sql`WHERE ${actorNames.actorId} = ${actorId}`, { lock: true });
        if (known) return;
        await this.keep(change, actorId, name);
        change.record('actor.name', { subject: { type: 'Actor', id: actorId } });
      },
      { idempotent: true },
    );
  }

  /** Part of a change: whose name it is, held until its end; null for somebody of whom none was ever kept. */
  locked(change: Change, actorId: string): Promise<ActorName | null> {
    return change.lockIfAny(ActorName, { actorId });
  }

  /** Part of a change that is permitted, of a row that it has locked: the first of two people asks for the erasure. */
  async propose(change: Change, row: ActorName, by: SignedInActor): Promise<void> {
    row.proposedById = by.id;
    row.proposedByStaffIds = by.staffIds;
    row.proposedAt = change.at;
    await change.save(row);
    const subject = { type: 'Actor', id: row.actorId } as const;
    change.record('actor.name-propose', { subject, detail: { staffRows: by.staffIds } });
  }

  /** The same by the second: the name and its key are gone for good. */
  async erase(change: Change, row: ActorName, by: SignedInActor): Promise<void> {
    row.erasedById = by.id;
    row.erasedAt = change.at;
    row.nameSealed = null;
    await change.save(row);
    await this.parts.keys.destroy(change, row.id);
    change.record('actor.name-erase', { subject: { type: 'Actor', id: row.actorId } });
  }
}
