import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, dropTables, id, key, nullable, sealed, text, words } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'recognition',
    columns: [
      key('id'),
      text('state', 16),
      id('ticket_id'),
      id('customer_id'),
      id('assistance_id'),
      id('payment_customer_id'),
      id('transaction_id'),
      id('asked_by_id'),
      nullable(id('asked_by_staff_id')),
      words('asked_by_staff_ids'),
      id('key_id'),
      sealed('payment_sealed'),
      id('mail_digest'),
      bigint('asked_at'),
      bigint('expires_at'),
      nullable(bigint('sent_at')),
      nullable(bigint('answered_at')),
      nullable(text('failure', 32)),
      nullable(text('shown_digest', 80)),
      nullable(sealed('shown_sealed')),
      nullable(id('hold_id')),
      nullable(id('asked_key')),
    ],
    indexes: ['unique:asked_key', 'ticket_id,asked_at,id', 'customer_id,asked_at', 'state,expires_at'],
  },
  {
    name: 'recognition_link',
    columns: [key('id'), id('recognition_id'), id('token_digest'), bigint('created_at'), bigint('expires_at')],
    indexes: ['unique:token_digest', 'recognition_id'],
  },
  {
    name: 'recognition_job',
    columns: [
      key('id'),
      id('recognition_id'),
      text('kind', 16),
      text('state', 8),
      bigint('attempts'),
      bigint('next_at'),
      nullable(bigint('lease_until')),
      nullable(id('lease_holder')),
      nullable(id('fault')),
    ],
    indexes: ['unique:recognition_id,kind', 'state,next_at'],
  },
];

/** What customers are asked about payments, the links that ask them, and what leaves for them. */
export class Recognitions1765170000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
