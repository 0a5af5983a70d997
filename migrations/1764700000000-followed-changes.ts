import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, addIndex, bigint, dropColumns, text } from './tables';

const ofTransactions = [text('digest', 64), bigint('confirmed_at')];
const ofTickets = [text('digest', 64), text('mark', 64), bigint('messages_seen_at'), bigint('read_at')];
const ofMessages = [text('digest', 64)];
const index = 'ix_helpdesk_ticket_messages_seen_at';

/**
 * What a row of before says isn't known by a digest: it is compared, and written, the next time that its source shows it. Messages
 * of before count as never seen again since they were stored.
 */
export class FollowedChanges1764700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'payment_transaction', ofTransactions);
    await addColumns(runner, 'helpdesk_ticket', ofTickets);
    await addColumns(runner, 'helpdesk_message', ofMessages);
    await runner.query('UPDATE helpdesk_ticket SET messages_seen_at = 0 WHERE messages_seen_at IS NULL');
    await addIndex(runner, 'helpdesk_ticket', 'messages_seen_at');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ${index}${runner.connection.options.type === 'mariadb' ? ' ON helpdesk_ticket' : ''}`);
    await dropColumns(runner, 'helpdesk_message', ofMessages);
    await dropColumns(runner, 'helpdesk_ticket', ofTickets);
    await dropColumns(runner, 'payment_transaction', ofTransactions);
  }
}
