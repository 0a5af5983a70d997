import type { ValueTransformer } from 'typeorm';
import { getMetadataArgsStorage } from 'typeorm/globals';
import { ProgrammingError } from '../failure';
import type { SealedPlace } from '../privacy/sealing';
import { integer, milliseconds } from './columns';
import type { EngineKind } from './engine';
import { joined, raw, type Spelled, Sql, spelling, sql } from './sql';

type EntityClass<E> = new () => E;
type Stored = Record<string, unknown>;
/** What an entity stores: its properties, without its methods. */
export type Values<E> = { [P in keyof E as E[P] extends (...given: never[]) => unknown ? never : P]: E[P] };
type Name<E> = keyof Values<E> & string;
/** New values of some columns; SQL where a value is made of what is stored. */
export type Changes<E> = { readonly [P in keyof Values<E>]?: Values<E>[P] | Sql };
/** The fields whose ciphertext a table holds: `orderDescription`, for a column `orderDescriptionSealed`. */
export type SealedField<E> = { [P in Name<E>]: P extends `${infer Field}Sealed` ? Field : never }[Name<E>];

type Read = ((stored: unknown) => unknown) | null;

/** Fields of the graph, as `Type.field`. */
export type Fields = ReadonlySet<string>;

/** For what a column is read, where that isn't always. */
interface Need {
  /** Fields of which one has to be asked for, as `Type.field`. */
  readonly fields: readonly string[];
  /** Joins the table that the column is of, where nothing else of it is read. */
  readonly join: Sql | null;
}

/** An expression of a statement that gives a value of type `T`: a column with its table's alias, or something computed. */
export class Column<T> extends Sql {
  declare readonly type: T;

  constructor(
    expression: Sql,
    /** Makes the value of what the driver answers; null where that is the value. */
    readonly read: Read,
    /** Null: it is read always. */
    readonly need: Need | null = null,
  ) {
    super(expression.strings, expression.values);
  }
}

type Columns = Readonly<Record<string, Column<unknown>>>;
/** The row that columns give. */
export type RowOf<C extends Columns> = { readonly [P in keyof C]: C[P]['type'] };

interface ColumnDefinition {
  readonly property: string;
  readonly name: string;
  readonly transformer: ValueTransformer | undefined;
  readonly nullable: boolean;
}

interface Definition {
  readonly name: string;
  readonly columns: ReadonlyMap<string, ColumnDefinition>;
}

const definition = Symbol('definition');

/** The table of an entity as statements spell it: each column by its property's name, and in `FROM` the table itself. */
class TableOf<E> implements Spelled {
  readonly [definition]: Definition;
  readonly [spelling]: Sql;

  constructor(given: Definition, alias?: string) {
    this[definition] = given;
    this[spelling] = raw(alias === undefined ? given.name : `${given.name} AS ${alias}`);
    for (const { property, name, transformer } of given.columns.values()) {
      const column = new Column(raw(`${alias ?? given.name}.${name}`), transformer ? (transformer.from as Read) : null);
      Object.defineProperty(this, property, { value: column, enumerable: true });
    }
  }

  /** The same table under another name, for a statement that joins several. */
  as(alias: string): Table<E> {
    return new TableOf<E>(this[definition], alias) as Table<E>;
  }

  /** Some of the columns, for `select`. */
  pick<P extends Name<E>>(...names: readonly P[]): { readonly [Q in P]: Column<Values<E>[Q]> } {
    const columns = this as unknown as Columns;
    return Object.fromEntries(names.map((name) => [name, columns[name]])) as { readonly [Q in P]: Column<Values<E>[Q]> };
  }
}

export type Table<E> = TableOf<E> & { readonly [P in Name<E>]: Column<Values<E>[P]> };

