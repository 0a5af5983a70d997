import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, addIndex, dropColumns, text } from './tables';

const columns = [text('person_digest', 64)];

/** Which subjects are one person: unknown of each until they ask next. */
export class Persons1765145000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'actor', columns);
    await addIndex(runner, 'actor', 'person_digest');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ix_actor_person_digest${runner.connection.options.type === 'mariadb' ? ' ON actor' : ''}`);
    await dropColumns(runner, 'actor', columns);
  }
}
