import { IdList, Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/**
 * What an actor is called, as the first token said that named them: sealed under a key of its own (`privacy_customer_key`, owner `nam_…`).
 * The row stays when the name is erased, so that it isn't taken again.
 */
@Entity('actor_name')
@Index('uq_actor_name_actor_id', ['actorId'], { unique: true })
export class ActorName {
  /** `nam_…`, whom the key is made for. */
  @Key() id!: string;
  @Text(64, { name: 'actor_id' }) actorId!: string;
  /** Null once it was erased. */
  @Sealed({ name: 'name_sealed', nullable: true }) nameSealed!: Buffer | null;
  @Instant({ name: 'seen_at' }) seenAt!: Date;
  /** The first of the two who have it erased. */
  @Text(64, { name: 'proposed_by_id', nullable: true }) proposedById!: string | null;
  @IdList({ name: 'proposed_by_staff_ids', nullable: true }) proposedByStaffIds!: readonly string[] | null;
  @Instant({ name: 'proposed_at', nullable: true }) proposedAt!: Date | null;
  /** The second. */
  @Text(64, { name: 'erased_by_id', nullable: true }) erasedById!: string | null;
  @Instant({ name: 'erased_at', nullable: true }) erasedAt!: Date | null;
}
export const actorNames = table(ActorName);

/** The id of an actor's name. What is sealed opens for its row alone, so for nobody but this actor. */
export const nameIdOf = (actorId: string): string => actorId.replace(/^act_/, 'nam_');
