import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, document, dropTables, id, key, nullable, text } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'webhook_endpoint',
    columns: [key('name'), text('url_digest', 64), bigint('position'), nullable(bigint('disabled_at'))],
  },
  {
    name: 'webhook_delivery',
    columns: [
      key('id'),
      text('kind', 16),
      text('endpoint', 32),
      text('subject', 160),
      bigint('place'),
      text('type', 64),
      document('body'),
      bigint('created_at'),
      text('state', 8),
      bigint('attempts'),
      bigint('next_at'),
      nullable(bigint('lease_until')),
      nullable(id('lease_holder')),
      nullable(text('fault', 64)),
    ],
    indexes: ['unique:subject,place', 'state,subject,place', 'state,next_at', 'endpoint,created_at', 'created_at'],
  },
  {
    name: 'webhook_attempt',
    columns: [
      key('id'),
      id('delivery_id'),
      bigint('at'),
      nullable(bigint('status')),
      nullable(text('fault', 32)),
      bigint('milliseconds'),
    ],
    indexes: ['delivery_id,at'],
  },
];

/** Messages to other systems, each with the tries to send it. */
export class WebhooksOut1765140000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
