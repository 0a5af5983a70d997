import { StoredEffect } from '../../background/effect';
import { StoredJob } from '../../background/job-table';
import { Flag, IdList, Instant, Integer, ItemList, Key, LongIdList, Sealed, Text } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type {
  HoldCause,
  HoldEffectKind,
  HoldEffectState,
  HoldEnforcer,
  HoldMoveReason,
  HoldState,
  HoldSubjectKind,
} from './hold.states';

/** One move of a hold, or of its end, as its row keeps it; `at` in UTC milliseconds. */
export interface StoredMove {
  readonly from: HoldState | null;
  readonly to: HoldState;
  readonly at: number;
  readonly actorId: string;
  /** As the ticket's helpdesk names them; null where it was none of its staff. */
  readonly staffId: string | null;
  readonly reason: HoldMoveReason | null;
}

/** Moves that a hold may have. Only extensions can be many. */
export const mostMoves = 50;
/** Customers of a group. */
export const mostCustomers = 50;

/** What shall wait, and until when: it ends by itself, and what it stopped goes on. Never deleted. */
@Entity('payment_hold')
@Index('uq_payment_hold_open_key', ['openKey'], { unique: true })
@Index('uq_payment_hold_request_key', ['requestKey'], { unique: true })
@Index('ix_payment_hold_state_expires_at', ['state', 'expiresAt'])
@Index('ix_payment_hold_customer_id', ['customerId'])
@Index('ix_payment_hold_payment_customer_id', ['paymentCustomerId'])
@Index('ix_payment_hold_transaction_id', ['transactionId'])
@Index('ix_payment_hold_ticket_id', ['ticketId'])
@Index('ix_payment_hold_placed_at_id', ['placedAt', 'id'])
export class PaymentHold {
  @Key() id!: string;
  @Text(16) state!: HoldState;
  @Text(16) cause!: HoldCause;
  @Text(16, { name: 'subject_kind' }) subjectKind!: HoldSubjectKind;
  /** The ticket that it was placed on; null where a rule found it on none. */
  @Text(64, { name: 'ticket_id', nullable: true }) ticketId!: string | null;
  @Text(64, { name: 'assistance_id', nullable: true }) assistanceId!: string | null;
  /** The helpdesk's customer under whose key the reason is sealed: of a group, whose ticket it is; null where a rule named a domain alone. */
  @Text(64, { name: 'customer_id', nullable: true }) customerId!: string | null;
  /** All whom it covers, that one among them. */
  @LongIdList({ name: 'customer_ids' }) customerIds!: readonly string[];
  /** That customer at the payment side, when it was placed; null where there was no link. */
  @Text(64, { name: 'payment_customer_id', nullable: true }) paymentCustomerId!: string | null;
  /** Of each of `customerIds`, in the order of their ids, who that was at the payment side when it was placed; `NONE` where there was no link. */
  @LongIdList({ name: 'payer_ids', nullable: true }) payerIds!: readonly string[] | null;
  @Text(64, { name: 'transaction_id', nullable: true }) transactionId!: string | null;
  /** Keyed digest of an e-mail domain whose customers it covers too. */
  @Text(128, { name: 'email_domain', nullable: true }) emailDomain!: string | null;
  @Text(64, { nullable: true }) rule!: string | null;
  @Integer({ name: 'rule_version', nullable: true }) ruleVersion!: number | null;
  @Text(64, { name: 'placed_by_id', nullable: true }) placedById!: string | null;
  /** As the ticket's helpdesk names them. */
  @Text(64, { name: 'placed_by_staff_id', nullable: true }) placedByStaffId!: string | null;
  /** Their rows among the staff of every helpdesk; null where nobody of the staff placed it. */
  @IdList({ name: 'placed_by_staff_ids', nullable: true }) placedByStaffIds!: readonly string[] | null;
  @Text(64, { name: 'key_id', nullable: true }) keyId!: string | null;
  @Sealed({ name: 'reason_sealed', nullable: true }) reasonSealed!: Buffer | null;
  /** Keyed digest of what it was asked for by, and of whoever asked: one open hold of each. */
  @Text(64, { name: 'hold_key' }) holdKey!: string;
  /** `holdKey` until it ends, null afterwards. */
  @Text(64, { name: 'open_key', nullable: true }) openKey!: string | null;
  /** Keyed digest of requester and idempotency key: the same request finds its hold, whatever became of it. */
  @Text(64, { name: 'request_key', nullable: true }) requestKey!: string | null;
  /** Keyed digest of what was asked for: the same key with something else is a conflict. */
  @Text(64, { name: 'request_digest', nullable: true }) requestDigest!: string | null;
  /** Its calls to the provider, if it takes any, are written down. */
  @Flag() planned!: boolean;
  /** What it ends as once all is let go; null before that. */
  @Text(16, { nullable: true }) ending!: HoldState | null;
  @ItemList() moves!: readonly StoredMove[];
  @Instant({ name: 'placed_at' }) placedAt!: Date;
  /** From then on it stands for nothing. */
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
}
export const paymentHolds = table(PaymentHold);

/** One thing that a hold is to bring about, and how far that is. */
@Entity('payment_hold_effect')
@Index('uq_payment_hold_effect_hold_id_kind', ['holdId', 'kind'], { unique: true })
export class PaymentHoldEffect {
  @Key() id!: string;
  @Text(64, { name: 'hold_id' }) holdId!: string;
  @Text(16) kind!: HoldEffectKind;
  @Text(16) state!: HoldEffectState;
  @Text(16, { name: 'enforced_by' }) enforcedBy!: HoldEnforcer;
  /** When the provider's side of it ends by itself, whatever happens here; null where it has none. */
  @Instant({ nullable: true }) deadline!: Date | null;
  /** How often it became something else. */
  @Integer() revision!: number;
}
export const paymentHoldEffects = table(PaymentHoldEffect);

/** `UNDO`: takes back what was done. */
export type HoldStepPhase = 'APPLY' | 'UNDO';

/** One call to the provider. Its key is derived from the hold and its ordinal. */
@Entity('payment_hold_step')
@Index('uq_payment_hold_step_hold_id_ordinal', ['holdId', 'ordinal'], { unique: true })
@Index('ix_payment_hold_step_target', ['target'])
export class PaymentHoldStep extends StoredEffect {
  @Text(64, { name: 'hold_id' }) holdId!: string;
  /** From 1, without gaps. */
  @Integer() ordinal!: number;
  @Text(16) kind!: HoldEffectKind;
  @Text(8) phase!: HoldStepPhase;
  @Text(24) action!: string;
  /** Whose renewals or listing it is about: the helpdesk's customer. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  /** Keyed digest of what it changes at the provider: other holds may want the same. */
  @Text(64) target!: string;
  /** Name of the payments source. */
  @Text(64) source!: string;
  @Text(64, { name: 'key_id' }) keyId!: string;
  /** `HoldStep` as JSON. */
  @Sealed({ name: 'step_sealed' }) stepSealed!: Buffer;
}
export const paymentHoldSteps = table(PaymentHoldStep);

/** Outbox: what a hold takes at its provider, written with the change that calls for it. One for each hold. */
@Entity('payment_hold_job')
@Index('uq_payment_hold_job_hold_id_kind', ['holdId', 'kind'], { unique: true })
@Index('ix_payment_hold_job_state_next_at', ['state', 'nextAt'])
export class PaymentHoldJob extends StoredJob {
  @Text(64, { name: 'hold_id' }) holdId!: string;
  @Text(16) kind!: 'PROVIDER';
}
export const paymentHoldJobs = table(PaymentHoldJob);
