import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, document, dropTables, key, nullable, words } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'registered_operation',
    columns: [key('id'), document('text'), words('operations'), bigint('registered_at'), nullable(bigint('retired_at'))],
    indexes: ['retired_at'],
  },
];

/** Documents that an operator registered, by the SHA-256 of their text. */
export class RegisteredOperations1765080000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
