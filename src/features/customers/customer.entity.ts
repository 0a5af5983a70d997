import type { LinkAssurance } from '../../authz/actor';
import { Flag, Instant, Integer, Key, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

/** The person a ticket is about, and how surely we know who that is on the payment side. */
@Entity('helpdesk_customer')
@Index('uq_helpdesk_customer_source_reference', ['source', 'reference'], { unique: true })
@Index('ix_helpdesk_customer_email_digest', ['emailDigest'])
@Index('ix_helpdesk_customer_payment_customer_id', ['paymentCustomerId'])
@Index('ix_helpdesk_customer_linked_at', ['linkedAt'])
export class Customer {
  @Key() id!: string;
  @Text(64) source!: string;
  @Text(128) reference!: string;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Sealed({ name: 'name_sealed', nullable: true }) nameSealed!: Buffer | null;
  @Sealed({ name: 'email_sealed', nullable: true }) emailSealed!: Buffer | null;
  @Text(64, { name: 'email_digest', nullable: true }) emailDigest!: string | null;
  /** The address is no longer the one first seen. Staff can edit it in the helpdesk, so it proves nothing about the payment side any more. */
  @Flag({ name: 'email_edited' }) emailEdited!: boolean;
  @Sealed({ name: 'phone_sealed', nullable: true }) phoneSealed!: Buffer | null;
  @Text(2, { nullable: true }) region!: string | null;
  @Text(64, { name: 'protected_reference_digest', nullable: true }) protectedReferenceDigest!: string | null;
  @Text(8) link!: LinkAssurance;
  @Text(64, { name: 'payment_customer_id', nullable: true }) paymentCustomerId!: string | null;
  /** When the payment side was last asked who this is; null: it has to be. */
  @Instant({ name: 'linked_at', nullable: true }) linkedAt!: Date | null;
  /** How often a source failed in a row when it was asked, and when it is asked again; null: never, and at once. */
  @Integer({ name: 'link_tries', nullable: true }) linkTries!: number | null;
  @Instant({ name: 'link_next_at', nullable: true }) linkNextAt!: Date | null;
  @Instant({ name: 'observed_at' }) observedAt!: Date;
}
export const customers = table(Customer);
