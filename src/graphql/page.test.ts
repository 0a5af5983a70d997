import { randomBytes } from 'node:crypto';
import BetterSqlite from 'better-sqlite3';
import fc from 'fast-check';
import { raw } from 'sql-template-tag';
import { ProgrammingError } from '../failure';
import { Cursors } from './cursor';
import { type Keyset, PageRequest, pageClause, putInOrder } from './page';

interface Row {
  readonly id: string;
  readonly at: number;
}

const keysetOf = (direction: 'ASC' | 'DESC'): Keyset<Row> => ({
  column: raw('r.at'),
  id: raw('r.id'),
  direction,
  positionOf: ({ at, id }) => ({ value: at, id }),
});
const newestFirst = keysetOf('DESC');
const cursors = new Cursors(randomBytes(32));

const listOf = (rows: readonly Row[]) => {
  const database = new BetterSqlite(':memory:');
  database.exec('CREATE TABLE r (id TEXT PRIMARY KEY, at INTEGER NOT NULL)');
  const insert = database.prepare('INSERT INTO r VALUES (?, ?)');
  for (const { id, at } of rows) insert.run(id, at);
  return (keyset: Keyset<Row>, first: number | null, after: string | null, list: readonly unknown[] = ['Query.rows']) => {
    const request = new PageRequest({ cursors, actorId: 'act_1', list, keyset }, { first, after });
    const { sql, values } = request.clause;
    const found = database.prepare(`SELECT id, at FROM r WHERE at >= 0 ${sql}`).all(...values) as Row[];
    return request.pageOf(
      found,
      ({ id }) => id,
      async () => rows.length,
    );
  };
};

describe('a page of which nobody asks whether there is a next one', () => {
  const pageFor = (fields: ReadonlySet<string> | null) => {
    const request = new PageRequest<Row>(
      { cursors, actorId: 'act_1', list: [], keyset: newestFirst },
      { first: 2, after: null, fields },
    );
    const rows = [3, 2, 1].map((at) => ({ id: `r${at}`, at })).slice(0, request.limit);
    const toNode = ({ id }: Row) => id;
    return { limit: request.limit, page: request.pageOf(rows, toNode, async () => 3) };
  };

  it('is read without the row that would tell it, and doesn’t say that there is none', () => {
    const { limit, page } = pageFor(new Set(['PageInfo.endCursor']));
    expect([limit, page.nodes]).toEqual([2, ['r3', 'r2']]);
    expect(() => page.hasNextPage).toThrow(ProgrammingError);
  });

  it.each([[null], [new Set(['PageInfo.hasNextPage'])]])('has it where somebody may ask: %p', (fields) => {
    const { limit, page } = pageFor(fields);
    expect([limit, page.nodes, page.hasNextPage]).toEqual([3, ['r3', 'r2'], true]);
  });
});

describe('pages of a list', () => {
  it.each(['ASC', 'DESC'] as const)(
    'show every row once and in order, whatever the size and however many are equal (%s)',
    (direction) => {
      const keyset = keysetOf(direction);
      fc.assert(
        fc.property(
          fc.uniqueArray(fc.record({ id: fc.stringMatching(/^[0-9A-Z]{3}$/), at: fc.nat(4) }), {
            maxLength: 30,
            selector: ({ id }) => id,
          }),
          fc.integer({ min: 1, max: 12 }),
          (rows, first) => {
            const page = listOf(rows);
            const seen: string[] = [];
            let after: string | null = null;
            for (;;) {
              const { nodes, cursorAt, hasNextPage, hasPreviousPage } = page(keyset, first, after);
              expect({ hasPreviousPage, fits: nodes.length <= first }).toEqual({ hasPreviousPage: after !== null, fits: true });
              seen.push(...nodes);
              if (!hasNextPage) break;
              expect(nodes).toHaveLength(first);
              after = cursorAt(nodes.length - 1);
            }
            expect(seen).toEqual(putInOrder([...rows].reverse(), keyset).map(({ id }) => id));
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it('begin behind a row that is gone', () => {
    const rows = ['A', 'B', 'C', 'D'].map((id, at) => ({ id, at }));
    const { cursorAt } = listOf(rows)(newestFirst, 2, null);
    const page = listOf(rows.filter(({ id }) => id !== 'C'))(newestFirst, 2, cursorAt(1));
    expect([page.nodes, page.hasNextPage]).toEqual([['B', 'A'], false]);
  });

  it.each([0, -1, 101, 1.5, Number.NaN])('refuse a size of %s', (first) => {
    expect(() => listOf([])(newestFirst, first, null)).toThrow('expected 1 to 100');
  });

  it('have twenty rows where nobody says how many', () => {
    const rows = Array.from({ length: 30 }, (_, at) => ({ id: String(at).padStart(2, '0'), at }));
    expect(listOf(rows)(newestFirst, null, null).nodes).toHaveLength(20);
  });

  it('refuse a cursor of another list', () => {
    const page = listOf([{ id: 'A', at: 1 }]);
    const cursor = page(newestFirst, 1, null).cursorAt(0);
    expect(() => page(newestFirst, 1, cursor, ['Query.rows', { at: 1 }])).toThrow('endCursor');
  });

  it('ask for one value alone where no two rows have the same', () => {
    const { sql, values } = pageClause({ ...newestFirst, id: null, direction: 'ASC' }, { value: 7, id: 'x' }, 3);
    expect([sql, values]).toEqual(['AND r.at > ? ORDER BY r.at ASC LIMIT ?', [7, 3]]);
  });
});
