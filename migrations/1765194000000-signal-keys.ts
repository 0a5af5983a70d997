import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, id } from './tables';

const columns = [id('key_digest')];

/** By which key a session of a person's was used, where its tokens are bound to one: none of those that are stored. */
export class SignalKeys1765194000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'risk_signal', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'risk_signal', columns);
  }
}
