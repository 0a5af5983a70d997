import { Flag, Instant, Integer, ItemList, Key, Sealed, Text, WordList } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';

@Entity('payment_customer')
@Index('uq_payment_customer_source_reference_digest', ['source', 'referenceDigest'], { unique: true })
@Index('ix_payment_customer_email_digest', ['emailDigest'])
@Index('ix_payment_customer_helpdesk_reference_digest', ['helpdeskReferenceDigest'])
export class PaymentCustomer {
  @Key() id!: string;
  @Text(64) source!: string;
  @Text(64, { name: 'reference_digest' }) referenceDigest!: string;
  @Sealed({ name: 'reference_sealed' }) referenceSealed!: Buffer;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Text(64, { name: 'email_digest', nullable: true }) emailDigest!: string | null;
  @Sealed({ name: 'email_sealed', nullable: true }) emailSealed!: Buffer | null;
  @Sealed({ name: 'name_sealed', nullable: true }) nameSealed!: Buffer | null;
  @Sealed({ name: 'phone_sealed', nullable: true }) phoneSealed!: Buffer | null;
  @Text(64, { name: 'phone_digest', nullable: true }) phoneDigest!: string | null;
  /** Since when the address was seen unchanged, and when it is known to have changed last; the same of the number. */
  @Instant({ name: 'email_seen_since', nullable: true }) emailSeenSince!: Date | null;
  @Instant({ name: 'email_changed_at', nullable: true }) emailChangedAt!: Date | null;
  @Instant({ name: 'phone_seen_since', nullable: true }) phoneSeenSince!: Date | null;
  @Instant({ name: 'phone_changed_at', nullable: true }) phoneChangedAt!: Date | null;
  @Text(64, { name: 'helpdesk_reference_digest', nullable: true }) helpdeskReferenceDigest!: string | null;
  /** The provider no longer has this customer. */
  @Flag() gone!: boolean;
  @Instant({ name: 'observed_at' }) observedAt!: Date;
}
export const paymentCustomers = table(PaymentCustomer);

@Entity('payment_method')
@Index('ix_payment_method_reference_digest', ['referenceDigest'])
@Index('uq_payment_method_payment_customer_id_reference_digest', ['paymentCustomerId', 'referenceDigest'], { unique: true })
export class PaymentMethod {
  @Key() id!: string;
  @Text(64, { name: 'payment_customer_id' }) paymentCustomerId!: string;
  @Text(64, { name: 'reference_digest' }) referenceDigest!: string;
  @Sealed({ name: 'reference_sealed' }) referenceSealed!: Buffer;
  @Text(64) surrogate!: string;
  @Text(16) kind!: string;
  @Text(32, { nullable: true }) brand!: string | null;
  @Text(4, { nullable: true }) last4!: string | null;
  @Integer({ name: 'expiry_month', nullable: true }) expiryMonth!: number | null;
  @Integer({ name: 'expiry_year', nullable: true }) expiryYear!: number | null;
  @Text(2, { nullable: true }) country!: string | null;
  /** The method that is shown in place of this one, which is the same card or account, saved once more. */
  @Text(64, { name: 'same_as_id', nullable: true }) sameAsId!: string | null;
  @Integer({ name: 'times_saved', nullable: true }) timesSaved!: number | null;
  @Text(16) status!: string;
  @Flag({ name: 'is_default' }) isDefault!: boolean;
  @Sealed({ name: 'billing_address_sealed', nullable: true }) billingAddressSealed!: Buffer | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  @Instant({ name: 'observed_at' }) observedAt!: Date;
}
export const paymentMethods = table(PaymentMethod);

/** A refund as its transaction's row keeps it; `at` in UTC milliseconds. */
export interface StoredRefund {
  readonly amount: number;
  readonly state: string;
  readonly reason: string | null;
  readonly at: number;
}

/** Refunds that a transaction's row keeps, the newest. */
export const mostRefunds = 50;

@Entity('payment_transaction')
@Index('ix_payment_transaction_reference', ['reference'])
@Index('uq_payment_transaction_payment_customer_id_reference', ['paymentCustomerId', 'reference'], { unique: true })
@Index('ix_payment_transaction_payment_customer_id_created_at_id', ['paymentCustomerId', 'createdAt', 'id'])
@Index('ix_payment_transaction_payment_customer_id_amount_id', ['paymentCustomerId', 'amount', 'id'])
export class Transaction {
  @Key() id!: string;
  @Text(64, { name: 'payment_customer_id' }) paymentCustomerId!: string;
  @Text(128) reference!: string;
  @Text(64, { name: 'payment_method_id', nullable: true }) paymentMethodId!: string | null;
  @Text(128, { name: 'order_reference', nullable: true }) orderReference!: string | null;
  @Sealed({ name: 'order_description_sealed', nullable: true }) orderDescriptionSealed!: Buffer | null;
  @Integer() amount!: number;
  /** These are null in rows of versions that didn't keep them, until the source is asked again. */
  @Integer({ nullable: true }) authorized!: number | null;
  @Integer({ nullable: true }) captured!: number | null;
  @Integer({ nullable: true }) refunded!: number | null;
  @Integer({ name: 'still_open', nullable: true }) open!: number | null;
  @ItemList({ nullable: true }) refunds!: readonly StoredRefund[] | null;
  @Integer({ name: 'presentment_amount', nullable: true }) presentmentAmount!: number | null;
  @Text(3, { name: 'presentment_currency', nullable: true }) presentmentCurrency!: string | null;
  @Text(3) currency!: string;
  @Text(24) status!: string;
  @Text(64, { name: 'decline_code', nullable: true }) declineCode!: string | null;
  @Text(64, { name: 'decline_advice', nullable: true }) declineAdvice!: string | null;
  /** Keyed digest of the provider's fingerprint. */
  @Text(64, { nullable: true }) device!: string | null;
  @Text(2, { nullable: true }) country!: string | null;
  @Text(16, { name: 'risk_band' }) riskBand!: string;
  @Integer({ name: 'risk_score', nullable: true }) riskScore!: number | null;
  @WordList({ name: 'risk_signals' }) riskSignals!: readonly string[];
  @Text(32, { name: 'dispute_status', nullable: true }) disputeStatus!: string | null;
  @Text(64, { name: 'dispute_reason', nullable: true }) disputeReason!: string | null;
  @Instant({ name: 'dispute_opened_at', nullable: true }) disputeOpenedAt!: Date | null;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** Keyed digest of all that the provider said of it; null in rows of before there was one. */
  @Text(64, { nullable: true }) digest!: string | null;
  /** When the provider last showed it, where that isn't together with its customer; null where it is. */
  @Instant({ name: 'confirmed_at', nullable: true }) confirmedAt!: Date | null;
  @Instant({ name: 'observed_at' }) observedAt!: Date;
}
export const transactions = table(Transaction);
