import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, type Column, createTables, type Definition, dropTables, id, key, nullable, sealed, text } from './tables';

const primary = (column: Column): Column => ({ ...column, isPrimary: true });

const definitions: readonly Definition[] = [
  { name: 'audit_ticket', columns: [key('event_id'), key('ticket_id')], indexes: ['ticket_id'] },
  {
    name: 'audit_leaf',
    columns: [primary(bigint('leaf_index')), id('event_id'), text('leaf_hash', 64)],
    indexes: ['unique:event_id'],
  },
  { name: 'audit_node', columns: [primary(bigint('level')), primary(bigint('node_index')), text('hash', 64)] },
  {
    name: 'audit_origin',
    columns: [
      key('name'),
      bigint('begins_at_size'),
      nullable(id('previous')),
      nullable(sealed('previous_checkpoint')),
      bigint('created_at'),
    ],
    indexes: ['unique:previous'],
  },
  {
    name: 'audit_checkpoint',
    columns: [key('origin'), primary(bigint('tree_size')), text('root_hash', 64), sealed('note'), bigint('signed_at')],
  },
  {
    name: 'audit_anchor',
    columns: [key('anchor'), key('origin'), primary(bigint('tree_size')), sealed('note'), bigint('anchored_at')],
  },
];

export class AuditTree1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, definitions);
  }
}
