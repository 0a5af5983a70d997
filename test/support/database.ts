import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { migrations } from '../../migrations';
import { Database } from '../../src/db/database';
import type { EngineKind } from '../../src/db/engine';
import { type DatabaseLocation, parseDatabaseUrl } from '../../src/db/location';
import { entities } from '../../src/features/entities';
import { urlOf } from './database-url';
import { newDatabase } from './mariadb';

declare const ENGINE: EngineKind;
export const engine: EngineKind = typeof ENGINE === 'undefined' ? 'sqlite' : ENGINE;

export interface Place {
  readonly location: DatabaseLocation;
  /** For files; on SQLite the database is among them. */
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

const newFolder = () => mkdtempSync(join(tmpdir(), 'counterfoil-test-'));

/** An empty database of the engine under test, and what removes it. */
export const temporaryLocation = async (): Promise<Place> => {
  const folder = newFolder();
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

/** What copies a kept MariaDB database into the one that the connection has open. The schema has no foreign key, which LIKE would leave out. */
const copying = async (url: string): Promise<string> => {
  const connection = await createConnection(url);
  const [rows] = await connection.query<RowDataPacket[]>('SHOW TABLES');
  await connection.end();
  const from = new URL(url).pathname.slice(1);
  const tables = rows.map((row) => String(Object.values(row)[0]));
  return tables
    .map((table) => `CREATE TABLE ${table} LIKE ${from}.${table}; INSERT INTO ${table} SELECT * FROM ${from}.${table}`)
    .join(';');
};

const run = async (url: string, statements: string): Promise<void> => {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  await connection.query(statements);
  await connection.end();
};

/**
 * A copy of a database, with the files beside it, that `fill` makes once a run and engine under this name. Whoever is
 * first makes it; when two workers are, both do, and one of the two is kept.
 */
export const copyOf = async (name: string, fill: (place: Place) => Promise<void>): Promise<Place> => {
  const kept = join(process.env.TEST_SCRATCH as string, `${engine}-${name}`);
  if (!existsSync(kept)) {
    const made = await temporaryLocation();
    await fill(made);
    if (engine === 'mariadb') writeFileSync(join(made.folder, 'copy.sql'), await copying(urlOf(made.location)));
    try {
      renameSync(made.folder, kept);
    } catch (error) {
      if (!existsSync(kept)) throw error;
      await made.remove();
    }
  }
  const place = await temporaryLocation();
  cpSync(kept, place.folder, { recursive: true });
  if (engine === 'mariadb') await run(urlOf(place.location), readFileSync(join(kept, 'copy.sql'), 'utf8'));
  return place;
};

export const databaseParts = { entities, migrations };

/** A database that the migrations have been through, and nothing else. */
export const migratedLocation = (): Promise<Place> =>
  copyOf('migrated', async ({ location }) => {
    const database = await Database.open(location, databaseParts);
    await database.close();
  });

/** An open, migrated, empty database. */
export const temporaryDatabase = async (options: { onStatement?: (sql: string) => void; clock?: () => Date } = {}) => {
  const { location, folder, remove } = await migratedLocation();
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
