import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, id } from './tables';

const columns = [id('session_digest')];

/** Of which session of a person's a signal is: two devices with a session each are none that moves. */
export class SignalSessions1765155000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'risk_signal', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'risk_signal', columns);
  }
}
