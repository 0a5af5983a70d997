import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { DatabaseInUse } from './database-in-use';
import { takeOwnership } from './owner-lock';
import type { Reads } from './reads';
import { type Sql, sql } from './sql';
import type { Selection } from './table';

/** An embedded database that nobody has made yet. */
export class DatabaseMissing extends Error {
  constructor(file: string) {
    super(`There is no ${file} yet: the gateway makes it when it starts.`);
    this.name = 'DatabaseMissing';
  }
}

/** What was read after its time would be of another instant. */
export class SnapshotEnded extends Error {
  constructor(file: string, seconds: number) {
    super(
      `The snapshot of ${file} ended after ${seconds} seconds: while one is read, the files of the running gateway only grow. Stop the gateway and run this again; without one there is no such end.`,
    );
    this.name = 'SnapshotEnded';
  }
}

/** For how long one is read beside a gateway, in seconds. */
export const longestSnapshot = 60;

/**
 * An embedded database as it was at one instant, over a read-only connection of its own: whatever its owner writes meanwhile.
 * It ends after `longestSnapshot` seconds, because what was written since can't be put in its place before. Where nobody
 * owns the file, it is owned until `close` and doesn't end.
 */
export class Snapshot implements Reads {
  private ended = false;

  private constructor(
    private readonly file: string,
    private readonly connection: Sqlite.Database,
    private readonly release: () => void,
    private readonly hasEnded: () => boolean,
  ) {}

  /** `now` counts milliseconds. Throws `DatabaseMissing`. */
  static open(file: string, now: () => number = () => performance.now()): Snapshot {
    if (!existsSync(file)) throw new DatabaseMissing(file);
    let release = () => {};
    let until = Number.POSITIVE_INFINITY;
    try {
      release = takeOwnership(file);
    } catch (error) {
      if (!(error instanceof DatabaseInUse)) throw error;
      until = now() + longestSnapshot * 1_000;
    }
    try {
      const connection = new Sqlite(file, { readonly: true });
      connection.exec('BEGIN');
      // The instant is that of the first reading.
      connection.prepare('SELECT COUNT(*) FROM sqlite_master').get();
      return new Snapshot(file, connection, release, () => now() >= until);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Throws `SnapshotEnded`. */
  async read<R extends object>(selection: Selection<R>, rest: Sql): Promise<R[]> {
    const { sql: text, values } = sql`${selection} ${rest}`;
    if (!this.ended && this.hasEnded()) {
      this.ended = true;
      this.connection.close();
    }
    if (this.ended) throw new SnapshotEnded(this.file, longestSnapshot);
    return selection.hydrate(this.connection.prepare<unknown[], Record<string, unknown>>(text).all(...values));
  }

  async close(): Promise<void> {
    this.connection.close();
    this.release();
  }
}
