import type { PoolConnection } from 'mysql2';
import type { DataSource, QueryRunner } from 'typeorm';
import type { ActionName } from '../audit/events';
import { type Actor, isSignedIn, type SystemActor, systemActor } from '../authz/actor';
import { type Action, permit } from '../authz/rule';
import { Failure } from '../failure';
import { type Lane, Lanes, WaitedTooLong } from '../lanes';
import type { EventVouchers } from '../privacy/event-vouchers';
import { ulidsInOrder } from '../ulid';
import { Bookkeeper } from './bookkeeping';
import { Change, type ChangeGate, type Permit, SystemChange } from './change';
import { type DataSourceParts, openDataSource, poolSizeOf } from './data-source';
import { DatabaseUnavailable } from './database-unavailable';
import { type DatabaseDeadlines, noAnswer, noDeadlines, sever, within } from './deadline';
import {
  type EngineKind,
  isConflict,
  isDuplicate,
  isLostConnection,
  isNotReady,
  isReadOnly,
  nameSchemaFault,
  outageOf,
  spoilsConnection,
  sqlModeFault,
  tlsFault,
} from './engine';
import { safeRows } from './integers';
import { type Job, jobs } from './jobs';
import type { DatabaseLocation } from './location';
import { takeOwnership } from './owner-lock';
import type { PreparedReads } from './prepared-reads';
import type { Reads } from './reads';
import { ServerConnections } from './server-connections';
import { SharedReads } from './shared-reads';
import type { Sql } from './sql';
import { ask, execute, type Row, readRows, type Transaction } from './statements';
import { type AddingUp, additions, type Changes, deleting, insertions, type Selection, type Table, type Values } from './table';
import { selectLists } from './union-of-lists';

export interface ChangeOptions {
  /** The work may run again after a lost connection, when nobody knows whether the first try committed. */
  readonly idempotent?: boolean;
}

/** One transaction of a sequencer: places in an order, what is made of what has one, and signed heads; never events. */
export interface SequencerCommit extends Reads {
  insert<E>(into: Table<E>, rows: readonly Values<E>[]): Promise<void>;
  /** Inserts rows; where one of the same key is stored, adds to it. */
  add<E>(into: Table<E>, rows: readonly Values<E>[], how: AddingUp<E>): Promise<void>;
  remove<E>(from: Table<E>, condition: Sql): Promise<void>;
  /** Writes columns that `db/bookkeeping` lists, and no others. Returns how many rows met the condition. */
  bookkeep<E>(of: Table<E>, changes: Changes<E>, condition: Sql): Promise<number>;
}

export interface DatabaseOptions {
  readonly clock?: () => Date;
  readonly migrate?: boolean;
  /** Sees every read statement. */
  readonly onStatement?: (sql: string) => void;
  /** How long a read or a change may take on a server; without them, any time. */
  readonly deadlines?: DatabaseDeadlines;
}

/** With its driver loaded where there is a server to talk to only. */
const preparedReads = (...made: ConstructorParameters<typeof PreparedReads>): PreparedReads => {
  const { PreparedReads } = require('./prepared-reads') as typeof import('./prepared-reads');
  return new PreparedReads(...made);
};

/** SQLite: changes of each lane that wait; whatever comes then is told so at once. */
const mostChangesWaiting = 1_000;
const attempts = 6;
/** Milliseconds that are left for each statement while a server doesn't answer: a request that meets several of them ends soon after the first. */
const patienceInSilence = 1_000;
/** Within so many milliseconds the database says that it can be used. */
const pingDeadline = 2_000;
/** At the start: for a first connection, which the driver gives up after five seconds, and for what is asked on it before anything else. */
const greetingDeadline = 8_000;
const pauseBefore = (attempt: number): number => Math.random() * 10 * 2 ** attempt;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Reader {
  query<R extends Row>(sql: string, parameters: readonly unknown[], milliseconds: number): Promise<R[]>;
  close(): Promise<void>;
}

