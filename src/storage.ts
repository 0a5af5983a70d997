import 'reflect-metadata';
import './deferred';
import type { Logger } from 'pino';
import { migrations } from '../migrations';
import { keyEncryptionOf } from './config/key-encryption';
import type { Config } from './config/load';
import { Database } from './db/database';
import { type DatabaseDeadlines, usualDeadlines } from './db/deadline';
import { durabilityFaults } from './db/durability';
import { expectNoBrake } from './features/actors/actor.brakes';
import type { Storage } from './features/core';
import { entities } from './features/entities';
import { Keys } from './features/keys/keys.service';
import { TextRedactor } from './privacy/redaction';

export interface StorageOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock?: () => Date;
  /** Sees every read statement; for tests that count them. */
  readonly onStatement?: (sql: string) => void;
  /** In place of the usual ones; for tests that stop a database server. */
  readonly databaseDeadlines?: DatabaseDeadlines;
}

/** Opens the database, brings its schema up to date, and opens the keys of what is sealed in it. Whoever opens it closes the database. */
export const openStorage = async ({
  config,
  log,
  clock = () => new Date(),
  onStatement,
  databaseDeadlines = usualDeadlines,
}: StorageOptions): Promise<Storage> => {
  const encryption = keyEncryptionOf(config);
  const database = await Database.open(
    config.database,
    { entities, migrations, poolSize: config.databasePool },
    { clock, deadlines: databaseDeadlines, ...(onStatement ? { onStatement } : {}) },
  );
  database.gateBy(expectNoBrake);
  try {
    if (database.engine === 'mariadb')
      for (const why of await durabilityFaults(database)) log.warn({ why }, 'the database server may lose what it acknowledged');
    return { database, keys: await Keys.open(database, encryption), redactor: new TextRedactor(), clock, log };
  } catch (error) {
    await database.close();
    throw error;
  }
};
