import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, flag } from './tables';

const columns = [flag('backdated')];

/** Which signals were told so late that they are no part of anybody's past: none of those that are stored. */
export class BackdatedSignals1765180000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'risk_signal', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'risk_signal', columns);
  }
}
