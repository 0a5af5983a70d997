import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, deflated, dropTables, key } from './tables';

const tables = [
  {
    name: 'policy_version',
    columns: [key('id'), deflated('text'), bigint('kept_at')],
    indexes: ['kept_at'],
  },
];

/** Texts of policies that were in force, by their digests. */
export class PolicyVersions1765310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, tables);
  }
}
