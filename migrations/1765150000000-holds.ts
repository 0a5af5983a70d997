import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  bigint,
  createTables,
  type Definition,
  document,
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
    name: 'payment_hold',
    columns: [
      key('id'),
      text('state', 16),
      text('cause', 16),
      text('subject_kind', 16),
      nullable(id('ticket_id')),
      nullable(id('assistance_id')),
      nullable(id('customer_id')),
      document('customer_ids'),
      nullable(id('payment_customer_id')),
      nullable(id('transaction_id')),
      nullable(text('email_domain', 128)),
      nullable(text('rule', 64)),
      nullable(bigint('rule_version')),
      nullable(id('placed_by_id')),
      nullable(id('placed_by_staff_id')),
      nullable(words('placed_by_staff_ids')),
      nullable(id('key_id')),
      nullable(sealed('reason_sealed')),
      text('hold_key', 64),
      nullable(text('open_key', 64)),
      nullable(text('request_key', 64)),
      nullable(text('request_digest', 64)),
      flag('planned'),
      nullable(text('ending', 16)),
      document('moves'),
      bigint('placed_at'),
      bigint('expires_at'),
      nullable(bigint('ended_at')),
    ],
    indexes: [
      'unique:open_key',
      'unique:request_key',
      'state,expires_at',
      'customer_id',
      'transaction_id',
      'ticket_id',
      'placed_at,id',
    ],
  },
  {
    name: 'payment_hold_effect',
    columns: [
      key('id'),
      id('hold_id'),
      text('kind', 16),
      text('state', 16),
      text('enforced_by', 16),
      nullable(bigint('deadline')),
      bigint('revision'),
    ],
    indexes: ['unique:hold_id,kind'],
  },
  {
    name: 'payment_hold_step',
    columns: [
      key('id'),
      id('hold_id'),
      bigint('ordinal'),
      text('kind', 16),
      text('phase', 8),
      text('action', 24),
      text('state', 16),
      id('customer_id'),
      text('target', 64),
      text('source', 64),
      id('key_id'),
      sealed('step_sealed'),
      bigint('key_generation'),
      nullable(bigint('key_used_at')),
      flag('key_spent'),
      nullable(text('refusal', 32)),
      nullable(bigint('ended_at')),
    ],
    indexes: ['unique:hold_id,ordinal', 'target'],
  },
  {
    name: 'payment_hold_job',
    columns: [
      key('id'),
      id('hold_id'),
      text('kind', 16),
      text('state', 8),
      bigint('attempts'),
      bigint('next_at'),
      nullable(bigint('lease_until')),
      nullable(text('lease_holder', 64)),
      nullable(text('fault', 64)),
    ],
    indexes: ['unique:hold_id,kind', 'state,next_at'],
  },
];

/** What shall wait and until when, what that brings about, and the calls that it takes at providers. */
export class Holds1765150000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
