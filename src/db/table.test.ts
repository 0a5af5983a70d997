import { Entity } from 'typeorm';
import { ProgrammingError } from '../failure';
import { Flag, Instant, Integer, Key, Sealed, Text, WordList } from './columns';
import { padded, sql } from './sql';
import {
  type Changes,
  insertions,
  instant,
  neededBy,
  ofType,
  optional,
  type RowOf,
  type Selected,
  sealedPlace,
  select,
  table,
  updating,
  type Values,
  wholeNumber,
} from './table';
import { selectLists } from './union-of-lists';

@Entity('parcel')
class Parcel {
  @Key() id!: string;
  @Text(64, { name: 'sent_by' }) sentBy!: string;
  @Integer({ nullable: true }) weight!: number | null;
  @Flag({ name: 'is_fragile' }) isFragile!: boolean;
  @WordList() labels!: readonly string[];
  @Instant({ name: 'sent_at' }) sentAt!: Date;
  @Sealed({ name: 'address_sealed', nullable: true }) addressSealed!: Buffer | null;
  describe(): string {
    return this.id;
  }
}

@Entity('sender')
class Sender {
  @Key() id!: string;
  @Text(64) name!: string;
}

const parcels = table(Parcel);
const parcel = parcels.as('p');
const sender = table(Sender).as('s');

const whole: Values<Parcel> = {
  id: 'par_1',
  sentBy: 'sen_1',
  weight: null,
  isFragile: true,
  labels: ['a', 'b'],
  sentAt: new Date(1_000),
  addressSealed: null,
};

describe('a column in a statement', () => {
  it('is qualified by its table’s name, or by the alias', () => {
    expect(sql`${parcels.sentBy} = ${parcel.sentBy}`.sql).toBe('parcel.sent_by = p.sent_by');
  });

  it('is spelled by its entity alone: another name doesn’t compile', () => {
    // @ts-expect-error: misspelled.
    expect(parcel.sendBy).toBeUndefined();
    // @ts-expect-error: a method is no column.
    expect(parcel.describe).toBeUndefined();
  });

  it('is no value: values stay apart from the text, a list as many as it has, instants and flags as they are stored', () => {
    const statement = sql`FROM ${parcel} WHERE ${parcel.id} IN (${['a', 'b']}) AND ${parcel.sentAt} > ${new Date(5)} AND ${parcel.isFragile} = ${true}`;
    expect([statement.sql, statement.values]).toEqual([
      'FROM parcel AS p WHERE p.id IN (?,?) AND p.sent_at > ? AND p.is_fragile = ?',
      ['a', 'b', 5, 1],
    ]);
  });

  it('a statement refuses an empty list and a missing value', () => {
    expect(() => sql`${parcel.id} IN (${[]})`).toThrow(ProgrammingError);
    expect(() => sql`${parcel.id} = ${undefined}`).toThrow(ProgrammingError);
  });
});

describe('a selection', () => {
  const rows = select(
    {
      ...parcel.pick('id', 'weight', 'isFragile', 'labels', 'sentAt'),
      sender: optional(sender.name),
      others: wholeNumber(sql`COUNT(*)`),
      last: instant(sql`MAX(${parcel.sentAt})`),
    },
    sql`FROM ${parcel} LEFT JOIN ${sender} ON ${sender.id} = ${parcel.sentBy}`,
  );

  it('names each column as the rows do, with what it joins', () => {
    expect(sql`${rows} WHERE ${parcel.id} = ${'par_1'}`.sql).toBe(
      'SELECT p.id AS id,p.weight AS weight,p.is_fragile AS isFragile,p.labels AS labels,p.sent_at AS sentAt,s.name AS sender,COUNT(*) AS others,MAX(p.sent_at) AS last' +
        ' FROM parcel AS p LEFT JOIN sender AS s ON s.id = p.sent_by WHERE p.id = ?',
    );
  });

  it('has the same text for as many values, so that it is prepared once', () => {
    const text = (ids: readonly string[]) => sql`${rows} WHERE ${parcel.id} IN (${ids})`.sql;
    expect(text(['a', 'b'])).toBe(text(['c', 'd']));
  });

  it('makes typed rows of what the driver answers', () => {
    const answered = { id: 'a', weight: null, isFragile: 1, labels: '["x"]', sentAt: 7, sender: null, others: 3, last: null };
    const [row] = rows.hydrate([answered]);
    const typed: Selected<typeof rows> | undefined = row;
    expect(typed).toEqual({
      id: 'a',
      weight: null,
      isFragile: true,
      labels: ['x'],
      sentAt: new Date(7),
      sender: null,
      others: 3,
      last: null,
    });
  });

  it.each(['weight', 'sentAt', 'others', 'last'])('refuses a number in %s that the driver rounded', (name) => {
    const answered = { weight: 1, isFragile: 0, labels: '[]', sentAt: 1, others: 1, last: 1, [name]: 2 ** 53 };
    expect(() => rows.hydrate([answered])).toThrow(ProgrammingError);
  });

  it('has rows of its columns’ types, and no others', () => {
    type Row = Selected<typeof rows>;
    const row = { sentAt: new Date(0), sender: null, labels: [], others: 1 } as unknown as Row;
    const date: Date = row.sentAt;
    const words: readonly string[] = row.labels;
    // @ts-expect-error: the joined row may be missing.
    const name: string = row.sender;
    // @ts-expect-error: an instant is no number.
    const number: number = row.sentAt;
    // @ts-expect-error: not selected.
    const sentBy: string = row.sentBy;
    // @ts-expect-error: rows are read only.
    const write = () => (row.others = 2);
    // @ts-expect-error: misspelled.
    expect(Object.values(parcel.pick('wieght'))).toEqual([undefined]);
    expect([date, words, name, number, sentBy, typeof write]).toEqual([
      new Date(0),
      [],
      null,
      new Date(0),
      undefined,
      'function',
    ]);
  });

  it('is read for many lists in one statement, each with its own end', () => {
    const lists = selectLists('mariadb', select(parcel.pick('id'), sql`FROM ${parcel}`), [sql`LIMIT ${1}`, sql`LIMIT ${2}`]);
    expect([lists.sql, lists.values]).toEqual([
      '(SELECT 0 AS list, p.id AS id FROM parcel AS p LIMIT ?) UNION ALL (SELECT 1 AS list, p.id AS id FROM parcel AS p LIMIT ?)',
      [1, 2],
    ]);
  });
});

