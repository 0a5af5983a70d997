import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DataSourceOptions, MixedList } from 'typeorm';
import { DataSource } from 'typeorm/data-source/DataSource';
import { Failure } from '../failure';
import type { DatabaseLocation } from './location';
import { ServerConnections } from './server-connections';
import type { Side } from './server-pool';

// biome-ignore lint/complexity/noBannedTypes: TypeORM's own type for a list of classes
type ClassList = MixedList<Function>;

export interface DataSourceParts {
  readonly entities: ClassList;
  readonly migrations: ClassList;
  readonly poolSize?: number;
  /** Milliseconds that a change may take on a server. */
  readonly deadline?: number;
  /** Of both sides, on a server. */
  readonly connections?: ServerConnections;
}

/** With the driver loaded where there is a server to talk to only. */
const serverPool = () => require('./server-pool') as typeof import('./server-pool');

interface SqlitePragmas {
  pragma(source: string): unknown;
}

export const poolSizeOf = ({ poolSize = 10 }: DataSourceParts): number => poolSize;

/** The owner's alone, also where it was made otherwise: SQLite gives the files beside it the same mode. */
const keepToOwner = (file: string): void => {
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    const mode = statSync(each, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) continue;
    try {
      chmodSync(each, 0o600);
    } catch {
      throw Failure.invalid('DATABASE_URL', 'others can read the file, and it isn’t this user’s to change: chmod 600 on it');
    }
  }
};

/**
 * TypeORM options for one side of a database. `write` is the side that changes and migrates. On SQLite `read` is a
 * second, read-only connection: TypeORM runs everything of a SQLite source over one connection, so a reader that
 * shared it would see, and be rolled back with, somebody else's half-done transaction.
 */
export const dataSourceOptions = (location: DatabaseLocation, parts: DataSourceParts, side: Side): DataSourceOptions => {
  const common = {
    ...(side === 'write' ? { entities: parts.entities, migrations: parts.migrations } : {}),
    migrationsTableName: 'schema_migration',
    synchronize: false,
    logging: false,
  } as const;
  if (location.engine === 'sqlite') {
    const { file } = location;
    if (side === 'write') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return {
      ...common,
      type: 'better-sqlite3',
      database: file,
      readonly: side === 'read',
      prepareDatabase: (connection: unknown) => {
        const sqlite = connection as SqlitePragmas;
        if (side === 'write') {
          // By its path: to open and close it once more would let go of the locks that this process has on it.
          keepToOwner(file);
          sqlite.pragma('journal_mode = WAL');
          // WAL's default, NORMAL, may lose the last commits in a power cut: a disclosure must not be among them.
          sqlite.pragma('synchronous = FULL');
          // What is removed is overwritten: its customer's key goes on, and would open what is left in a free page.
          sqlite.pragma('secure_delete = ON');
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
    database: location.name,
    // Connections are made where those of the reading side are: what TypeORM would make of a URL is never asked for.
    driver: {
      createPool: () =>
        serverPool().openPool(location, {
          side,
          size: poolSizeOf(parts),
          deadline: parts.deadline ?? Number.POSITIVE_INFINITY,
          connections: parts.connections ?? new ServerConnections(),
        }),
    },
  };
};

export const openDataSource = async (location: DatabaseLocation, parts: DataSourceParts, side: Side): Promise<DataSource> =>
  new DataSource(dataSourceOptions(location, parts, side)).initialize();
