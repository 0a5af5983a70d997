import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, addIndex, document, dropColumns } from './tables';

const columns = [document('payer_ids')];

/** Whom at the payment side a hold covers: those that its customers were when it was placed. */
export class HeldPayers1765185000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'payment_hold', columns);
    await addIndex(runner, 'payment_hold', 'payment_customer_id');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('payment_hold', 'ix_payment_hold_payment_customer_id');
    await dropColumns(runner, 'payment_hold', columns);
  }
}