const sqliteReader = (source: DataSource): Reader => ({
  query: <R extends Row>(sql: string, parameters: readonly unknown[]) => source.query(sql, [...parameters]) as Promise<R[]>,
  close: () => source.destroy(),
});

/** A connection of the pool's, and TypeORM's view of it. */
interface OnServer {
  readonly runner: QueryRunner;
  readonly connection: PoolConnection;
}

/** TypeORM locks rows only in a transaction that it knows of. */
const noteTransaction = (runner: QueryRunner, isTransactionActive: boolean): void =>
  void Object.assign(runner, { isTransactionActive });

interface DatabaseParts {
  readonly engine: EngineKind;
  readonly writer: DataSource;
  readonly reader: Reader;
  readonly clock: () => Date;
  /** Gives an embedded database's file back. */
  readonly release: () => void;
  /** Those to a server. */
  readonly connections: ServerConnections;
  readonly onStatement: ((sql: string) => void) | undefined;
  readonly deadlines: DatabaseDeadlines;
}

const requireSqlMode = async (source: DataSource): Promise<void> => {
  const [row] = (await source.query('SELECT @@SESSION.sql_mode AS mode')) as { mode: string }[];
  const fault = sqlModeFault(row?.mode ?? '');
  if (fault !== null) throw Failure.invalid('DATABASE_URL', fault);
};

/**
 * The one way to the stored rows: `read` reads; `change` and `system` write and record, `bookkeeping` writes what needs no
 * record, `sequence` what the audit log's sequencer does. Nobody else holds a TypeORM source.
 * On SQLite all writes pass one queue to one connection; reads have a read-only connection of their own.
 */
export class Database implements Reads {
  /** SQLite: one write at a time, what people wait for before the batches of a sync. */
  private readonly writes = new Lanes(1, mostChangesWaiting);
  private closed = false;
  /** The last that was heard of the server is that it didn't answer. */
  private isSilent = false;
  private vouching: EventVouchers | null = null;
  private gate: ChangeGate | null = null;

  readonly engine = this.parts.engine;
  private readonly writer = this.parts.writer;
  private readonly reader = this.parts.reader;
  private readonly clock = this.parts.clock;
  /** Those of one process have their places in the log in the order in which they began. */
  private readonly transactionIds = ulidsInOrder();

  /** Reads by ids that are made together by requests of the same time. */
  readonly shared = new SharedReads({
    engine: this.engine,
    until: () => this.readUntil(),
    rows: (statement, until) => this.answer<Row>(statement.sql, statement.values, until),
  });

  private constructor(private readonly parts: DatabaseParts) {}

  /** Opens, migrates where asked, and on SQLite takes the file for this process. Throws `DatabaseInUse`, `DatabaseUnavailable`. */
  static async open(location: DatabaseLocation, parts: DataSourceParts, options: DatabaseOptions = {}): Promise<Database> {
    const { migrate = true, deadlines = noDeadlines } = options;
    let release = () => {};
    const connections = new ServerConnections();
    const opening = openDataSource(location, { ...parts, deadline: deadlines.change, connections }, 'write');
    const leave = () => void opening.then((late) => late.destroy()).catch(() => {});
    const writer = await within(location.engine === 'sqlite' ? Number.POSITIVE_INFINITY : greetingDeadline, opening, leave).catch(
      (error: unknown) => {
        const fault = tlsFault(error);
        throw fault === null ? unavailableOr(error) : Failure.invalid('DATABASE_URL', fault);
      },
    );
    try {
      if (location.engine === 'sqlite') release = takeOwnership(location.file);
      else await within(greetingDeadline, requireSqlMode(writer));
      if (migrate) await writer.runMigrations({ transaction: 'each' });
      const reader: Reader =
        location.engine === 'sqlite'
          ? sqliteReader(await openDataSource(location, parts, 'read'))
          : preparedReads(location, poolSizeOf(parts), deadlines.read, connections);
      return new Database({
        engine: location.engine,
        writer,
        reader,
        clock: options.clock ?? (() => new Date()),
        release,
        connections,
        onStatement: options.onStatement,
        deadlines,
      });
    } catch (error) {
      release();
      await writer.destroy();
      throw unavailableOr(error);
    }
  }

