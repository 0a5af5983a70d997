import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, type Definition, document, dropTables, id, key, nullable, sealed, text, words } from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'risk_alert',
    columns: [
      key('id'),
      text('rule', 64),
      bigint('version'),
      text('severity', 8),
      text('state', 16),
      nullable(id('ticket_id')),
      id('customer_id'),
      nullable(id('payment_customer_id')),
      nullable(id('staff_id')),
      id('key_id'),
      document('reasons'),
      words('signals'),
      nullable(sealed('note_sealed')),
      nullable(id('reported_by_id')),
      nullable(words('reported_by_staff_ids')),
      bigint('revision'),
      text('subject', 64),
      nullable(text('open_key', 64)),
      bigint('raised_at'),
      bigint('updated_at'),
      bigint('expires_at'),
      nullable(bigint('ended_at')),
      nullable(text('resolution', 8)),
      nullable(id('resolved_by_id')),
    ],
    indexes: ['unique:open_key', 'ticket_id,raised_at,id', 'customer_id', 'state,expires_at', 'raised_at,id'],
  },
  {
    name: 'risk_snooze',
    columns: [key('id'), text('rule', 64), id('customer_id'), id('alert_id'), bigint('until_at'), bigint('created_at')],
    indexes: ['customer_id,rule,until_at'],
  },
  {
    name: 'risk_alert_event',
    columns: [
      { name: 'position', type: 'bigint', isPrimary: true },
      text('kind', 8),
      id('alert_id'),
      nullable(id('ticket_id')),
      nullable(id('held_by_id')),
    ],
    indexes: ['alert_id'],
  },
];

/** What the holder of a ticket should know, for how long a rule is silent about a customer, and the order in which both became known. */
export class Alerts1765120000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