describe('a selection whose columns are needed by fields', () => {
  const joinsSender = sql`LEFT JOIN ${sender} ON ${sender.id} = ${parcel.sentBy}`;
  const rows = select(
    {
      ...parcel.pick('id'),
      ...ofType('Parcel', parcel.pick('weight', 'sentAt'), { weight: ['Parcel.postage'] }),
      ...neededBy(['Parcel.sender', 'Sender.name'], { sender: optional(sender.name) }, joinsSender),
      ...neededBy(['Parcel.address'], parcel.pick('addressSealed')),
    },
    sql`FROM ${parcel}`,
  );
  const all = 'SELECT p.id AS id,p.weight AS weight,p.sent_at AS sentAt,s.name AS sender,p.address_sealed AS addressSealed';
  const textFor = (...fields: string[]) => sql`${rows.for(new Set(fields))}`.sql;

  it('is read whole where nobody knows what is asked for', () => {
    expect(rows.for(null)).toBe(rows);
    expect(sql`${rows}`.sql).toBe(`${all} FROM parcel AS p LEFT JOIN sender AS s ON s.id = p.sent_by`);
  });

  it('is read as far as a field needs it: of its own name, or named beside it, with the join that brings it', () => {
    expect(textFor('Other.weight')).toBe('SELECT p.id AS id FROM parcel AS p');
    expect(textFor('Parcel.sentAt')).toBe('SELECT p.id AS id,p.sent_at AS sentAt FROM parcel AS p');
    expect(textFor('Parcel.postage')).toBe('SELECT p.id AS id,p.weight AS weight FROM parcel AS p');
    expect(textFor('Sender.name')).toBe(
      'SELECT p.id AS id,s.name AS sender FROM parcel AS p LEFT JOIN sender AS s ON s.id = p.sent_by',
    );
    expect([rows.for(new Set(['Sender.name'])).has('sender'), rows.for(new Set(['Parcel.sentAt'])).has('sender')]).toEqual([
      true,
      false,
    ]);
  });

  it('is made once for the same fields, and is the whole where they need all of it', () => {
    const fields = new Set(['Parcel.weight']);
    expect(rows.for(fields)).toBe(rows.for(fields));
    const every = new Set(['Parcel.weight', 'Parcel.sentAt', 'Parcel.sender', 'Parcel.address']);
    expect(rows.for(every)).toBe(rows);
  });

  it('gives rows that throw where they are asked for what wasn’t read, instead of saying that there is nothing', () => {
    const [row] = rows.for(new Set(['Parcel.sentAt'])).hydrate([{ id: 'a', sentAt: 7 }]);
    expect(row).toEqual({ id: 'a', sentAt: new Date(7) });
    expect(() => row?.addressSealed).toThrow(ProgrammingError);
    expect(() => row?.weight).toThrow(/weight wasn’t read/);
    expect({ ...row }).toEqual({ id: 'a', sentAt: new Date(7) });
  });
});

describe('ids in a list', () => {
  const textOf = (count: number) => sql`IN (${padded(Array.from({ length: count }, (_, index) => `${index}`))})`;

  it.each([
    [1, 1],
    [4, 5],
    [11, 20],
    [50, 50],
    [51, 75],
    [100, 100],
    [101, 200],
  ])('of %d are filled up to %d by the last one', (count, length) => {
    const { values } = textOf(count);
    expect([values.length, values[count - 1], new Set(values).size]).toEqual([length, values.at(-1), count]);
  });

  it('have few texts, whatever their number, and none at all are refused', () => {
    expect(new Set(Array.from({ length: 100 }, (_, index) => textOf(index + 1).sql)).size).toBe(10);
    expect(() => padded([])).toThrow(ProgrammingError);
  });
});

