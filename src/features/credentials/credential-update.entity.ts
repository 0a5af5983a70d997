import type { LinkAssurance } from '../../authz/actor';
import type { CredentialUpdateKind } from '../../authz/policy/update-policy';
import { StoredEffect } from '../../background/effect';
import { StoredJob } from '../../background/job-table';
import { Flag, IdList, Instant, Integer, Key, Sealed, Text, WordList } from '../../db/columns';
import { Entity, Index } from '../../db/entity';
import { table } from '../../db/table';
import type { ProviderStepAction } from '../../upstream/payments/payments.port';
import { StoredLink } from '../invitations/link.entity';
import type { CredentialUpdateState, MoveReason } from './credential-update.states';

/** A requested change to a payment method. All that is sealed in it is under the helpdesk customer's key. Never deleted. */
@Entity('credential_update')
@Index('uq_credential_update_request_key', ['requestKey'], { unique: true })
@Index('uq_credential_update_open_key', ['openKey'], { unique: true })
@Index('ix_credential_update_ticket_id_created_at_id', ['ticketId', 'createdAt', 'id'])
@Index('ix_credential_update_requested_by_id_created_at_id', ['requestedById', 'createdAt', 'id'])
@Index('ix_credential_update_customer_id_created_at', ['customerId', 'createdAt'])
@Index('ix_credential_update_created_at_id', ['createdAt', 'id'])
@Index('ix_credential_update_state_expires_at', ['state', 'expiresAt'])
export class CredentialUpdate {
  @Key() id!: string;
  @Text(24) kind!: CredentialUpdateKind;
  @Text(24) state!: CredentialUpdateState;
  /** Null where a rule asked for it: then it is on no ticket, and under no assistance. */
  @Text(64, { name: 'ticket_id', nullable: true }) ticketId!: string | null;
  /** The helpdesk's customer. */
  @Text(64, { name: 'customer_id' }) customerId!: string;
  @Text(64, { name: 'assistance_id', nullable: true }) assistanceId!: string | null;
  /** Name of the payments source. */
  @Text(64) source!: string;
  @Text(64, { name: 'payment_customer_id' }) paymentCustomerId!: string;
  @Text(64, { name: 'payment_method_id' }) paymentMethodId!: string;
  @Text(64, { name: 'requested_by_id' }) requestedById!: string;
  /** As the ticket's helpdesk names them. */
  @Text(64, { name: 'requested_by_staff_id', nullable: true }) requestedByStaffId!: string | null;
  /** Their rows among the staff of every helpdesk; null where it was asked for by nobody whom a helpdesk knew, before these were kept. */
  @IdList({ name: 'requested_by_staff_ids', nullable: true }) requestedByStaffIds!: readonly string[] | null;
  /** Keyed digest of requester and idempotency key: the same request finds its update. */
  @Text(64, { name: 'request_key' }) requestKey!: string;
  /** Keyed digest of what was asked for: the same key with something else is a conflict. */
  @Text(64, { name: 'request_digest' }) requestDigest!: string;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Sealed({ name: 'reason_sealed' }) reasonSealed!: Buffer;
  /** `MethodSummary` as JSON: what the customer decided on, and what must still be so when it is applied. */
  @Sealed({ name: 'before_sealed' }) beforeSealed!: Buffer;
  @Sealed({ name: 'after_sealed', nullable: true }) afterSealed!: Buffer | null;
  /** The address that the customer typed, as JSON. */
  @Sealed({ name: 'address_sealed', nullable: true }) addressSealed!: Buffer | null;
  /** The link's assurance when it was requested: it may become better meanwhile, never worse. */
  @Text(8) link!: LinkAssurance;
  /** Keyed digests of the contacts that were judged: nothing is sent to others. */
  @Text(64, { name: 'mail_digest' }) mailDigest!: string;
  @Text(64, { name: 'phone_digest', nullable: true }) phoneDigest!: string | null;
  /** Members of staff whose mailbox is the one that the link went to: none of them may decide. */
  @WordList({ name: 'contact_staff_ids' }) contactStaffIds!: readonly string[];
  @WordList({ name: 'risk_rules' }) riskRules!: readonly string[];
  @Flag({ name: 'needs_code' }) needsCode!: boolean;
  @Flag({ name: 'needs_three_d_secure' }) needsThreeDSecure!: boolean;
  @Flag({ name: 'needs_approval' }) needsApproval!: boolean;
  /** Keyed digest: six digits alone could be tried out against a stolen column. */
  @Text(64, { name: 'code_digest', nullable: true }) codeDigest!: string | null;
  @Instant({ name: 'code_expires_at', nullable: true }) codeExpiresAt!: Date | null;
  @Integer({ name: 'code_tries' }) codeTries!: number;
  @Integer({ name: 'code_sends' }) codeSends!: number;
  /** Decided before the provider is asked for its page, so that asking twice asks for the same. */
  @Instant({ name: 'setup_expires_at', nullable: true }) setupExpiresAt!: Date | null;
  /** The provider's page, reference and address as JSON. */
  @Sealed({ name: 'setup_sealed', nullable: true }) setupSealed!: Buffer | null;
  /** The provider's reference of the new card. */
  @Sealed({ name: 'new_method_sealed', nullable: true }) newMethodSealed!: Buffer | null;
  /** The new card's issuer authenticated the customer when it was entered. */
  @Flag() authenticated!: boolean;
  @Text(64, { name: 'decided_by_id', nullable: true }) decidedById!: string | null;
  @Text(64, { name: 'decided_by_staff_id', nullable: true }) decidedByStaffId!: string | null;
  @Instant({ name: 'decided_at', nullable: true }) decidedAt!: Date | null;
  @Text(16, { nullable: true }) decision!: 'APPROVED' | 'REJECTED' | null;
  @Sealed({ name: 'decision_reason_sealed', nullable: true }) decisionReasonSealed!: Buffer | null;
  /** Why it failed; set before the state where what was done is still being taken back. */
  @Text(32, { nullable: true }) failure!: MoveReason | null;
  /** Transitions so far. */
  @Integer() moves!: number;
  @Instant({ name: 'created_at' }) createdAt!: Date;
  /** When the state that it is in ends by itself; means nothing once it is applied or has ended. */
  @Instant({ name: 'expires_at' }) expiresAt!: Date;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
  /** The method's id until the update has ended: one open update per method, on both engines. */
  @Text(64, { name: 'open_key', nullable: true }) openKey!: string | null;
}
export const credentialUpdates = table(CredentialUpdate);

