import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addIndex, bigint, type Column, createTables, type Definition, dropTables, id, key, nullable, text } from './tables';

const subjects = ['customer', 'card', 'device', 'ip', 'email_domain', 'order_subject', 'payment', 'ticket', 'staff', 'team'];
/** Those that rules ask for windows of: each costs whoever stores a signal. */
const asked = subjects.filter((name) => !['ip', 'order_subject', 'payment'].includes(name));
const position: Column = { name: 'position', type: 'bigint', isPrimary: true };
const day: Column = { name: 'day', type: 'bigint', isPrimary: true };

const definitions: readonly Definition[] = [
  {
    name: 'risk_signal',
    columns: [
      key('id'),
      id('source'),
      text('event_id', 255),
      text('type', 64),
      bigint('occurred_at'),
      bigint('received_at'),
      ...subjects.map((name) => nullable(id(name))),
      nullable(text('country', 2)),
      nullable(bigint('minor_units')),
      nullable(text('currency', 3)),
      nullable(text('decline_code', 128)),
      nullable(text('advice', 128)),
      nullable(bigint('customer_since')),
      nullable(text('outcome', 64)),
      nullable(text('changed', 32)),
      nullable(bigint('deadline')),
    ],
    indexes: ['unique:source,event_id', 'received_at', ...asked.map((name) => `${name},type,occurred_at`)],
  },
  {
    name: 'risk_signal_day',
    columns: [
      key('subject'),
      key('value'),
      key('type'),
      day,
      key('country'),
      key('device'),
      key('currency'),
      bigint('count'),
      nullable(bigint('most_minor_units')),
      nullable(bigint('customer_since')),
    ],
    indexes: ['day'],
  },
  {
    name: 'risk_feed_pending',
    columns: [key('signal_id'), id('transaction_id'), bigint('ordinal')],
    indexes: ['transaction_id,ordinal'],
  },
  { name: 'risk_feed', columns: [position, id('signal_id')], indexes: ['unique:signal_id'] },
  { name: 'risk_consumer', columns: [key('name'), bigint('position')] },
];

/** By what senders of signals name cards and payments. */
const named = [
  ['payment_method', 'reference_digest'],
  ['payment_transaction', 'reference'],
] as const;

/** What is told of payments, tickets and staff, in one order, and how far each reader of it is. */
export class Signals1765100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
    for (const [table, column] of named) await addIndex(runner, table, column);
  }

  async down(runner: QueryRunner): Promise<void> {
    const isServer = runner.connection.options.type === 'mariadb';
    for (const [table, column] of named) await runner.query(`DROP INDEX ix_${table}_${column}${isServer ? ` ON ${table}` : ''}`);
    await dropTables(runner, definitions);
  }
}
