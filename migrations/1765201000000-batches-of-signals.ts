import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, dropTables, id, key } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'risk_feed_batch',
    columns: [key('signal_id'), id('transaction_id'), bigint('ordinal'), bigint('signals')],
    indexes: ['transaction_id,ordinal'],
  },
];

/** Signals that wait for their positions by one row for all that were told together. */
export class BatchesOfSignals1765201000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
