import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, dropTables, id, key } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'helpdesk_holder',
    columns: [key('id'), id('ticket_id'), id('customer_id'), id('staff_id'), bigint('last_at')],
    indexes: ['unique:ticket_id,customer_id,staff_id', 'staff_id,last_at'],
  },
];

/** Who had a ticket before. */
export class TicketHolders1765193000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
