import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  addColumns,
  bigint,
  createTables,
  type Definition,
  document,
  dropColumns,
  dropTables,
  flag,
  id,
  key,
  nullable,
  text,
} from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'step_up_demand',
    columns: [
      key('id'),
      id('customer_id'),
      nullable(id('payer_id')),
      nullable(id('source')),
      text('state', 16),
      text('strength', 16),
      nullable(id('rule')),
      nullable(bigint('rule_version')),
      nullable(id('owner_id')),
      nullable(text('stage', 16)),
      document('rests_on'),
      bigint('opened_at'),
      bigint('counts_from'),
      nullable(bigint('presented_at')),
      bigint('expires_at'),
      nullable(bigint('ended_at')),
      document('failed_digests'),
      bigint('lookups'),
      nullable(id('proof_digest')),
      nullable(bigint('authenticated_at')),
      flag('known_device'),
      nullable(text('open_key', 200)),
    ],
    indexes: ['unique:open_key', 'unique:proof_digest', 'customer_id,expires_at', 'payer_id,expires_at', 'state,expires_at'],
  },
  {
    name: 'payment_decision',
    columns: [
      key('id'),
      id('service_id'),
      id('key_digest'),
      id('request_digest'),
      text('stage', 16),
      text('verdict', 16),
      nullable(id('demand_id')),
      nullable(id('route')),
      bigint('valid_until'),
      bigint('at'),
    ],
    indexes: ['unique:key_digest', 'at'],
  },
  { name: 'decision_budget', columns: [key('id'), bigint('used'), bigint('ends_at')], indexes: ['ends_at'] },
];
const ofConfirmation = [id('demand_id')];

/** What the payment pipeline was answered, and step-ups that customers are asked for; a confirmation names the one that it counts. */
export class Decisions1765160000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
    await addColumns(runner, 'credential_confirmation', ofConfirmation);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'credential_confirmation', ofConfirmation);
    await dropTables(runner, definitions);
  }
}