describe('a row that is written', () => {
  it('has a value for each column', () => {
    expect(insertions(parcels, [whole, whole])).toEqual([
      {
        sql: 'INSERT INTO parcel (id,sent_by,weight,is_fragile,labels,sent_at,address_sealed) VALUES (?,?,?,?,?,?,?),(?,?,?,?,?,?,?)',
        values: [
          ...['par_1', 'sen_1', null, 1, '["a","b"]', 1_000, null],
          ...['par_1', 'sen_1', null, 1, '["a","b"]', 1_000, null],
        ],
      },
    ]);
  });

  it('doesn’t compile without one of its columns, or with a value of another type', () => {
    const { weight: _, ...forgotten } = whole;
    // @ts-expect-error: a column is forgotten, even one that may be null.
    expect(insertions(parcels, [forgotten])).toHaveLength(1);
    // @ts-expect-error: an instant isn't written as a number.
    const wrong: Values<Parcel> = { ...whole, sentAt: 1_000 };
    expect(insertions(parcels, [wrong])).toHaveLength(1);
  });

  it('takes as many statements as its values need', () => {
    const statements = insertions(
      parcels,
      Array.from({ length: 5_000 }, () => ({ ...whole, weight: 1, addressSealed: Buffer.of(1) })),
    );
    expect(statements.map(({ values }) => values.length / 7)).toEqual([2_285, 2_285, 430]);
    expect(insertions(parcels, [])).toEqual([]);
  });

  it('isn’t spelled where it is null in all of many', () => {
    const many = Array.from({ length: 20 }, () => whole);
    const columnsOf = ([statement]: ReturnType<typeof insertions>) => /\((.*?)\)/.exec(statement?.sql ?? '')?.[1];
    expect(columnsOf(insertions(parcels, many))).toBe('id,sent_by,is_fragile,labels,sent_at');
    expect(columnsOf(insertions(parcels, [...many, { ...whole, weight: 0 }]))).toBe(
      'id,sent_by,weight,is_fragile,labels,sent_at',
    );
    expect(insertions(parcels, many)[0]?.values.slice(0, 5)).toEqual(['par_1', 'sen_1', 1, '["a","b"]', 1_000]);
    // Of few rows, or few of a statement, the text is always the same.
    for (const [rows, most] of [[many.slice(0, 16)], [many, 16]] as const)
      expect(columnsOf(insertions(parcels, rows, most))).toBe('id,sent_by,weight,is_fragile,labels,sent_at,address_sealed');
  });

  it('keeps as many words as its column holds', () => {
    const labels = Array.from({ length: 2_000 }, (_, index) => `"${index}"`);
    const [statement] = insertions(parcels, [{ ...whole, labels }]);
    const kept = statement?.values[4] as string;
    expect(kept.length).toBeGreaterThan(3_980);
    expect(kept.length).toBeLessThanOrEqual(4_000);
    expect(labels.slice(0, 100)).toEqual((JSON.parse(kept) as string[]).slice(0, 100));
  });

  it('is changed in some columns, by values or by what is stored', () => {
    const changes: Changes<Parcel> = { isFragile: false, weight: sql`${parcels.weight} + ${1}`, labels: [] };
    const statement = updating(parcels, changes, sql`${parcels.id} = ${'par_1'}`);
    expect([statement.sql, statement.values]).toEqual([
      'UPDATE parcel SET is_fragile = ?,weight = parcel.weight + ?,labels = ? WHERE parcel.id = ?',
      [0, 1, '[]', 'par_1'],
    ]);
  });

  it('is changed in columns that it has', () => {
    const condition = sql`${parcels.id} = ${'par_1'}`;
    // @ts-expect-error: misspelled.
    expect(() => updating(parcels, { wieght: 1 }, condition)).toThrow(ProgrammingError);
    // @ts-expect-error: another type.
    expect(updating(parcels, { weight: 'heavy' }, condition).values[0]).toBe('heavy');
  });
});

describe('a sealed column', () => {
  it('stands where table, column and row say', () => {
    expect(sealedPlace(parcels, 'address', 'par_1')).toEqual({ table: 'parcel', column: 'address_sealed', row: 'par_1' });
  });

  it('is one whose ciphertext the table holds', () => {
    // @ts-expect-error: the weight isn't sealed.
    expect(() => sealedPlace(parcels, 'weight', 'par_1')).toThrow();
  });
});

describe('a table', () => {
  it('is of an entity', () => {
    class Nothing {
      id!: string;
    }
    expect(() => table(Nothing)).toThrow(ProgrammingError);
  });

  it('refuses a column whose name it needs itself', () => {
    @Entity('taken')
    class Taken {
      @Key() as!: string;
    }
    expect(() => table(Taken)).toThrow(ProgrammingError);
  });

  it('types the row of picked columns', () => {
    const row: RowOf<ReturnType<typeof pick>> = { id: 'a', isFragile: true };
    expect(row.isFragile).toBe(true);
  });
});

const pick = () => parcel.pick('id', 'isFragile');
