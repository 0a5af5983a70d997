import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  addColumns,
  bigint,
  createTables,
  type Definition,
  document,
  dropColumns,
  dropTables,
  id,
  key,
  nullable,
  sealed,
  text,
  words,
} from './tables';

const definitions: readonly Definition[] = [
  {
    name: 'staff_brake',
    columns: [
      key('id'),
      id('actor_id'),
      document('actor_ids'),
      words('staff_ids'),
      document('teams'),
      text('level', 16),
      id('rule'),
      bigint('rule_version'),
      text('state', 16),
      bigint('placed_at'),
      nullable(id('proposed_by_id')),
      nullable(words('proposed_by_staff_ids')),
      nullable(bigint('proposed_at')),
      nullable(id('released_by_id')),
      nullable(bigint('released_at')),
      nullable(id('key_id')),
      nullable(sealed('proposal_reason_sealed')),
      nullable(sealed('release_reason_sealed')),
      nullable(text('open_key', 160)),
    ],
    indexes: ['unique:open_key', 'actor_id', 'placed_at'],
  },
];
const columns = [text('brake', 16), bigint('lease_until')];

/** What stops somebody among the staff until two others release it. */
export class Brakes1765130000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, definitions);
    await addColumns(runner, 'actor', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'actor', columns);
    await dropTables(runner, definitions);
  }
}