  /** Committed rows of a statement as it is written, for tests and measurements: the gateway reads by selections. */
  query<R extends Row = Row>(sql: string, parameters: readonly unknown[] = []): Promise<R[]> {
    return this.answer<R>(sql, parameters).then(safeRows);
  }

  /**
   * Committed rows of a selection. `rest` is what follows its FROM. A lost connection is tried again: reading twice changes
   * nothing. Throws `DatabaseUnavailable`.
   */
  read<R extends object>(selection: Selection<R>, rest: Sql): Promise<R[]> {
    return this.readAll(selection, selectLists(this.engine, selection, [rest]));
  }

  /** Rows of several lists of a selection, in one statement. Each has its own rest, and its rows come in no order. */
  async readLists<R extends object>(selection: Selection<R>, rests: readonly Sql[]): Promise<R[][]> {
    const lists: R[][] = rests.map(() => []);
    const rows = await this.readAll(selection, selectLists(this.engine, selection, rests));
    if (rests.length === 1) return [rows];
    for (const row of rows) lists[(row as R & { list: number }).list]?.push(row);
    return lists;
  }

  private async readAll<R extends object>(selection: Selection<R>, statement: Sql): Promise<R[]> {
    return selection.hydrate(await this.answer<Row>(statement.sql, statement.values));
  }

  /**
   * Runs `work` as one change of `actor` and returns its result once it is committed with its events. `permit` asks the
   * action's rule, before which nothing is written. A conflict with another transaction (deadlock, lock wait) runs all of
   * `work` again, so `work` must do nothing but read and write through its `Change`: no upstream call, no message. A lost
   * connection is retried only where `idempotent` is said. Throws `DatabaseUnavailable`; where the answer to the commit was
   * lost, nobody knows whether it was made.
   */
  change<Subject, T>(
    actor: Exclude<Actor, SystemActor>,
    action: Action<Subject, ActionName>,
    work: (change: Change, permit: Permit<Subject>) => Promise<T>,
    options: ChangeOptions = {},
  ): Promise<T> {
    return this.transaction('interactive', options, async (transaction) => {
      // What is asked before writes to the actor's own row only.
      let isPermitted = true;
      const ask = (subject: Subject): void => {
        permit(actor, action, subject);
        isPermitted = true;
      };
      const change = new Change({
        transaction,
        actor,
        action: action.name,
        ...this.instant(),
        isPermitted: () => isPermitted,
        vouchers: () => this.vouching,
      });
      if (isSignedIn(actor)) await this.gate?.(change, actor, action.name);
      isPermitted = false;
      const result = await work(change, ask as Permit<Subject>);
      await change.finish();
      return result;
    });
  }

  /**
   * Like `change`, by one of the gateway's own jobs: permitted from the start, and recorded all the same. What was done in
   * somebody else's name is recorded for them (`recordFor`).
   */
  system<T>(job: Job, action: ActionName, work: (change: SystemChange) => Promise<T>, options: ChangeOptions = {}): Promise<T> {
    return this.transaction(jobs[job], options, async (transaction) => {
      const change = new SystemChange({
        transaction,
        actor: systemActor(job),
        action,
        ...this.instant(),
        isPermitted: () => true,
        vouchers: () => this.vouching,
      });
      const result = await work(change);
      await change.finish();
      return result;
    });
  }

  /**
   * Writes cursors, leases and times of confirmation of one table, of which no event tells; `db/bookkeeping` says which
   * columns these are. `work` may run again after a conflict.
   */
  bookkeeping<E, T>(of: Table<E>, work: (books: Bookkeeper<E>) => Promise<T>, options: ChangeOptions = {}): Promise<T> {
    return this.transaction('interactive', options, async (transaction) => work(new Bookkeeper(transaction, of)));
  }