/** The table of an entity, as its decorators define it. */
export const table = <E>(entity: EntityClass<E>): Table<E> => {
  const storage = getMetadataArgsStorage();
  const name = storage.tables.find(({ target }) => target === entity)?.name;
  if (name === undefined) throw new ProgrammingError(`${entity.name} is no entity with a table's name.`);
  // Its own, and those of what it extends.
  const columns = storage.columns
    .filter(({ target }) => target === entity || (target as object) === Object.getPrototypeOf(entity))
    .map(({ propertyName: property, options }): [string, ColumnDefinition] => {
      if (property in TableOf.prototype)
        throw new ProgrammingError(`No column is called ${property}: a table has a method of that name.`);
      const transformer = options.transformer as ValueTransformer | undefined;
      return [property, { property, name: options.name ?? property, transformer, nullable: options.nullable === true }];
    });
  return new TableOf<E>({ name, columns: new Map(columns) }) as Table<E>;
};

/** Columns that are read for these fields alone. `join` brings the table that they are of, where nothing else of it is read. */
export const neededBy = <C extends Columns>(fields: readonly string[], columns: C, join: Sql | null = null): C =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, new Column(column, column.read, { fields, join })]),
  ) as C;

/** Columns that are each read for the field of the same name of a type of the graph, and for those that are named in `also`. */
export const ofType = <C extends Columns>(
  type: string,
  columns: C,
  also: { readonly [P in keyof C]?: readonly string[] } = {},
): C =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      new Column(column, column.read, { fields: [`${type}.${name}`, ...(also[name] ?? [])], join: null }),
    ]),
  ) as C;

/** It stands in a table, by which it is called. */
const isPlain = ({ strings: [text = ''], values }: Sql): boolean => values.length === 0 && /^\w+\.\w+$/.test(text);

/** What rows are without some of their columns: whoever asks for one of these is wrong, and isn't told that it is empty. */
const without = (names: readonly string[]): object =>
  Object.create(
    Object.prototype,
    Object.fromEntries(
      names.map((name) => [
        name,
        {
          get: () => {
            throw new ProgrammingError(
              `${name} wasn’t read: no field is selected for which its selection has it (db/table, neededBy).`,
            );
          },
        },
      ]),
    ),
  );

/** Columns of one or several tables and where they come from: `SELECT … FROM …` without conditions, and the rows it answers. */
export class Selection<Row extends object> implements Spelled {
  /** The columns with the rows' names, as they stand after `SELECT`. */
  readonly list: Sql;
  /** What the columns need beside what they are from. */
  readonly joins: Sql;
  /** `FROM`, with these joins. */
  readonly source: Sql;
  readonly [spelling]: Sql;
  private readonly converted: readonly (readonly [name: string, read: (stored: unknown) => unknown])[];
  private readonly narrowed = new WeakMap<Fields, Selection<Row>>();
  private readonly prototype: object | null;
  private expressions: Sql | undefined;

  constructor(
    readonly columns: { readonly [P in keyof Row]: Column<Row[P]> },
    readonly from: Sql,
    missing: readonly string[] = [],
  ) {
    const all = Object.entries<Column<unknown>>(columns);
    const joins = new Set(all.flatMap(([, { need }]) => (need?.join ? [need.join] : [])));
    this.list = joined(all.map(([name, column]) => sql`${column} AS ${raw(name)}`));
    this.joins = joins.size === 0 ? sql`` : joined([...joins], ' ');
    this.source = joins.size === 0 ? from : sql`${from} ${this.joins}`;
    this[spelling] = sql`SELECT ${this.list} ${this.source}`;
    this.converted = all.flatMap(([name, { read }]) => (read ? [[name, read] as const] : []));
    this.prototype = missing.length === 0 ? null : without(missing);
  }

  /**
   * The columns as they are read from an engine. With each answer MariaDB tells of a column in which column of which table of which
   * database it stands, which is half of what a small answer takes; of an expression it tells nothing like that.
   */
  listOn(engine: EngineKind): Sql {
    if (engine !== 'mariadb') return this.list;
    this.expressions ??= joined(
      Object.entries<Column<unknown>>(this.columns).map(
        ([name, column]) => sql`${isPlain(column) ? sql`COALESCE(${column})` : column} AS ${raw(name)}`,
      ),
    );
    return this.expressions;
  }

