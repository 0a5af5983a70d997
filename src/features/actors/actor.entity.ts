import { Instant, Integer, Key, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** Who asks, as an internal id of (issuer, subject): the log and the tables never hold the identity provider's own name for a person. */
@Entity('actor')
@Index('uq_actor_issuer_subject_digest', ['issuer', 'subjectDigest'], { unique: true })
export class ActorRow {
  @Key() id!: string;
  @Text(255) issuer!: string;
  @Text(64, { name: 'subject_digest' }) subjectDigest!: string;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** Written by every change that counts something of this actor, so that two such changes can't both commit on what they read. */
  @Integer() fence!: number;
}
export const actors = table(ActorRow);
