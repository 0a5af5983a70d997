import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, bigint, dropColumns, text } from './tables';

const ofTransactions = [text('digest', 64), bigint('confirmed_at')];

/** What a row of before says isn't known by a digest: it is compared, and written, the next time that its source shows it. */
export class FollowedChanges1764700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'payment_transaction', ofTransactions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'payment_transaction', ofTransactions);
  }
}
