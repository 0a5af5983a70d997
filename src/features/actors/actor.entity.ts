import { Instant, Integer, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** How much a brake stops: from the least to the most, each what those before it stop too. */
export const brakeLevels = ['ASSISTANCES', 'READS', 'SESSION'] as const;
export type BrakeLevel = (typeof brakeLevels)[number];

/** Who asks, as an internal id of (issuer, subject): the log and the tables never hold the identity provider's own name for a person. */
@Entity('actor')
@Index('uq_actor_issuer_subject_digest', ['issuer', 'subjectDigest'], { unique: true })
@Index('ix_actor_person_digest', ['personDigest'])
export class ActorRow {
  @Key() id!: string;
  @Text(255) issuer!: string;
  @Text(64, { name: 'subject_digest' }) subjectDigest!: string;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** Written by every change that counts something of this actor, so that two such changes can't both commit on what they read. */
  @Integer() fence!: number;
  /** The strongest brake on them; null where there is none. On the row that their changes write, so that none passes it by. */
  @Text(16, { nullable: true }) brake!: BrakeLevel | null;
  /** Until when, by the clock of whoever wrote it, a process may go on showing them something without asking again. */
  @Instant({ name: 'lease_until', nullable: true }) leaseUntil!: Date | null;
  /**
   * Keyed digest of the name by which the identity provider tells who they are at the helpdesks: a person with two subjects has it twice.
   * Null for services, and where no token named one.
   */
  @Text(64, { name: 'person_digest', nullable: true }) personDigest!: string | null;
}
export const actors = table(ActorRow);
