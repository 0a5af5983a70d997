import { ProgrammingError } from '../failure';
import type { EngineKind } from './engine';
import { dealFirst, type FirstRows, mostOfFirst, selectFirst } from './first-rows';
import { mostOfEach, readOfEach } from './of-each';
import type { Reached } from './reached';
import { padded, type Sql, sql } from './sql';
import type { Row } from './statements';
import type { Column, Selection } from './table';
import { selectLists } from './union-of-lists';

/** Ids that one statement asks for at most: more than any page has. Whoever asks for more does so by themselves. */
const mostIds = 200;
/** Rows that one statement of several requests answers at most, as far as that is known before. */
const mostRows = 1_000;

/** Rows that each owner of lists without a length is counted for. */
const usualRows = 10;

/** How a statement is sent for others. */
interface Sender {
  readonly engine: EngineKind;
  /** When what begins now has to have its answer, in milliseconds of the monotonic clock. */
  readonly until: () => number;
  /** Rows as the driver has them. */
  readonly rows: (statement: Sql, until: number) => Promise<Row[]>;
}

/** What is read for ids, whoever asks: nothing in its statement but these depends on a request. */
interface Kind<R extends object> {
  /** Rows of one id at most. */
  readonly rowsOfId: number;
  readonly selection: Selection<R>;
  readonly statement: (ids: readonly string[]) => Sql;
  /** The rows of each id, in the order of the ids; null where some may be missing. */
  readonly dealt: (ids: readonly string[], rows: Row[]) => Row[][] | null;
  /** The same for one request by itself. */
  readonly alone: (ids: readonly string[], until: number) => Promise<R[][]>;
}

/** What one request asks for. */
interface Ask<R> {
  readonly ids: readonly string[];
  readonly until: number;
  readonly resolve: (lists: R[][]) => void;
  readonly reject: (error: unknown) => void;
}

/** A row for somebody else: nothing that one of them could alter is the other's. */
const copied = (row: Row): Row => {
  const copy: Row = {};
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value))
      throw new ProgrammingError(`${name}: the driver answered an object, which two requests would share.`);
    copy[name] = Buffer.isBuffer(value) ? Buffer.from(value) : value;
  }
  return copy;
};

/** The requests that ask for one kind of rows in one turn of the event loop. */
class Batch<R extends object> {
  private readonly asks: Ask<R>[] = [];

  constructor(
    private readonly kind: Kind<R>,
    private readonly sender: Sender,
    private readonly onRepeated: () => void,
  ) {}

  ask(ids: readonly string[]): Promise<R[][]> {
    return new Promise((resolve, reject) => {
      this.asks.push({ ids, until: this.sender.until(), resolve, reject });
    });
  }

  send(): void {
    let part: Ask<R>[] = [];
    let size = 0;
    const most = Math.min(mostIds, mostRows / this.kind.rowsOfId);
    for (const ask of this.asks) {
      if (part.length > 0 && size + ask.ids.length > most) {
        void this.answer(part);
        [part, size] = [[], 0];
      }
      part.push(ask);
      size += ask.ids.length;
    }
    void this.answer(part);
  }

  private async answer(part: readonly Ask<R>[]): Promise<void> {
    const [first] = part;
    if (part.length === 1 && first) return this.answerAlone(first);
    let lists: Row[][][] | null = null;
    try {
      lists = await this.together(part);
    } catch {
      // By whose doing it failed nobody knows: each is told by a statement of their own.
    }
    if (lists !== null) {
      for (const [index, ask] of part.entries()) this.give(ask, lists[index] as Row[][]);
      return;
    }
    this.onRepeated();
    for (const ask of part) void this.answerAlone(ask);
  }

  /** Each request's rows, as the driver has them and no two have the same. Null where some may be missing. */
  private async together(part: readonly Ask<R>[]): Promise<Row[][][] | null> {
    const places = new Map<string, number>();
    for (const { ids } of part) for (const id of ids) if (!places.has(id)) places.set(id, places.size);
    const ids = [...places.keys()];
    const until = Math.min(...part.map((ask) => ask.until));
    const dealt = this.kind.dealt(ids, await this.sender.rows(this.kind.statement(ids), until));
    if (dealt === null) return null;
    const given = new Set<number>();
    return part.map((ask) =>
      ask.ids.map((id) => {
        const place = places.get(id) as number;
        const rows = dealt[place] as Row[];
        if (given.has(place)) return rows.map(copied);
        given.add(place);
        return rows;
      }),
    );
  }

  private give({ resolve, reject }: Ask<R>, lists: Row[][]): void {
    try {
      resolve(lists.map((rows) => this.kind.selection.hydrate(rows)));
    } catch (error) {
      reject(error);
    }
  }

  private answerAlone({ ids, until, resolve, reject }: Ask<R>): Promise<void> {
    return this.kind.alone(ids, until).then(resolve, reject);
  }
}

/** Rows by the id that each of them tells in its own column. Throws `ProgrammingError` for a row that nobody asked for. */
const dealtBy = (name: string, ids: readonly string[], rows: readonly Row[]): Row[][] => {
  const lists = new Map<string, Row[]>(ids.map((id) => [id, []]));
  for (const row of rows) {
    const list = lists.get(row[name] as string);
    if (!list)
      throw new ProgrammingError(`A statement for several requests answered a row by a ${name} that none of them asked for.`);
    list.push(row);
  }
  return [...lists.values()];
};

/** The name of a row's column that tells by which id it was found. */
type IdOf<R> = { [P in keyof R]: R[P] extends string ? P : never }[keyof R] & string;

