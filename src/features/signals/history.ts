import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database';
import { raw, type Sql, sql } from '../../db/sql';
import { type Selection, select } from '../../db/table';
import { type DaySummary, dayOf, type History, mostInWindow, type Window } from '../../risk/history';
import { type Signal, signalName } from '../../risk/signal';
import { dayOfRow, summed } from './days';
import { riskSignalDays } from './signal.entity';
import { f, placedSignals, s, signalOf, subjectColumn } from './signals.rows';

/** Windows of one statement at most, a power of two: engines bound its parts and its values. */
const windowsAtOnce = 64;
/** Windows that are one statement, whatever they are of: of one signal the same are asked for each time. */
const few = 8;
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

interface Asked<Row> {
  /** What follows the selection's FROM. */
  readonly rest: Sql;
  readonly settle: (rows: Row[]) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Lists of one selection. Those that are asked for at the same time are read together, by statements of which few differ: a server prepares each
 * text once, and a statement costs more than the few rows of most windows.
 */
class ListsTogether<Row extends object> {
  private asked: Asked<Row>[] = [];

  constructor(
    private readonly database: Pick<Database, 'readLists'>,
    private readonly of: Selection<Row>,
  ) {}

  read(rest: Sql): Promise<Row[]> {
    return new Promise((settle, fail) => {
      if (this.asked.length === 0) setImmediate(() => void this.readAll());
      this.asked.push({ rest, settle, fail });
    });
  }

  private async readAll(): Promise<void> {
    if (this.asked.length <= few) return this.readSome(this.asked.splice(0));
    const byText = new Map<string, Asked<Row>[]>();
    for (const each of this.asked) {
      const alike = byText.get(each.rest.sql);
      if (alike) alike.push(each);
      else byText.set(each.rest.sql, [each]);
    }
    this.asked = [];
    for (const alike of byText.values())
      for (let at = 0; at < alike.length; ) {
        const size = Math.min(windowsAtOnce, 2 ** Math.floor(Math.log2(alike.length - at)));
        await this.readSome(alike.slice(at, at + size));
        at += size;
      }
  }

  private async readSome(some: readonly Asked<Row>[]): Promise<void> {
    try {
      const lists = await this.database.readLists(
        this.of,
        some.map(({ rest }) => rest),
      );
      for (const [index, { settle }] of some.entries()) settle(lists[index] as Row[]);
    } catch (error) {
      for (const { fail } of some) fail(error);
    }
  }
}

/** What is stored of the past, as rules may ask for it. */
export class SignalHistory {
  private readonly names = new LRUCache<string, readonly string[]>({ max: 10_000, ttl: namesMemory });
  private readonly signalLists = new ListsTogether(this.database, placedSignals);
  private readonly dayLists = new ListsTogether(this.database, dayRows);

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
    return Promise.all(
      windows.map(async (window) => {
        const { subject, value, types, from, to } = window;
        const rows =
          await this.signalLists.read(sql`WHERE ${await this.isAbout(window, s[subjectColumn(window.subject)])} AND ${s.type} IN (${types})
          AND ${s.occurredAt} >= ${from} AND ${s.occurredAt} <= ${to} AND ${f.position} <= ${position}
          ORDER BY ${s.occurredAt} DESC LIMIT ${raw(String(mostInWindow(window)))}`);
        return rows
          .map(signalOf)
          .map((signal) => (subject === 'customer' ? { ...signal, subjects: { ...signal.subjects, customer: value } } : signal))
          .sort(byTime);
      }),
    );
  }

  private async days(windows: readonly Window[]): Promise<readonly (readonly DaySummary[])[]> {
    return Promise.all(
      windows.map(async (window) => {
        const { subject, value, types, from, to } = window;
        const rows =
          await this.dayLists.read(sql`WHERE ${d.subject} = ${subject} AND ${await this.isAbout(window, d.value)} AND ${d.type} IN (${types})
          AND ${d.day} >= ${dayOf(from)} AND ${d.day} <= ${dayOf(to)}`);
        return summed(rows.map((row) => ({ ...dayOfRow(row), value })));
      }),
    );
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