  /**
   * One transaction of a sequencer, for which no event is recorded: what it writes is where recorded events stand.
   * `work` may run again after a conflict, a duplicate key or a lost connection, and must then look at what is committed.
   */
  sequence<T>(work: (commit: SequencerCommit) => Promise<T>): Promise<T> {
    return this.transaction('interactive', { idempotent: true }, (transaction) => {
      const run = async (statements: readonly { readonly sql: string; readonly values: unknown[] }[]): Promise<void> => {
        for (const { sql: text, values } of statements) await execute(transaction, text, values);
      };
      return work({
        read: (selection, rest) => readRows(transaction, selection, rest),
        insert: (into, rows) => run(insertions(into, rows)),
        add: (into, rows, how) => run(additions(this.engine, into, rows, how)),
        remove: (from, condition) => run([deleting(from, condition)]),
        bookkeep: (of, changes, condition) => new Bookkeeper(transaction, of).update(changes, condition),
      });
    });
  }

  /** Resolves when the database can be read and, on a server, written to. Throws `DatabaseUnavailable`. */
  async ping(): Promise<void> {
    const until = performance.now() + pingDeadline;
    try {
      await this.reader.query('SELECT 1', [], pingDeadline);
      if (this.engine !== 'mariadb') return;
      await this.onConnection(until, async ({ connection }) => {
        // A server that was made read-only, or that isn't part of its cluster, refuses this as it would refuse the write itself.
        await ask(connection, 'START TRANSACTION READ WRITE');
        await ask(connection, 'ROLLBACK');
      });
      this.isSilent = false;
    } catch (error) {
      throw this.heard(error);
    }
  }

  /** What vouches for the events of this installation; null where its key isn't there. */
  get vouchers(): EventVouchers | null {
    return this.vouching;
  }

  /** From now on events are stored with their vouchers. Whoever opens the installation's keys says so. */
  vouchBy(vouchers: EventVouchers): void {
    this.vouching = vouchers;
  }

  /** From now on this is asked in the transaction of every change that somebody signed in makes, before its work. */
  gateBy(gate: ChangeGate): void {
    this.gate = gate;
  }

  /** Names of the tables that the entities are stored in, sorted. */
  tables(): readonly string[] {
    return this.writer.entityMetadatas.map(({ tableName }) => tableName).sort();
  }

  /** The statements that would bring the stored schema to what the entities say: none, or a migration is missing. */
  async schemaDrift(): Promise<readonly string[]> {
    const log = await this.writer.driver.createSchemaBuilder().log();
    return log.upQueries.map((each) => each.query);
  }

  /** Waits for the writes under way, then lets go of the database. A server that doesn't answer isn't waited for. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writes.idle();
    const leaving = this.reader.close().then(() => this.writer.destroy());
    try {
      await within(this.patienceFor('change'), leaving);
    } catch (error) {
      if (outageOf(error) === null) throw error;
    } finally {
      // The driver may count as ended what was never greeted.
      this.parts.connections.sever();
    }
    this.parts.release();
  }

  private instant(): { readonly at: Date; readonly transactionId: string } {
    const at = this.clock();
    return { at, transactionId: `atx_${this.transactionIds(at.getTime())}` };
  }

  private readUntil(): number {
    return performance.now() + this.patienceFor('read');
  }

  private async answer<R extends Row>(text: string, parameters: readonly unknown[], until = this.readUntil()): Promise<R[]> {
    this.parts.onStatement?.(text);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const rows = await this.reader.query<R>(text, parameters, until - performance.now());
        this.isSilent = false;
        return rows;
      } catch (error) {
        const again = this.engine === 'mariadb' && !this.closed && (isLostConnection(error) || isNotReady(error));
        await this.pauseOrThrow(again, attempt, until, error);
      }
    }
  }

  /** How many milliseconds what begins now may take. */
  private patienceFor(what: keyof DatabaseDeadlines): number {
    const usual = this.parts.deadlines[what];
    return this.isSilent ? Math.min(usual, patienceInSilence) : usual;
  }

