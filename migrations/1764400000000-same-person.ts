import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, words } from './tables';

const columns = [words('requested_by_staff_ids')];
const tables = ['assistance', 'credential_update'];

/** Who asked is kept with what they asked for, so that somebody else who approves it is somebody else. */
export class SamePerson1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of tables) await addColumns(runner, table, columns);
    await runner.query(
      `UPDATE credential_update SET requested_by_staff_ids = REPLACE('["id"]', 'id', requested_by_staff_id)
       WHERE requested_by_staff_id IS NOT NULL`,
    );
    // Nobody can say any more who asked for an assistance that waits: its time is over, and the expiry writes that down.
    await runner.query('UPDATE assistance SET expires_at = requested_at WHERE ended_at IS NULL AND begins_at IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables) await dropColumns(runner, table, columns);
  }
}
