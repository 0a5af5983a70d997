import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  addColumns,
  bigint,
  createTables,
  type Definition,
  dropColumns,
  dropTables,
  flag,
  id,
  key,
  nullable,
  sealed,
  text,
  words,
} from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'credential_update',
    columns: [
      key('id'),
      text('kind', 24),
      text('state', 24),
      id('ticket_id'),
      id('customer_id'),
      id('assistance_id'),
      id('source'),
      id('payment_customer_id'),
      id('payment_method_id'),
      id('requested_by_id'),
      nullable(id('requested_by_staff_id')),
      text('request_key', 64),
      text('request_digest', 64),
      id('key_id'),
      sealed('reason_sealed'),
      sealed('before_sealed'),
      nullable(sealed('after_sealed')),
      nullable(sealed('address_sealed')),
      text('link', 8),
      text('mail_digest', 64),
      nullable(text('phone_digest', 64)),
      words('contact_staff_ids'),
      words('risk_rules'),
      flag('needs_code'),
      flag('needs_three_d_secure'),
      flag('needs_approval'),
      nullable(text('code_digest', 64)),
      nullable(bigint('code_expires_at')),
      bigint('code_tries'),
      bigint('code_sends'),
      nullable(bigint('setup_expires_at')),
      nullable(sealed('setup_sealed')),
      nullable(sealed('new_method_sealed')),
      flag('authenticated'),
      nullable(id('decided_by_id')),
      nullable(id('decided_by_staff_id')),
      nullable(bigint('decided_at')),
      nullable(text('decision', 16)),
      nullable(sealed('decision_reason_sealed')),
      nullable(text('failure', 32)),
      bigint('moves'),
      bigint('created_at'),
      bigint('expires_at'),
      nullable(bigint('ended_at')),
      nullable(id('open_key')),
    ],
    indexes: [
      'unique:request_key',
      'unique:open_key',
      'ticket_id,created_at,id',
      'requested_by_id,created_at,id',
      'customer_id,created_at',
      'created_at,id',
      'state,expires_at',
    ],
  },
  {
    name: 'credential_transition',
    columns: [
      key('id'),
      id('update_id'),
      bigint('ordinal'),
      nullable(text('from_state', 24)),
      text('to_state', 24),
      text('actor_kind', 16),
      id('actor_id'),
      nullable(id('staff_id')),
      nullable(text('reason', 64)),
      bigint('at'),
    ],
    indexes: ['unique:update_id,ordinal'],
  },
  {
    name: 'credential_link',
    columns: [key('id'), id('update_id'), text('token_digest', 64), bigint('created_at'), bigint('expires_at')],
    indexes: ['unique:token_digest', 'update_id'],
  },
  {
    name: 'credential_confirmation',
    columns: [
      key('id'),
      id('update_id'),
      text('outcome', 16),
      text('channel', 16),
      words('proofs'),
      text('shown_digest', 80),
      id('key_id'),
      sealed('shown_sealed'),
      nullable(text('setup_digest', 64)),
      bigint('at'),
    ],
    indexes: ['unique:update_id'],
  },
  {
    name: 'credential_step',
    columns: [
      key('id'),
      id('update_id'),
      bigint('ordinal'),
      text('phase', 8),
      text('action', 32),
      text('state', 16),
      id('key_id'),
      sealed('step_sealed'),
      nullable(sealed('undo_sealed')),
      bigint('key_generation'),
      nullable(bigint('key_used_at')),
      flag('key_spent'),
      nullable(text('refusal', 32)),
      nullable(bigint('ended_at')),
    ],
    indexes: ['unique:update_id,ordinal'],
  },
  {
    name: 'credential_job',
    columns: [
      key('id'),
      id('update_id'),
      text('kind', 16),
      text('state', 8),
      bigint('attempts'),
      bigint('next_at'),
      nullable(bigint('lease_until')),
      nullable(id('lease_holder')),
      nullable(text('fault', 64)),
    ],
    indexes: ['unique:update_id,kind', 'state,next_at'],
  },
];

/** How long contact data has been what it is: a change of it shortly before an update is what a thief would do first. */
const contactColumns = [
  text('phone_digest', 64),
  bigint('email_seen_since'),
  bigint('email_changed_at'),
  bigint('phone_seen_since'),
  bigint('phone_changed_at'),
];

export class CredentialUpdates1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
    await addColumns(runner, 'payment_customer', contactColumns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'payment_customer', contactColumns);
    await dropTables(runner, definitions);
  }
}
