import type { QueryRunner, TableColumnOptions } from 'typeorm';
import { Table } from 'typeorm/schema-builder/table/Table';
import { TableIndex } from 'typeorm/schema-builder/table/TableIndex';

export type Column = TableColumnOptions;
export interface Definition {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns of each index; `unique:` in front makes it one. */
  readonly indexes?: readonly string[];
}

export const nullable = (column: Column): Column => ({ ...column, isNullable: true });
export const key = (name: string): Column => ({ name, type: 'varchar', length: '64', isPrimary: true });
export const text = (name: string, length: number): Column => ({ name, type: 'varchar', length: String(length) });
export const id = (name: string): Column => text(name, 64);
export const words = (name: string): Column => text(name, 4000);
export const position = (name: string): Column => ({ name, type: 'text' });
export const document = (name: string): Column => ({ name, type: 'text' });
export const bigint = (name: string): Column => ({ name, type: 'bigint' });
export const flag = (name: string): Column => ({ name, type: 'smallint' });
export const deflated = (name: string): Column => ({ name, type: 'blob' });
export const sealed = (name: string): Column => ({ name, type: 'blob' });

/** Of an index definition: its columns and its name, at most 64 characters as MariaDB wants. */
const indexOf = (table: string, definition: string): TableIndex => {
  const isUnique = definition.startsWith('unique:');
  const columnNames = definition.replace('unique:', '').split(',');
  return new TableIndex({
    name: `${isUnique ? 'uq' : 'ix'}_${table}_${columnNames.join('_')}`.slice(0, 64),
    columnNames,
    isUnique,
  });
};

/**
 * The default collations take A for a, and utf8mb4_bin still takes "a " for "a"; ids, references and digests are
 * compared byte by byte, as on SQLite. MariaDB and MySQL have different names for that.
 */
const binaryCollation = async (runner: QueryRunner): Promise<string> => {
  const [row] = (await runner.query('SELECT VERSION() AS version')) as { version: string }[];
  return /mariadb/i.test(row?.version ?? '') ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
};

const collationOf = (runner: QueryRunner): Promise<string | null> =>
  runner.connection.options.type === 'mariadb' ? binaryCollation(runner) : Promise.resolve(null);

/**
 * Each step of a migration leaves alone what is there: MariaDB commits every one of them at once, so a migration that was killed in the
 * middle runs again from its beginning.
 */
export const createTables = async (runner: QueryRunner, definitions: readonly Definition[]): Promise<void> => {
  const collation = await collationOf(runner);
  for (const { name, columns, indexes = [] } of definitions) {
    await runner.createTable(
      new Table({ name, columns: [...columns], indices: indexes.map((index) => indexOf(name, index)) }),
      true,
    );
    if (!collation) continue;
    await runner.query(`ALTER TABLE ${name} CONVERT TO CHARACTER SET utf8mb4 COLLATE ${collation}`);
    // Converting makes a longer type of a TEXT where the database's own character set has shorter characters.
    for (const column of columns.filter(({ type }) => type === 'text'))
      await runner.query(
        `ALTER TABLE ${name} MODIFY ${column.name} TEXT CHARACTER SET utf8mb4 COLLATE ${collation} ${column.isNullable ? 'NULL' : 'NOT NULL'}`,
      );
  }
};

export const dropTables = async (runner: QueryRunner, definitions: readonly Definition[]): Promise<void> => {
  for (const { name } of [...definitions].reverse()) await runner.dropTable(name);
};

/** Columns that may be null, added in place: TypeORM's own way would copy the table on SQLite. */
export const addColumns = async (runner: QueryRunner, table: string, columns: readonly Column[]): Promise<void> => {
  const collation = await collationOf(runner);
  for (const { name, type, length } of columns) {
    if (await runner.hasColumn(table, name)) continue;
    const isText = type === 'varchar';
    const kind = isText ? `varchar(${length})` : type;
    await runner.query(
      `ALTER TABLE ${table} ADD COLUMN ${name} ${kind}${isText && collation ? ` CHARACTER SET utf8mb4 COLLATE ${collation}` : ''} NULL`,
    );
  }
};

/** An index on one column. */
export const addIndex = async (runner: QueryRunner, table: string, column: string): Promise<void> => {
  const name = `ix_${table}_${column}`;
  const stored = await runner.getTable(table);
  if (stored?.indices.some((index) => index.name === name)) return;
  await runner.query(`CREATE INDEX ${name} ON ${table} (${column})`);
};

export const dropColumns = async (runner: QueryRunner, table: string, columns: readonly Column[]): Promise<void> => {
  for (const { name } of [...columns].reverse()) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${name}`);
};

/** Columns of text that may be null from now on, or, in `down`, may not. SQLite has no statement for that: there the table is copied. */
export const letBeNull = async (
  runner: QueryRunner,
  table: string,
  columns: readonly Column[],
  isNullable = true,
): Promise<void> => {
  const collation = await collationOf(runner);
  for (const { name, length } of columns) {
    if (collation) {
      const kind = `varchar(${length}) CHARACTER SET utf8mb4 COLLATE ${collation}`;
      await runner.query(`ALTER TABLE ${table} MODIFY ${name} ${kind} ${isNullable ? 'NULL' : 'NOT NULL'}`);
      continue;
    }
    const stored = (await runner.getTable(table))?.findColumnByName(name);
    if (!stored || stored.isNullable === isNullable) continue;
    const changed = stored.clone();
    changed.isNullable = isNullable;
    await runner.changeColumn(table, stored, changed);
  }
};