  /**
   * The same rows as far as these fields need them; all of them where nobody knows (null). Of what isn't read a row has
   * nothing, and throws `ProgrammingError` where it is asked for it.
   */
  for(fields: Fields | null): Selection<Row> {
    if (fields === null) return this;
    const known = this.narrowed.get(fields);
    if (known) return known;
    const all = Object.entries<Column<unknown>>(this.columns);
    const isNeeded = ({ need }: Column<unknown>) => need === null || need.fields.some((field) => fields.has(field));
    const missing = all.flatMap(([name, column]) => (isNeeded(column) ? [] : [name]));
    const made =
      missing.length === 0
        ? this
        : new Selection<Row>(
            Object.fromEntries(all.filter(([, column]) => isNeeded(column))) as typeof this.columns,
            this.from,
            missing,
          );
    this.narrowed.set(fields, made);
    return made;
  }

  /** Its rows have this column. */
  has(name: keyof Row): boolean {
    return Object.hasOwn(this.columns, name);
  }

  /** Makes typed rows of the driver's, in place. */
  hydrate(answered: Stored[]): Row[] {
    for (const row of answered) {
      for (const [name, read] of this.converted) row[name] = read(row[name]);
      if (this.prototype !== null) Object.setPrototypeOf(row, this.prototype);
    }
    return answered as Row[];
  }
}

/** What a statement answers: these columns, from there. Made once, where a module loads. */
export const select = <C extends Columns>(columns: C, from: Sql): Selection<RowOf<C>> =>
  new Selection<RowOf<C>>(columns as Selection<RowOf<C>>['columns'], from);

/** The rows that a selection answers. */
export type Selected<S> = S extends Selection<infer Row> ? Row : never;

/** A column of a table that a LEFT JOIN may find no row of. */
export const optional = <T>(column: Column<T>): Column<T | null> => new Column<T | null>(column, column.read, column.need);
/** A count or another whole number that is computed. */
export const wholeNumber = (expression: Sql): Column<number> => new Column(expression, integer.from as Read);
/** An instant that is computed; null where there is none. */
export const instant = (expression: Sql): Column<Date | null> => new Column(expression, milliseconds.from as Read);

/** SQLite refuses statements of more than 32,766 parameters. */
const maximumParameters = 16_000;

const stored = ({ transformer }: ColumnDefinition, value: unknown): unknown => (transformer ? transformer.to(value) : value);

/** Of more rows than that it pays to look for columns of which none has a value; of fewer the same text comes again, and may stay prepared. */
const manyRows = 16;

/** The columns of which one of the rows has a value. What isn't said to be nullable is said for each row. */
const withValues = <E>(all: readonly ColumnDefinition[], rows: readonly Values<E>[]): readonly ColumnDefinition[] =>
  all.filter(({ property, nullable }) => !nullable || rows.some((row) => row[property as keyof Values<E>] !== null));

/**
 * Inserts these rows, in as many statements as their values need, and at most so many rows in one. Of many rows a column of which all are
 * null isn't spelled: it is null by itself.
 */
export const insertions = <E>(
  into: Table<E>,
  rows: readonly Values<E>[],
  mostRows = Number.POSITIVE_INFINITY,
): { sql: string; values: unknown[] }[] => {
  const { name, columns } = into[definition];
  const every = [...columns.values()];
  const all = Math.min(rows.length, mostRows) <= manyRows ? every : withValues(every, rows);
  const head = `INSERT INTO ${name} (${all.map((column) => column.name).join(',')}) VALUES `;
  const tuple = `(${all.map(() => '?').join(',')})`;
  const perStatement = Math.min(mostRows, Math.max(1, Math.floor(maximumParameters / all.length)));
  const statements: { sql: string; values: unknown[] }[] = [];
  for (let start = 0; start < rows.length; start += perStatement) {
    const end = Math.min(rows.length, start + perStatement);
    const values: unknown[] = [];
    for (let at = start; at < end; at += 1) {
      const row = rows[at] as Values<E>;
      for (const column of all) values.push(stored(column, row[column.property as keyof Values<E>]));
    }
    statements.push({ sql: `${head}${`${tuple},`.repeat(end - start - 1)}${tuple}`, values });
  }
  return statements;
};

