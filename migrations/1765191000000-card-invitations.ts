import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, dropTables, id, key, letBeNull, nullable, text } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'card_invitation',
    columns: [
      key('id'),
      id('payment_method_id'),
      bigint('ends_at'),
      id('customer_id'),
      id('payment_customer_id'),
      id('source'),
      id('rule'),
      bigint('rule_version'),
      text('state', 16),
      nullable(text('reason', 32)),
      nullable(id('update_id')),
      bigint('due_at'),
      bigint('created_at'),
      nullable(bigint('ended_at')),
    ],
    indexes: ['unique:payment_method_id,ends_at', 'due_at', 'state,ended_at'],
  },
  {
    name: 'card_invitation_job',
    columns: [
      key('id'),
      id('invitation_id'),
      text('kind', 16),
      text('state', 8),
      bigint('attempts'),
      bigint('next_at'),
      nullable(bigint('lease_until')),
      nullable(id('lease_holder')),
      nullable(text('fault', 64)),
    ],
    indexes: ['unique:invitation_id', 'state,next_at'],
  },
];
const ofStaffAlone = [id('ticket_id'), id('assistance_id')];

/** Customers whom a rule has asked for a new card: updates that nobody of the staff asked for are on no ticket. */
export class CardInvitations1765191000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
    await letBeNull(runner, 'credential_update', ofStaffAlone);
  }

  async down(runner: QueryRunner): Promise<void> {
    await letBeNull(runner, 'credential_update', ofStaffAlone, false);
    await dropTables(runner, definitions);
  }
}