/** Lists of which each is of one owner, whom its rows name. Made once, where a module loads: the same object is the same statement. */
export interface SharedLists<R> {
  readonly owner: IdOf<R>;
  /** What follows the condition on the owner: further conditions and the order. */
  readonly rest: Sql;
  /** Rows of one owner at most. */
  readonly most: number;
}

/** The first rows of owners. Read together with others where it was made once, where a module loads: the same object is the same statement. */
export interface SharedBeginnings<E> extends FirstRows<E> {
  /** What follows FROM in a statement for one of them. */
  readonly alone: (owner: string, limit: number) => Sql;
}

/**
 * Reads that requests of different actors make together. Only what is found by ids that a request has reached is: no statement here has a place for a
 * condition of a request, so that what decides about a scope can't be one of them. Each request gets rows of its own, as they are stored, and of its own
 * ids alone; what is opened, masked or made of them never comes back here.
 *
 * A request is part of a statement that is sent after it asked, never of one that is under way: it sees what it would see by one of its own. A statement for
 * several that fails, or may lack rows, is repeated for each.
 */
export class SharedReads {
  /** In this turn of the event loop: by selection, kind and length of the lists. */
  private asked = new Map<object, Map<unknown, Map<number, { send(): void }>>>();

  /** Statements for several requests that were repeated for each: many of them are a fault of ours, or somebody's who spoils them. */
  repeated = 0;

  constructor(private readonly sender: Sender) {}

  /** The rows that have these ids in a column in which no two rows have the same, in no order. */
  async ofIds<R extends object>(selection: Selection<R>, name: IdOf<R>, ids: readonly Reached[]): Promise<R[]> {
    const column = selection.columns[name] as Column<string>;
    const statement = (some: readonly string[]) => this.selected(selection, sql`WHERE ${column} IN (${padded(some)})`);
    const lists = await this.ask<R>([selection, name, 1], ids, () => ({
      ...{ selection, rowsOfId: 1, statement },
      dealt: (some, rows) => dealtBy(name, some, rows),
      alone: async (some, until) => [selection.hydrate(await this.sender.rows(statement(some), until))],
    }));
    return lists.length === 1 ? (lists[0] as R[]) : lists.flat();
  }

  /** The first rows of each owner, in the order of the owners. */
  ofEach<R extends object>(selection: Selection<R>, lists: SharedLists<R>, owners: readonly Reached[]): Promise<R[][]> {
    const { owner, rest, most } = lists;
    const column = selection.columns[owner] as Column<string>;
    return this.ask<R>([selection, lists, most], owners, () => ({
      ...{ selection, rowsOfId: Math.min(most, usualRows) },
      statement: (some) =>
        this.selected(selection, sql`WHERE ${column} IN (${padded(some)}) ${rest} LIMIT ${mostOfEach(some.length, most)}`),
      dealt: (some, rows) =>
        rows.length >= mostOfEach(some.length, most) ? null : dealtBy(owner, some, rows).map((list) => list.slice(0, most)),
      alone: (some, until) => {
        const read = async <Any extends object>(from: Selection<Any>, condition: Sql): Promise<Any[]> =>
          from.hydrate(await this.sender.rows(this.selected(from, condition), until));
        return readOfEach({ read }, selection, { owners: some, column, ownerOf: (row) => row[owner] as string, rest, most });
      },
    }));
  }

  /** The first rows of each of these owners, an owner's in no order, and where several stand last together, more of them than `limit`. */
  firstOfEach<E, R extends object>(
    selection: Selection<R>,
    first: SharedBeginnings<E>,
    owners: readonly Reached[],
    limit: number,
  ): Promise<R[][]> {
    const { engine, rows: send } = this.sender;
    const statement = (some: readonly string[]) => selectFirst(engine, selection, first, some, limit);
    const dealt = (some: readonly string[], rows: Row[]) =>
      rows.length >= mostOfFirst(some.length, limit) ? null : dealFirst(some.length, rows);
    const alone = async (some: readonly string[], until: number): Promise<R[][]> => {
      const together = some.length === 1 ? null : dealt(some, await send(statement(some), until));
      if (together) return together.map((rows) => selection.hydrate(rows));
      const rests = some.map((owner) => first.alone(owner, limit));
      const rows = selection.hydrate(await send(selectLists(engine, selection, rests), until));
      return some.length === 1 ? [rows] : dealFirst(some.length, rows);
    };
    return this.ask<R>([selection, first, limit], owners, () => ({ selection, rowsOfId: limit, statement, dealt, alone }));
  }

  private selected(selection: Selection<object>, rest: Sql): Sql {
    return selectLists(this.sender.engine, selection, [rest]);
  }

  /** Together with those who ask for the same: of the same selection and kind, with the same length of their lists. */
  private ask<R extends object>(
    [selection, of, length]: readonly [selection: Selection<R>, of: unknown, length: number],
    ids: readonly Reached[],
    kind: () => Kind<R>,
  ): Promise<R[][]> {
    if (ids.length > mostIds) return kind().alone(ids, this.sender.until());
    if (this.asked.size === 0) setImmediate(this.send);
    const ofSelection = entry(this.asked, selection, () => new Map());
    const ofKind = entry(ofSelection, of, () => new Map());
    return (
      entry(
        ofKind,
        length,
        () =>
          new Batch(kind(), this.sender, () => {
            this.repeated += 1;
          }),
      ) as Batch<R>
    ).ask(ids);
  }

  /** Once everybody was heard whom this turn of the event loop brings. Nobody joins what was sent: its rows may be older than their request. */
  private readonly send = (): void => {
    const { asked } = this;
    this.asked = new Map();
    for (const ofSelection of asked.values())
      for (const ofKind of ofSelection.values()) for (const batch of ofKind.values()) batch.send();
  };
}

const entry = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};
