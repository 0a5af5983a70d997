import { Instant, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** The data key of one customer, wrapped by the key-encryption key. Destroying `wrapped` erases what it sealed. */
@Entity('privacy_customer_key')
@Index('uq_privacy_customer_key_owner', ['owner'], { unique: true })
export class CustomerKey {
  @Key() id!: string;
  /** The row the key was made for: `cus_…`, `pcu_…`, `tkt_…` of a ticket without a customer, `hld_…` while a hold stands, or `nam_…` of an actor's name. */
  @Text(64) owner!: string;
  @Sealed({ nullable: true }) wrapped!: Buffer | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'destroyed_at', nullable: true }) destroyedAt!: Date | null;
}
export const customerKeys = table(CustomerKey);

/** A secret of the installation (the key of search digests), wrapped by the key-encryption key. */
@Entity('privacy_secret')
export class Secret {
  @Key() name!: string;
  @Sealed() wrapped!: Buffer;
  @Instant({ name: 'created_at' }) createdAt!: Date;
}
export const secrets = table(Secret);
