import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, bigint, dropColumns, id, position, text } from './tables';

const columns = [
  bigint('authorized'),
  bigint('captured'),
  bigint('refunded'),
  bigint('still_open'),
  position('refunds'),
  bigint('presentment_amount'),
  text('presentment_currency', 3),
];
const ofMethods = [text('country', 2), id('same_as_id'), bigint('times_saved')];

/** What was authorized, captured and refunded of a transaction can't be told from its status: rows have it once their source was asked again. */
export class MoneyInItsParts1764800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'payment_transaction', columns);
    await addColumns(runner, 'payment_method', ofMethods);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'payment_method', ofMethods);
    await dropColumns(runner, 'payment_transaction', columns);
  }
}
