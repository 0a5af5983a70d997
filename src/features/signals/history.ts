import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database';
import { raw, type Sql, sql } from '../../db/sql';
import { type Selection, select } from '../../db/table';
import { chunks } from '../../lanes';
import { type DaySummary, dayOf, type History, mostInWindow, type Window } from '../../risk/history';
import { type Signal, signalName } from '../../risk/signal';
import { dayOfRow, summed } from './days';
import { riskSignalDays } from './signal.entity';
import { f, placedSignals, s, signalOf, subjectColumn } from './signals.rows';

/** Windows of one statement: engines bound its parts and its values. */
const windowsAtOnce = 100;
/** For how long, in milliseconds, the names that a customer goes by are remembered. */
const namesMemory = 5_000;

const d = riskSignalDays.as('d');
const dayRows = select(
  d.pick('subject', 'value', 'type', 'day', 'country', 'device', 'currency', 'count', 'mostMinorUnits', 'customerSince'),
  sql`FROM ${d}`,
);

/**
 * Every name by which signals call one customer, itself among them: the customer of a helpdesk, those that they are linked with at payment
 * sources, and the digest of each name from before they were known here.
 */
export type NamesOfCustomer = (customer: string) => Promise<readonly string[]>;

/** What is stored of the past, as rules may ask for it. */
export class SignalHistory {
  private readonly names = new LRUCache<string, readonly string[]>({ max: 10_000, ttl: namesMemory });

  constructor(
    private readonly database: Pick<Database, 'readLists'>,
    private readonly namesOf: NamesOfCustomer,
  ) {}

  /**
   * The past of whatever has this position in the feed: it, and all that was received before it. Days reach to the end of the feed, so
   * they are exact for days that are over. A customer is found by every name that they have, and called as they are asked for.
   */
  at(position: number): History {
    return {
      signals: (windows) => this.signals(windows, position),
      days: (windows) => this.days(windows),
    };
  }

  private async signals(windows: readonly Window[], position: number): Promise<readonly (readonly Signal[])[]> {
    if (windows.length === 0) return [];
    const rests = await Promise.all(
      windows.map(async (window) => {
        const { types, from, to } = window;
        return sql`WHERE ${await this.isAbout(window, s[subjectColumn(window.subject)])} AND ${s.type} IN (${types})
          AND ${s.occurredAt} >= ${from} AND ${s.occurredAt} <= ${to} AND ${f.position} <= ${position}
          ORDER BY ${s.occurredAt} DESC LIMIT ${raw(String(mostInWindow(window)))}`;
      }),
    );
    const lists = await this.lists(placedSignals, rests);
    return lists.map((rows, index) => {
      const { subject, value } = windows[index] as Window;
      return rows
        .map(signalOf)
        .map((signal) => (subject === 'customer' ? { ...signal, subjects: { ...signal.subjects, customer: value } } : signal))
        .sort(byTime);
    });
  }

  private async days(windows: readonly Window[]): Promise<readonly (readonly DaySummary[])[]> {
    if (windows.length === 0) return [];
    const rests = await Promise.all(
      windows.map(async (window) => {
        const { subject, types, from, to } = window;
        return sql`WHERE ${d.subject} = ${subject} AND ${await this.isAbout(window, d.value)} AND ${d.type} IN (${types})
          AND ${d.day} >= ${dayOf(from)} AND ${d.day} <= ${dayOf(to)}`;
      }),
    );
    const lists = await this.lists(dayRows, rests);
    return lists.map((rows, index) => {
      const { value } = windows[index] as Window;
      return summed(rows.map((row) => ({ ...dayOfRow(row), value })));
    });
  }

  private async lists<Row extends object>(of: Selection<Row>, rests: readonly Sql[]): Promise<Row[][]> {
    const lists: Row[][] = [];
    for (const some of chunks(rests, windowsAtOnce)) lists.push(...(await this.database.readLists(of, some)));
    return lists;
  }

  private async isAbout({ subject, value }: Window, column: Sql): Promise<Sql> {
    if (subject !== 'customer') return sql`${column} = ${value}`;
    const known = this.names.get(value) ?? (await this.namesOf(value));
    this.names.set(value, known);
    return sql`${column} IN (${known})`;
  }
}

const byTime = (a: Signal, b: Signal): number => {
  const difference = a.occurredAt.getTime() - b.occurredAt.getTime();
  if (difference !== 0) return difference;
  return signalName(a) < signalName(b) ? -1 : 1;
};
