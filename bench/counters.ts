import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';

/** What a MariaDB has sent, received and executed since it started. */
export interface Counters {
  /** Bytes that it sent: what its clients read. */
  readonly bytesRead: number;
  /** Bytes that it received: what its clients wrote. */
  readonly bytesWritten: number;
  /** Statements that clients sent as text, or had executed that were prepared. */
  readonly statements: number;
}

/** The same of one request. */
export type PerRequest = Counters;

const names = ['bytesRead', 'bytesWritten', 'statements'] as const;
const each = (make: (name: keyof Counters) => number): Counters =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as unknown as Counters;

export const minus = (more: Counters, less: Counters): Counters => each((name) => more[name] - less[name]);
const scaled = (counters: Counters, factor: number): Counters => each((name) => counters[name] * factor);

/** Rows of SHOW GLOBAL STATUS as counters. `Questions` leaves out what only prepares or closes a statement. Throws where one is missing. */
export const countersOf = (status: ReadonlyMap<string, number>): Counters => {
  const of = (name: string): number => {
    const value = status.get(name);
    if (value === undefined || Number.isNaN(value)) throw new Error(`MariaDB's status has no ${name}`);
    return value;
  };
  return { bytesRead: of('Bytes_sent'), bytesWritten: of('Bytes_received'), statements: of('Questions') };
};

/** What a server does by itself, a second, and what it costs to ask for the counters once. */
export interface Idle {
  readonly perSecond: Counters;
  readonly ofAsking: Counters;
}

/** Counters that were read `seconds` apart with nothing in between but what runs by itself. */
export const idleOf = (counted: Counters, ofAsking: Counters, seconds: number): Idle => ({
  ofAsking,
  perSecond: scaled(minus(counted, ofAsking), 1 / seconds),
});

/** What one of `requests` accounts for, of all that was counted in `seconds`. */
export const perRequest = (
  counted: Counters,
  { perSecond, ofAsking }: Idle,
  { requests, seconds }: { readonly requests: number; readonly seconds: number },
): PerRequest => scaled(minus(minus(counted, ofAsking), scaled(perSecond, seconds)), 1 / requests);

/** The most that the contender `raw` may take, or it isn't the limit. Bytes read from MariaDB, and statements, a request. */
export const mostOfRaw = {
  context: { bytesRead: 10_400, statements: 5 },
  queue: { bytesRead: 75_000, statements: 5 },
} as const;

/** What `raw` took too much of; null where it kept to its limits. A tenth of a statement is left to what runs by itself. */
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

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Reads the counters over a connection of its own. */
export class CounterReader {
  private constructor(private readonly connection: Connection) {}

  static async open(serverUrl: string): Promise<CounterReader> {
    return new CounterReader(await createConnection(serverUrl));
  }

  async read(): Promise<Counters> {
    const [rows] = await this.connection.query<RowDataPacket[]>(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('Bytes_sent','Bytes_received','Questions')",
    );
    return countersOf(new Map(rows.map((row) => [String(row.Variable_name), Number(row.Value)])));
  }

  /** Counts for some seconds in which nobody asks a contender anything. */
  async idle(seconds: number): Promise<Idle> {
    const first = await this.read();
    const second = await this.read();
    const began = performance.now();
    await pause(seconds * 1_000);
    const third = await this.read();
    return idleOf(minus(third, second), minus(second, first), (performance.now() - began) / 1_000);
  }

  async close(): Promise<void> {
    await this.connection.end();
  }
}
