import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, id } from './tables';

const columns = [id('voucher')];

/** Each event is stored with a code under the installation's key; those from before, and of gateways of the version before, have none. */
export class VouchersOfEvents1765070000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'audit_event', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'audit_event', columns);
  }
}
