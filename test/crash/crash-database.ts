import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { type Connection, createConnection } from 'mysql2/promise';
import { newDatabase, PrivateMariaDb } from '../support/mariadb';
import { FaultProxy } from './fault-proxy';

export const engines = ['sqlite', 'mariadb'] as const;
export type Engine = (typeof engines)[number];

/** The database of a gateway that is killed, as a test looks into it from beside. */
export interface CrashDatabase {
  /** As the gateway is told it: on MariaDB through `toDatabase`. */
  readonly url: string;
  /** Stands before MariaDB, so that a test can strike between two statements; null on the embedded engine. */
  readonly toDatabase: FaultProxy | null;
  /** The file whose every change is a write of the embedded engine; null on MariaDB. */
  readonly log: string | null;
  readonly connection: Connection | null;
  readonly query: <Row>(sql: string) => Promise<Row[]>;
  /** On the embedded engine while no gateway runs. */
  readonly write: (sql: string) => Promise<void>;
}

const embedded = (file: string): CrashDatabase => {
  const once = <T>(readonly: boolean, work: (database: SQLite.Database) => T): T => {
    const database = new SQLite(file, { readonly });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    url: `sqlite:${file}`,
    toDatabase: null,
    log: `${file}-wal`,
    connection: null,
    query: async <Row>(sql: string) => once(true, (database) => database.prepare(sql).all() as Row[]),
    write: async (sql) => once(false, (database) => void database.exec(sql)),
  };
};

/** A database of its own of either engine; what ends it is put to `closing`. */
export const openDatabase = async (engine: Engine, folder: string, closing: (() => unknown)[]): Promise<CrashDatabase> => {
  if (engine === 'sqlite') return embedded(join(folder, 'crash.db'));
  const server = await PrivateMariaDb.start();
  closing.push(() => server.stop());
  const { url } = await newDatabase(server.serverUrl);
  const connection = await createConnection({ uri: url, supportBigNumbers: true, bigNumberStrings: false });
  closing.push(() => connection.end());
  const toDatabase = await FaultProxy.start(Number(new URL(url).port));
  closing.push(() => toDatabase.close());
  const through = new URL(url);
  through.port = String(toDatabase.port);
  return {
    url: through.href,
    toDatabase,
    log: null,
    connection,
    query: async <Row>(sql: string) => (await connection.query(sql))[0] as Row[],
    write: async (sql) => void (await connection.query(sql)),
  };
};
