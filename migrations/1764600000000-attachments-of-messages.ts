import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, flag, sealed } from './tables';

const columns = [sealed('attachments_sealed'), flag('is_cut')];

/** What came with a message is named, and a text that is too long to be kept says so. Of messages from before, neither is known. */
export class AttachmentsOfMessages1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'helpdesk_message', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'helpdesk_message', columns);
  }
}
