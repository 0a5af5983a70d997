import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  addColumns,
  addIndex,
  bigint,
  createTables,
  type Definition,
  dropColumns,
  dropTables,
  id,
  key,
  nullable,
  text,
  words,
} from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'ticket_claim',
    columns: [
      key('id'),
      id('ticket_id'),
      id('customer_id'),
      text('origin', 8),
      bigint('ordinal'),
      words('traits'),
      nullable(id('message_id')),
      nullable(id('recorded_by_id')),
      nullable(words('recorded_by_staff_ids')),
      nullable(id('request_key')),
      nullable(id('request_digest')),
      bigint('recorded_at'),
    ],
    indexes: ['unique:ticket_id,origin,ordinal', 'unique:message_id', 'unique:request_key'],
  },
];
const columns = [bigint('claim_due_at')];

/** What customers state of payments, and which messages are still to be held against theirs. */
export class Claims1765190000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
    await addColumns(runner, 'helpdesk_message', columns);
    await addIndex(runner, 'helpdesk_message', 'claim_due_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('helpdesk_message', 'ix_helpdesk_message_claim_due_at');
    await dropColumns(runner, 'helpdesk_message', columns);
    await dropTables(runner, definitions);
  }
}
