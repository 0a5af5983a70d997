import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, dropTables, id, key, nullable, sealed, words } from './tables';

const tables = [
  {
    name: 'actor_name',
    columns: [
      key('id'),
      id('actor_id'),
      nullable(sealed('name_sealed')),
      bigint('seen_at'),
      nullable(id('proposed_by_id')),
      nullable(words('proposed_by_staff_ids')),
      nullable(bigint('proposed_at')),
      nullable(id('erased_by_id')),
      nullable(bigint('erased_at')),
    ],
    indexes: ['unique:actor_id'],
  },
];

/** What actors are called, for auditors and privacy officers. */
export class ActorNames1765199000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, tables);
  }
}
