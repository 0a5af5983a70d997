import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, dropTables, key } from './tables';

const definitions: readonly Definition[] = [
  { name: 'used_proof', columns: [key('id'), bigint('ends_at')], indexes: ['ends_at'] },
];

/** Which proofs of possession were taken: none is, by this gateway or another one, a second time. */
export class UsedProofs1765194100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
