import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bigint, createTables, dropTables, id, key, nullable, sealed } from './tables';

const tables = [
  {
    name: 'frame_session',
    columns: [
      key('id'),
      id('cookie_digest'),
      id('session_id'),
      id('source'),
      bigint('created_at'),
      nullable(bigint('ended_at')),
      nullable(sealed('within_sealed')),
    ],
    indexes: ['unique:cookie_digest', 'ended_at,session_id'],
  },
  { name: 'frame_use', columns: [key('id'), bigint('ends_at')], indexes: ['ends_at'] },
];

/** Sessions of frames in helpdesks' pages, and what such frames may use once. */
export class FrameSessions1765198000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, tables);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, tables);
  }
}
