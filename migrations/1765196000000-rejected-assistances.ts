import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, id, sealed } from './tables';

const columns = [id('rejected_by_id'), sealed('rejection_sealed')];

/** Who refused a request for an assistance, and why. */
export class RejectedAssistances1765196000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'assistance', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'assistance', columns);
  }
}
