import { Instant, Integer, IntegerKey, Key, Sealed, Text } from '../db/columns';
import { Entity, Index } from '../db/entity';
import { table } from '../db/table';

/** The place of an event in the tree. The primary key is the fence: of two sequencers that take the same place, one fails. Inserted, never changed. */
@Entity('audit_leaf')
@Index('uq_audit_leaf_event_id', ['eventId'], { unique: true })
export class AuditLeaf {
  @IntegerKey('leaf_index') leafIndex!: number;
  @Text(64, { name: 'event_id' }) eventId!: string;
  @Text(64, { name: 'leaf_hash' }) leafHash!: string;
}
export const auditLeaves = table(AuditLeaf);

/** The root of a complete subtree of 2^level leaves, for the levels that are multiples of 8 (`stored-tree`): what lies between is computed from them. */
@Entity('audit_node')
export class AuditNode {
  @IntegerKey('level') level!: number;
  @IntegerKey('node_index') nodeIndex!: number;
  @Text(64) hash!: string;
}
export const auditNodes = table(AuditNode);

/**
 * Under which name the log is signed. The leaves are one sequence under all names; `audit fork` adds a name after a
 * restore, with the last checkpoint that the earlier name is known by. A name is continued once at most.
 */
@Entity('audit_origin')
@Index('uq_audit_origin_previous', ['previous'], { unique: true })
export class AuditOrigin {
  @Key() name!: string;
  @Integer({ name: 'begins_at_size' }) beginsAtSize!: number;
  @Text(64, { nullable: true }) previous!: string | null;
  @Sealed({ name: 'previous_checkpoint', nullable: true }) previousCheckpoint!: Buffer | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
}
export const auditOrigins = table(AuditOrigin);

/** A signed tree head (C2SP tlog-checkpoint). One a size, inserted if absent, never changed: there is no second history. */
@Entity('audit_checkpoint')
export class AuditCheckpoint {
  @Key() origin!: string;
  @IntegerKey('tree_size') treeSize!: number;
  @Text(64, { name: 'root_hash' }) rootHash!: string;
  /** The signed note, UTF-8. */
  @Sealed() note!: Buffer;
  @Instant({ name: 'signed_at' }) signedAt!: Date;
}
export const auditCheckpoints = table(AuditCheckpoint);

/** A checkpoint that an anchor has taken: with a witness's cosignature where it gives one. */
@Entity('audit_anchor')
export class AuditAnchor {
  @Key() anchor!: string;
  @Key() origin!: string;
  @IntegerKey('tree_size') treeSize!: number;
  /** The checkpoint as anchored, cosignatures included. */
  @Sealed() note!: Buffer;
  @Instant({ name: 'anchored_at' }) anchoredAt!: Date;
}
export const auditAnchors = table(AuditAnchor);
