import { Deflated, Instant, Key } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** A policy that was in force, by the digest that its events name. Inserted with the first of them that says that it is kept, and never changed. */
@Entity('policy_version')
@Index('ix_policy_version_kept_at', ['keptAt'])
export class PolicyVersion {
  @Key() id!: string;
  /** `ExposurePolicy.text`, whose SHA-256 is the id; see `packed`. */
  @Deflated() text!: Buffer;
  @Instant({ name: 'kept_at' }) keptAt!: Date;
}
export const policyVersions = table(PolicyVersion);