@Entity('credential_transition')
@Index('uq_credential_transition_update_id_ordinal', ['updateId', 'ordinal'], { unique: true })
export class CredentialTransition {
  @Key() id!: string;
  @Text(64, { name: 'update_id' }) updateId!: string;
  /** From 1, without gaps. */
  @Integer() ordinal!: number;
  @Text(24, { name: 'from_state', nullable: true }) fromState!: CredentialUpdateState | null;
  @Text(24, { name: 'to_state' }) toState!: CredentialUpdateState;
  @Text(16, { name: 'actor_kind' }) actorKind!: string;
  @Text(64, { name: 'actor_id' }) actorId!: string;
  @Text(64, { name: 'staff_id', nullable: true }) staffId!: string | null;
  @Text(64, { nullable: true }) reason!: string | null;
  @Instant() at!: Date;
}
export const credentialTransitions = table(CredentialTransition);

/** A link to an update that was sent. */
@Entity('credential_link')
@Index('uq_credential_link_token_digest', ['tokenDigest'], { unique: true })
@Index('ix_credential_link_update_id', ['updateId'])
export class CredentialLink extends StoredLink {
  @Text(64, { name: 'update_id' }) updateId!: string;
}
export const credentialLinks = table(CredentialLink);

/** The customer's own act. Inserted, never changed. */
@Entity('credential_confirmation')
@Index('uq_credential_confirmation_update_id', ['updateId'], { unique: true })
export class Confirmation {
  @Key() id!: string;
  @Text(64, { name: 'update_id' }) updateId!: string;
  @Text(16) outcome!: 'CONFIRMED' | 'REFUSED';
  /** How the link came to the customer. */
  @Text(16) channel!: 'MAIL';
  /** Names of the verification methods that were passed. */
  @WordList() proofs!: readonly string[];
  /** Salt and digest under the customer's key, of what was shown and entered. */
  @Text(80, { name: 'shown_digest' }) shownDigest!: string;
  @Text(64, { name: 'key_id' }) keyId!: string;
  @Sealed({ name: 'shown_sealed' }) shownSealed!: Buffer;
  /** Keyed digest of the provider's page that this act is bound to. */
  @Text(64, { name: 'setup_digest', nullable: true }) setupDigest!: string | null;
  /** The step-up at checkout that counts as their authentication by the card's issuer; null where none does. */
  @Text(64, { name: 'demand_id', nullable: true }) demandId!: string | null;
  @Instant() at!: Date;
}
export const credentialConfirmations = table(Confirmation);

export type StepPhase = 'APPLY' | 'UNDO';

/** One call to the provider; `DROPPED`, where one before it was refused. Its key is derived from its id. */
@Entity('credential_step')
@Index('uq_credential_step_update_id_ordinal', ['updateId', 'ordinal'], { unique: true })
export class CredentialStep extends StoredEffect {
  @Text(64, { name: 'update_id' }) updateId!: string;
  @Integer() ordinal!: number;
  /** `UNDO`: takes back what was done, or takes away a card that nobody wants any more. */
  @Text(8) phase!: StepPhase;
  @Text(32) action!: ProviderStepAction;
  @Text(64, { name: 'key_id' }) keyId!: string;
  /** `ProviderStep` as JSON. */
  @Sealed({ name: 'step_sealed' }) stepSealed!: Buffer;
  /** What would take it back; null where nothing can. */
  @Sealed({ name: 'undo_sealed', nullable: true }) undoSealed!: Buffer | null;
}
export const credentialSteps = table(CredentialStep);

export const jobKinds = ['LINK', 'NOTICE', 'SETUP', 'PROVIDER', 'OUTCOME'] as const;
export type JobKind = (typeof jobKinds)[number];

/** Outbox: something to be done outside, written with the change that calls for it. */
@Entity('credential_job')
@Index('uq_credential_job_update_id_kind', ['updateId', 'kind'], { unique: true })
@Index('ix_credential_job_state_next_at', ['state', 'nextAt'])
export class CredentialJob extends StoredJob {
  @Text(64, { name: 'update_id' }) updateId!: string;
  @Text(16) kind!: JobKind;
}
export const credentialJobs = table(CredentialJob);
