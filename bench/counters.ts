import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';

/** What a MariaDB has sent to, received from and executed for one of its users since it started. */
export interface Counters {
  /** Bytes that it sent: what the user read. */
  readonly bytesRead: number;
  /** Bytes that it received: what the user wrote. */
  readonly bytesWritten: number;
  /** Statements that the user sent as text, or had executed that were prepared. */
  readonly statements: number;
}

/** The same of one request. */
export type PerRequest = Counters;

const names = ['bytesRead', 'bytesWritten', 'statements'] as const;
const each = (make: (name: keyof Counters) => number): Counters =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as unknown as Counters;

export const minus = (more: Counters, less: Counters): Counters => each((name) => more[name] - less[name]);
const scaled = (counters: Counters, factor: number): Counters => each((name) => counters[name] * factor);

/** A row of USER_STATISTICS as counters; what only prepares or closes a statement isn't among its commands. Throws where a number is missing. */
export const countersOf = (row: Readonly<Record<string, unknown>> | undefined): Counters => {
  const of = (name: string): number => {
    const value = Number(row?.[name] ?? Number.NaN);
    if (Number.isNaN(value)) throw new Error(`MariaDB's statistics of a user have no ${name}`);
    return value;
  };
  return {
    bytesRead: of('BYTES_SENT'),
    bytesWritten: of('BYTES_RECEIVED'),
    statements: of('SELECT_COMMANDS') + of('UPDATE_COMMANDS') + of('OTHER_COMMANDS'),
  };
};

/** What is counted a second while nobody asks anything: a server's own polling. */
export const perSecond = (counted: Counters, seconds: number): Counters => scaled(counted, 1 / seconds);

/** The least of each counter. */
export const least = (counted: readonly Counters[]): Counters => each((name) => Math.min(...counted.map((one) => one[name])));

/** What one of `requests` accounts for, of all that was counted in `seconds`. `idle` is what runs by itself, a second. */
export const perRequest = (
  counted: Counters,
  idle: Counters,
  { requests, seconds }: { readonly requests: number; readonly seconds: number },
): PerRequest => scaled(minus(counted, scaled(idle, seconds)), 1 / requests);

/** The most that the contender `raw` may take, or it isn't the limit. Bytes read from MariaDB, and statements, a request. */
export const mostOfRaw = {
  context: { bytesRead: 10_400, statements: 5 },
  queue: { bytesRead: 75_000, statements: 5 },
} as const;

/** What `raw` took too much of; null where it kept to its limits. A tenth of a statement is left to requests that are under way at either end. */
export const excessOfRaw = (
  query: keyof typeof mostOfRaw,
  { bytesRead, statements }: Omit<PerRequest, 'bytesWritten'>,
): string | null => {
  const most = mostOfRaw[query];
  if (!(bytesRead <= most.bytesRead))
    return `${query}: raw reads ${Math.round(bytesRead)} bytes a request, more than ${most.bytesRead}`;
  if (!(statements < most.statements + 0.1))
    return `${query}: raw takes ${statements.toFixed(2)} statements a request, more than ${most.statements}`;
  return null;
};

const idleWindows = 3;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Reads the counters of users over a connection of its own, which is another user's. */
export class CounterReader {
  private constructor(private readonly connection: Connection) {}

  static async open(serverUrl: string): Promise<CounterReader> {
    return new CounterReader(await createConnection(serverUrl));
  }

  async read(user: string): Promise<Counters> {
    const [rows] = await this.connection.query<RowDataPacket[]>(
      'SELECT * FROM information_schema.user_statistics WHERE user = ?',
      [user],
    );
    return countersOf(rows[0]);
  }

  /**
   * What is counted for these users, a second, while nobody asks their servers anything: the least of some windows of so many
   * seconds, because what a server still works off after its last answers isn't what it always does.
   */
  async idle<User extends string>(users: readonly User[], seconds: number): Promise<ReadonlyMap<User, Counters>> {
    const readAll = () => Promise.all(users.map((user) => this.read(user)));
    const windows: Counters[][] = [];
    let before = await readAll();
    for (let window = 0; window < idleWindows; window += 1) {
      const began = performance.now();
      await pause(seconds * 1_000);
      const after = await readAll();
      const elapsed = (performance.now() - began) / 1_000;
      windows.push(users.map((_, index) => perSecond(minus(after[index]!, before[index]!), elapsed)));
      before = after;
    }
    return new Map(users.map((user, index) => [user, least(windows.map((window) => window[index]!))]));
  }

  async close(): Promise<void> {
    await this.connection.end();
  }
}
