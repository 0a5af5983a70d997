import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrations } from '../../migrations';
import { type DatabaseLocation, parseDatabaseUrl } from '../../src/db/data-source';
import { Database } from '../../src/db/database';
import type { EngineKind } from '../../src/db/engine';
import { entities } from '../../src/features/entities';
import { newDatabase } from './mariadb';

declare const ENGINE: EngineKind;
export const engine: EngineKind = typeof ENGINE === 'undefined' ? 'sqlite' : ENGINE;

/** An empty database of the engine under test, and what removes it. */
export const temporaryLocation = async (): Promise<{
  location: DatabaseLocation;
  folder: string;
  remove: () => Promise<void>;
}> => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
  if (engine === 'sqlite') {
    return {
      location: { engine, file: join(folder, 'test.sqlite') },
      folder,
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  const { url, drop } = await newDatabase(process.env.MARIADB_SERVER_URL as string);
  return {
    location: parseDatabaseUrl(url),
    folder,
    remove: async () => {
      await drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

export const databaseParts = { entities, migrations };

/** An open, migrated, empty database. */
export const temporaryDatabase = async (options: { onStatement?: (sql: string) => void; clock?: () => Date } = {}) => {
  const { location, folder, remove } = await temporaryLocation();
  const database = await Database.open(location, databaseParts, options);
  return {
    database,
    location,
    folder,
    remove: async () => {
      await database.close();
      await remove();
    },
  };
};
