import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addIndex } from './tables';

const index = 'ix_assistance_begins_at';

/** Whom a person reached within the hour is counted over all of their subjects, so it is found by the time alone. */
export class QuotaByPerson1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'assistance', 'begins_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ${index}${runner.connection.options.type === 'mariadb' ? ' ON assistance' : ''}`);
  }
}
