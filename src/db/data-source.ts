import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';
import type { DatabaseLocation } from './location';

// biome-ignore lint/complexity/noBannedTypes: TypeORM's own type for a list of classes
type ClassList = MixedList<Function>;

export interface DataSourceParts {
  readonly entities: ClassList;
  readonly migrations: ClassList;
  readonly poolSize?: number;
}

interface SqlitePragmas {
  pragma(source: string): unknown;
}

/** The owner's alone, also where it was made otherwise: SQLite gives the files beside it the same mode. */
const keepToOwner = (file: string): void => {
  closeSync(openSync(file, 'a', 0o600));
  for (const each of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(each)) chmodSync(each, 0o600);
};

/**
 * TypeORM options for one side of a database. `write` is the side that changes and migrates. On SQLite `read` is a
 * second, read-only connection: TypeORM runs everything of a SQLite source over one connection, so a reader that
 * shared it would see, and be rolled back with, somebody else's half-done transaction.
 */
export const dataSourceOptions = (
  location: DatabaseLocation,
  parts: DataSourceParts,
  side: 'read' | 'write',
): DataSourceOptions => {
  const common = {
    entities: parts.entities,
    migrations: parts.migrations,
    migrationsTableName: 'schema_migration',
    synchronize: false,
    logging: false,
  } as const;
  if (location.engine === 'sqlite') {
    const file = location.file as string;
    if (side === 'write') {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      keepToOwner(file);
    }
    return {
      ...common,
      type: 'better-sqlite3',
      database: file,
      readonly: side === 'read',
      prepareDatabase: (connection: unknown) => {
        const sqlite = connection as SqlitePragmas;
        if (side === 'write') {
          sqlite.pragma('journal_mode = WAL');
          // WAL's default, NORMAL, may lose the last commits in a power cut: a disclosure must not be among them.
          sqlite.pragma('synchronous = FULL');
        }
        sqlite.pragma('foreign_keys = ON');
        sqlite.pragma('busy_timeout = 5000');
        sqlite.pragma('cache_size = -65536');
      },
    };
  }
  return {
    ...common,
    type: 'mariadb',
    url: location.url as string,
    poolSize: parts.poolSize ?? 10,
    charset: 'utf8mb4',
    timezone: 'Z',
    // Numbers are numbers: `db/integers` refuses one that the driver rounded.
    supportBigNumbers: false,
    bigNumberStrings: false,
    connectTimeout: 5_000,
  };
};

export const openDataSource = async (
  location: DatabaseLocation,
  parts: DataSourceParts,
  side: 'read' | 'write',
): Promise<DataSource> => new DataSource(dataSourceOptions(location, parts, side)).initialize();
