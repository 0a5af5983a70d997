import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, dropTables, id, key, nullable, sealed, text } from './tables';

const tables = [
  {
    name: 'browser_session',
    columns: [
      key('id'),
      id('cookie_digest'),
      id('actor_id'),
      text('issuer', 255),
      id('subject_digest'),
      nullable(id('session_digest')),
      bigint('created_at'),
      bigint('ends_at'),
      bigint('used_at'),
      nullable(bigint('ended_at')),
      nullable(sealed('tokens_sealed')),
      bigint('access_until'),
      nullable(bigint('refresh_until')),
    ],
    indexes: ['unique:cookie_digest', 'ended_at,used_at'],
  },
];

/** Browsers in which staff signed in. */
export class BrowserSessions1765197000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, tables);
  }
}