  /** What a fault is for callers. */
  private heard(error: unknown): unknown {
    const told = unavailableOr(error);
    if (told instanceof DatabaseUnavailable && told.fault === 'NO_ANSWER') this.isSilent = true;
    return told;
  }

  /** Waits before another try, or throws where there is none or no time for one. */
  private async pauseOrThrow(again: boolean, attempt: number, until: number, error: unknown): Promise<void> {
    const milliseconds = pauseBefore(attempt + 1);
    if (!again || attempt >= attempts || performance.now() + milliseconds >= until) throw this.heard(error);
    await pause(milliseconds);
  }

  private transaction<T>(lane: Lane, options: ChangeOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const run = () => this.attempt(options, work);
    return this.engine === 'mariadb' ? run() : this.inLane(lane, run);
  }

  /** A person waits for as long as a change may take on a server; what was waited for in vain was not begun. */
  private async inLane<T>(lane: Lane, run: () => Promise<T>): Promise<T> {
    const { change } = this.parts.deadlines;
    try {
      return await this.writes.run(lane, run, lane === 'interactive' && Number.isFinite(change) ? change : undefined);
    } catch (error) {
      throw error instanceof WaitedTooLong ? new DatabaseUnavailable('QUEUE_FULL', error) : error;
    }
  }

  private async attempt<T>(options: ChangeOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const until = performance.now() + this.patienceFor('change');
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await (this.engine === 'mariadb' ? this.onServer(until, work) : this.inFile(work));
        this.isSilent = false;
        return result;
      } catch (error) {
        // A duplicate is a twin that committed first: run again, the work will find its row.
        const again =
          isConflict(error) ||
          isDuplicate(error) ||
          isNotReady(error) ||
          // Another server may have taken over behind the address, which a new connection leads to.
          (isReadOnly(error) && attempt === 1) ||
          (options.idempotent === true && isLostConnection(error));
        await this.pauseOrThrow(again, attempt, until, error);
      }
    }
  }

  private inFile<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.writer.transaction((manager) => work({ manager, engine: this.engine, connection: null }));
  }

  private onServer<T>(until: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.onConnection(until, async ({ runner, connection }) => {
      await ask(connection, 'START TRANSACTION');
      noteTransaction(runner, true);
      const result = await work({ manager: runner.manager, engine: this.engine, connection });
      await ask(connection, 'COMMIT');
      noteTransaction(runner, false);
      return result;
    });
  }

  /**
   * Runs something on a connection of its own. At `until` it is given up and the connection ended, by which the server rolls
   * back what wasn't committed; so is a connection of which nothing more may be expected.
   */
  private onConnection<T>(until: number, work: (on: OnServer) => Promise<T>): Promise<T> {
    const runner = this.writer.createQueryRunner();
    let connection: PoolConnection | undefined;
    let isLate = false;
    const run = async (): Promise<T> => {
      try {
        connection = (await runner.connect()) as PoolConnection;
        if (isLate) throw noAnswer();
        const result = await work({ runner, connection });
        this.parts.connections.accepted(connection);
        return result;
      } catch (error) {
        if (isReadOnly(error)) this.parts.connections.refused();
        if (spoilsConnection(error)) connection?.destroy();
        // A connection that can't even roll back would take its half-done transaction to whoever gets it next.
        else if (connection && runner.isTransactionActive) await ask(connection, 'ROLLBACK').catch(() => connection?.destroy());
        throw error;
      } finally {
        if (connection) this.parts.connections.endIfLeft(connection);
        await runner.release();
      }
    };
    return within(until - performance.now(), run(), () => {
      isLate = true;
      sever(connection);
    });
  }
}

/** The one place where a fault of a driver becomes what callers may be told of it. */
const unavailableOr = (error: unknown): unknown => {
  if (error instanceof DatabaseUnavailable) return error;
  const fault = outageOf(error);
  return fault === null ? nameSchemaFault(error) : new DatabaseUnavailable(fault, error);
};
