import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, addIndex, bigint, dropColumns } from './tables';

const columns = [bigint('link_tries'), bigint('link_next_at')];
const index = 'ix_helpdesk_customer_linked_at';

/** Customers at whom a source fails are set aside; those who wait for their link are found by an index. */
export class LinkingFaults1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'helpdesk_customer', columns);
    await addIndex(runner, 'helpdesk_customer', 'linked_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ${index}${runner.connection.options.type === 'mariadb' ? ' ON helpdesk_customer' : ''}`);
    await dropColumns(runner, 'helpdesk_customer', columns);
  }
}
