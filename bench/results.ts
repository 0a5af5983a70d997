import type { PerRequest } from './counters';
import { type Measured, median } from './load';
import { type QueryName, queryNames } from './queries';

/** One measurement of a contender: rates, and what a request took. */
export interface Outcome extends Measured {
  /** Processor time of the server and of MariaDB, milliseconds a request: steadier than rates where others use the machine. NaN where nobody knows. */
  readonly serverTime: number;
  readonly databaseTime: number;
  /** At MariaDB; null of an embedded database. */
  readonly counted: PerRequest | null;
}

export const ours = 'counterfoil';

/** Measurements of each contender, one a round. */
export type Outcomes<Name extends string> = Readonly<Record<QueryName, Readonly<Record<Name, readonly Outcome[]>>>>;

export const middle = (outcomes: readonly Outcome[], pick: (outcome: Outcome) => number): number => median(outcomes.map(pick));

/** Our requests a second over a contender's: of the medians, and the least and the most of the rounds. */
export const ratioOf = (our: readonly Outcome[], their: readonly Outcome[]) => {
  const byRound = our.map(({ perSecond }, round) => perSecond / (their[round]?.perSecond ?? Number.NaN));
  const rate = ({ perSecond }: Outcome) => perSecond;
  return { ratio: middle(our, rate) / middle(their, rate), least: Math.min(...byRound), most: Math.max(...byRound) };
};

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** The last line: our requests a second over each other contender's, and the 99th percentile of each, milliseconds. */
export const lastLine = <Name extends string>(outcomes: Outcomes<Name>, names: readonly Name[]): string => {
  const of = (make: (query: QueryName, name: Name) => number, shown: readonly Name[]) =>
    Object.fromEntries(queryNames.map((query) => [query, Object.fromEntries(shown.map((name) => [name, make(query, name)]))]));
  const others = names.filter((name) => name !== ours);
  const ratio = (query: QueryName, name: Name) => rounded(ratioOf(outcomes[query][ours as Name], outcomes[query][name]).ratio, 3);
  return JSON.stringify({
    ratios: of(ratio, others),
    p99: of(
      (query, name) =>
        rounded(
          middle(outcomes[query][name], ({ p99 }) => p99),
          1,
        ),
      names,
    ),
  });
};

const headings = [
  ['query', 9],
  ['server', 15],
  ['requests/s', 11],
  ['min–max', 12],
  ['p50 ms', 8],
  ['p99 ms', 8],
  ['server ms', 10],
  ['db ms', 7],
  ['read kB', 9],
  ['written kB', 11],
  ['statements', 11],
  ['ratio', 7],
  ['min–max', 11],
  ['by processor', 14],
] as const;
const leftColumns = 2;

const line = (cells: readonly string[]): string =>
  headings
    .map(([, width], column) => {
      const cell = cells[column] ?? '';
      return column < leftColumns ? cell.padEnd(width) : cell.padStart(width);
    })
    .join('')
    .trimEnd();

/** A row's processor time a request, server and MariaDB together, over ours: what the ratio would be if that were all that counts. */
export const ratioByProcessor = (our: readonly Outcome[], their: readonly Outcome[]): number => {
  // Of a file, the server's process does the database's work too.
  const used = ({ serverTime, databaseTime }: Outcome) => serverTime + (Number.isNaN(databaseTime) ? 0 : databaseTime);
  return middle(their, used) / middle(our, used);
};

/** The results as a table for people. `ratio` is our requests a second over the row's. */
export const tableOf = <Name extends string>(outcomes: Outcomes<Name>, names: readonly Name[]): string => {
  const rows = queryNames.flatMap((query) =>
    names.map((name) => {
      const measured = outcomes[query][name];
      const of = (pick: (outcome: Outcome) => number, digits = 2) => {
        const value = middle(measured, pick);
        return Number.isNaN(value) ? '–' : value.toFixed(digits);
      };
      const counted = (pick: (counted: PerRequest) => number, digits: number) =>
        measured.every((each) => each.counted !== null) ? of((each) => pick(each.counted as PerRequest), digits) : '–';
      const rates = measured.map(({ perSecond }) => perSecond);
      const { ratio, least, most } = ratioOf(outcomes[query][ours as Name], measured);
      return line([
        query,
        name,
        of(({ perSecond }) => perSecond, 0),
        `${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`,
        of(({ p50 }) => p50),
        of(({ p99 }) => p99),
        of(({ serverTime }) => serverTime),
        of(({ databaseTime }) => databaseTime),
        counted(({ bytesRead }) => bytesRead / 1_000, 1),
        counted(({ bytesWritten }) => bytesWritten / 1_000, 1),
        counted(({ statements }) => statements, 2),
        ...(name === ours
          ? ['1']
          : [
              ratio.toFixed(2),
              `${least.toFixed(2)}–${most.toFixed(2)}`,
              ratioByProcessor(outcomes[query][ours as Name], measured).toFixed(2),
            ]),
      ]);
    }),
  );
  return [line(headings.map(([heading]) => heading)), ...rows].join('\n');
};