/** Of rows that are added up: by what they are one, what is added, and of what the largest or the smallest stays. */
export interface AddingUp<E> {
  readonly key: readonly Name<E>[];
  readonly sums: readonly Name<E>[];
  readonly largest: readonly Name<E>[];
  readonly smallest: readonly Name<E>[];
}

/** Inserts these rows; where one of the same key is stored, it adds to it. No two of the rows have one key. */
export const additions = <E>(
  engine: EngineKind,
  into: Table<E>,
  rows: readonly Values<E>[],
  { key, sums, largest, smallest }: AddingUp<E>,
): { sql: string; values: unknown[] }[] => {
  const named = (property: string) => columnOf(into[definition], property).name;
  const given = (column: string) => (engine === 'mariadb' ? `VALUES(${column})` : `excluded.${column}`);
  // A value that isn't known is neither.
  const kept = (column: string, goes: '<' | '>') =>
    `${column} = CASE WHEN ${column} IS NULL OR ${column} ${goes} ${given(column)} THEN COALESCE(${given(column)}, ${column}) ELSE ${column} END`;
  const changes = [
    ...sums.map(named).map((column) => `${column} = ${column} + ${given(column)}`),
    ...largest.map(named).map((column) => kept(column, '<')),
    ...smallest.map(named).map((column) => kept(column, '>')),
  ].join(', ');
  const onKey = engine === 'mariadb' ? 'ON DUPLICATE KEY UPDATE' : `ON CONFLICT (${key.map(named).join(',')}) DO UPDATE SET`;
  return insertions(into, rows).map(({ sql: text, values }) => ({ sql: `${text} ${onKey} ${changes}`, values }));
};

const columnOf = ({ name, columns }: Definition, property: string): ColumnDefinition => {
  const column = columns.get(property);
  if (!column) throw new ProgrammingError(`${name} has no column for ${property}.`);
  return column;
};

/** Gives the rows that meet the condition these values. */
export const updating = <E>(of: Table<E>, changes: Changes<E>, condition: Sql): Sql => {
  const set = Object.entries(changes).map(([property, value]) => {
    const column = columnOf(of[definition], property);
    return sql`${raw(column.name)} = ${value instanceof Sql ? value : stored(column, value)}`;
  });
  return sql`UPDATE ${of} SET ${joined(set)} WHERE ${condition}`;
};

/** Takes away the rows that meet the condition. */
export const deleting = <E>(from: Table<E>, condition: Sql): Sql => sql`DELETE FROM ${from} WHERE ${condition}`;

/** What a table and columns of it are called in the database. */
export const namesOf = <E>(of: Table<E>, properties: readonly string[]): { table: string; columns: readonly string[] } => ({
  table: of[definition].name,
  columns: properties.map((property) => columnOf(of[definition], property).name),
});

/** Property names by field: a name that is put together anew is looked up anew. */
const sealedNames = new Map<string, string>();
const sealedName = (field: string): string => {
  const known = sealedNames.get(field);
  if (known !== undefined) return known;
  const name = `${field}Sealed`;
  sealedNames.set(field, name);
  return name;
};

/** The ciphertext of a field in a row. */
export const sealedIn = <Field extends string>(
  row: Readonly<Record<`${Field}Sealed`, Buffer | null>>,
  field: Field,
): Buffer | null => row[sealedName(field) as `${Field}Sealed`];

/** Where the ciphertext of a field stands in one row of a table. */
export const sealedPlace = <E>(of: Table<E>, field: SealedField<E>, row: string): SealedPlace => {
  const { name, columns } = of[definition];
  const column = columns.get(sealedName(field)) as ColumnDefinition;
  return { table: name, column: column.name, row };
};
