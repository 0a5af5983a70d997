import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, dropTables, flag, id, key, nullable, text } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'risk_outreach',
    columns: [
      key('id'),
      id('alert_id'),
      id('customer_id'),
      id('source'),
      id('rule'),
      bigint('rule_version'),
      text('state', 16),
      bigint('key_generation'),
      nullable(bigint('key_used_at')),
      flag('key_spent'),
      nullable(text('refusal', 32)),
      nullable(text('reference', 128)),
      bigint('created_at'),
      nullable(bigint('ended_at')),
    ],
    indexes: ['unique:alert_id', 'source,created_at'],
  },
  {
    name: 'risk_outreach_job',
    columns: [
      key('id'),
      id('outreach_id'),
      text('kind', 16),
      text('state', 8),
      bigint('attempts'),
      bigint('next_at'),
      nullable(bigint('lease_until')),
      nullable(id('lease_holder')),
      nullable(text('fault', 64)),
    ],
    indexes: ['unique:outreach_id', 'state,next_at'],
  },
];

/** Tickets that rules have opened at helpdesks. */
export class Outreach1765175000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
