import { demoTickets } from '../../src/development/merchant/cast';
import { scrub } from '../../src/ledger/scrub';
import { SideRows } from '../../src/ledger/side-rows';
import { somebody } from '../support/actor';
import { ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { engine } from '../support/database';

type Row = Record<string, unknown>;

/** The rows that answers about the log go by. */
const held = ['audit_event', 'audit_leaf', 'audit_customer', 'audit_ticket', 'audit_note', 'audit_pending'] as const;
/** What is signed, or shown by what is: `tampering.test` and `anchors.test` change these. */
const signed = ['audit_node', 'audit_checkpoint', 'audit_anchor', 'audit_origin'];

let test: TestApp;
let before: readonly string[];

const columnsOf = async (table: string): Promise<readonly string[]> => {
  const rows =
    engine === 'sqlite'
      ? await test.app.database.query<Row>(`SELECT name FROM pragma_table_info('${table}')`)
      : await test.app.database.query<Row>(
          'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?',
          [table],
        );
  return rows.map(({ name }) => String(name));
};
/** Rows of a table; beside an event that waits for its place nothing can be held against a leaf yet. */
const rowsOf = (table: string): Promise<Row[]> =>
  test.app.database.query<Row>(
    ['audit_event', 'audit_customer', 'audit_ticket', 'audit_note'].includes(table)
      ? `SELECT t.* FROM ${table} t JOIN audit_leaf l ON l.event_id = t.${table === 'audit_event' ? 'id' : 'event_id'} ORDER BY l.leaf_index`
      : `SELECT * FROM ${table}`,
  );
const insert = (table: string, row: Row) =>
  tamper(
    test.app.database,
    `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row)
      .map(() => '?')
      .join(', ')})`,
    Object.values(row),
  );
const where = (row: Row, keys: readonly string[]) => ({
  condition: keys.map((key) => `${key} = ?`).join(' AND '),
  values: keys.map((key) => row[key]),
});
const keysOf: Readonly<Record<(typeof held)[number], readonly string[]>> = {
  audit_event: ['id'],
  audit_leaf: ['leaf_index'],
  audit_customer: ['event_id', 'customer_id'],
  audit_ticket: ['event_id', 'ticket_id'],
  audit_note: ['event_id', 'name'],
  audit_pending: ['event_id'],
};
const remove = (table: (typeof held)[number], row: Row) => {
  const { condition, values } = where(row, keysOf[table]);
  return tamper(test.app.database, `DELETE FROM ${table} WHERE ${condition}`, values);
};

const messages = async (): Promise<readonly string[]> => {
  const { database } = test.app;
  const { vouchers } = database;
  const { findings } = await scrub(database, () => [], {
    rows: new SideRows(database, test.keys.stored(database)),
    ...(vouchers ? { vouchers } : {}),
  });
  return findings.map(({ what, leaf, message }) => `${what} ${leaf ?? '-'}: ${message}`);
};
/** What is found after this that wasn't found before. */
const foundAfter = async (attack: () => Promise<unknown>): Promise<readonly string[]> => {
  await attack();
  return (await messages()).filter((message) => !before.includes(message));
};

/** Rows of other events, such that neither event has what the other's row names. */
const strangers = (one: Row, all: readonly Row[], column: string): Row[] => {
  const has = (event: unknown, value: unknown) => all.some((row) => row.event_id === event && row[column] === value);
  return all.filter((row) => row.event_id !== one.event_id && !has(one.event_id, row[column]) && !has(row.event_id, one[column]));
};

/** Another value of the same type, as long as the column lets it be. */
const other = (value: unknown): unknown => {
  if (value === null) return 'tkt_else';
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) + 1_000_000;
  if (Buffer.isBuffer(value)) return Buffer.concat([value.subarray(0, -1), Buffer.from([(value.at(-1) ?? 0) ^ 1])]);
  const text = String(value);
  // The first one: of the last character of base64url only some bits count.
  return (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
};

beforeAll(async () => {
  test = await TestApp.start();
  const queue = told(
    await test.as('ana', '{ tickets(first: 10) { nodes { id reference subject customer { displayName } } } }'),
  ).data;
  const [first, second] = queue.tickets.nodes as { reference: string }[];
  for (const { reference } of [first, second] as { reference: string }[])
    await test.as('ana', `{ ticketByReference(source: "demo", reference: "${reference}") { customer { displayName email } } }`);
  const theirs = told(await test.as('ben', '{ tickets(first: 10) { nodes { id } } }')).data.tickets.nodes as { id: string }[];
  for (const { reference } of [demoTickets.unassigned, demoTickets.selfMade]) {
    const ticketId = await ticketIdOf(test, reference);
    expect(
      told(
        await test.as('ana', 'mutation ($input: BeginAssistanceInput!) { beginAssistance(input: $input) { id } }', {
          input: { ticketId, purpose: 'OTHER', reason: 'The customer was transferred to me' },
        }),
      ).errors,
    ).toEqual([]);
  }
  const tickets = theirs.map(({ id }) => id);
  await test.app.database.system('recorder', 'denial', async (change) =>
    change.recordFor(somebody, 'denial', { detail: { rule: 'Ticket.messages', reason: 'NO_ASSISTANCE', count: 9, tickets } }),
  );
  await test.app.signingLog?.sequencer.turn();
  // And some that wait for their place.
  await test.as('ana', '{ tickets(first: 10) { nodes { id subject } } }');
  await test.as('ben', '{ tickets(first: 10) { nodes { id subject } } }');
  before = await messages();
});
afterAll(() => test.stop());

describe('the rows that answers about the log go by', () => {
  it('are held in every table of the log that isn’t signed itself', async () => {
    const tables = test.app.database.tables().filter((table) => table.startsWith('audit_'));
    expect(tables.sort()).toEqual([...held, ...signed].sort());
    for (const table of held) expect({ table, rows: (await rowsOf(table)).length > 1 }).toEqual({ table, rows: true });
  });

  it('agree with their leaves as they were recorded', () => {
    expect(before.filter((message) => !message.startsWith('CHECKPOINT'))).toEqual([]);
  });

  it.each(held)('of %s are missed when they are gone', async (table) => {
    for (const row of (await rowsOf(table)).slice(-12)) {
      const found = await foundAfter(() => remove(table, row));
      await insert(table, row);
      expect({ row, found }).toEqual({ row, found: expect.arrayContaining([expect.any(String)]) });
    }
  });

  it.each(held)('of %s are found when one is altered, whichever column', async (table) => {
    const columns = await columnsOf(table);
    expect(columns.length).toBeGreaterThan(1);
    for (const column of columns) {
      const rows = await rowsOf(table);
      // One that has a value and one that has none, where there are both.
      const chosen = [rows.find((row) => row[column] !== null), rows.find((row) => row[column] === null)].filter(
        (row) => row !== undefined,
      );
      expect(chosen.length).toBeGreaterThan(0);
      for (const row of chosen) {
        const altered = { ...row, [column]: other(row[column]) };
        const found = await foundAfter(async () => {
          await remove(table, row);
          await insert(table, altered);
        });
        await remove(table, altered);
        await insert(table, row);
        expect({ column, found }).toEqual({ column, found: expect.arrayContaining([expect.any(String)]) });
      }
    }
  });

  const added: readonly [(typeof held)[number], string, (row: Row, others: readonly Row[]) => Row, RegExp][] = [
    [
      'audit_event',
      'without a leaf',
      (row) => ({ ...row, id: 'evt_01ARZ3NDEKTSV4RRFFQ69G5FAV', transaction_id: 'atx_else' }),
      /^QUEUE -: event evt_01ARZ3NDEKTSV4RRFFQ69G5FAV is stored/,
    ],
    [
      'audit_leaf',
      'without an event',
      (row, all) => ({ ...row, leaf_index: all.length, event_id: 'evt_else' }),
      /^LEAF \d+: event evt_else isn't stored/,
    ],
    [
      'audit_leaf',
      'behind a gap that nobody could walk through',
      (row) => ({ ...row, leaf_index: 2 ** 52, event_id: 'evt_else' }),
      /^LEAF \d+: leaves \d+ to 4503599627370495 are missing/,
    ],
    [
      'audit_customer',
      'of somebody whom we know',
      (row, all) => ({ ...row, customer_id: strangers(row, all, 'customer_id')[0]?.customer_id }),
      /^ROWS \d+: event evt_\w+: audit_customer says/,
    ],
    [
      'audit_customer',
      'of nobody',
      (row) => ({ ...row, customer_id: 'cus_nobody' }),
      /^ROWS \d+: event evt_\w+: audit_customer names more than its leaf/,
    ],
    [
      'audit_customer',
      'of no event',
      (row) => ({ ...row, event_id: 'evt_else' }),
      /^ROWS -: audit_customer has rows of event evt_else/,
    ],
    [
      'audit_ticket',
      'of another ticket',
      (row) => ({ ...row, ticket_id: 'tkt_else' }),
      /^ROWS \d+: event evt_\w+: audit_ticket says/,
    ],
    [
      'audit_ticket',
      'of no event',
      (row) => ({ ...row, event_id: 'evt_else' }),
      /^ROWS -: audit_ticket has rows of event evt_else/,
    ],
    [
      'audit_note',
      'under another name',
      (row) => ({ ...row, name: 'else' }),
      /^ROWS \d+: event evt_\w+: audit_note has a text else/,
    ],
    ['audit_note', 'of no event', (row) => ({ ...row, event_id: 'evt_else' }), /^ROWS -: audit_note has rows of event evt_else/],
    ['audit_pending', 'of no event', (row) => ({ ...row, event_id: 'evt_else' }), /^QUEUE -: 1 events wait .* aren't stored/],
  ];
  it.each(added)('of %s are found when one is added %s', async (table, _, make, expected) => {
    const rows = await rowsOf(table);
    const row = make(
      (rows.find((each) => table !== 'audit_customer' || strangers(each, rows, 'customer_id').length > 0) ?? {}) as Row,
      rows,
    );
    const found = await foundAfter(() => insert(table, row));
    await remove(table, row);
    expect(found).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
  });

  it('are found when those of two events change places', async () => {
    for (const table of ['audit_customer', 'audit_note'] as const) {
      const rows = await rowsOf(table);
      const column = table === 'audit_customer' ? 'customer_id' : 'key_id';
      const one = rows.find((row) => strangers(row, rows, column).length > 0) as Row;
      const another = strangers(one, rows, column)[0] as Row;
      const found = await foundAfter(async () => {
        for (const row of [one, another]) await remove(table, row);
        await insert(table, { ...one, event_id: another.event_id });
        await insert(table, { ...another, event_id: one.event_id });
      });
      await remove(table, { ...one, event_id: another.event_id });
      await remove(table, { ...another, event_id: one.event_id });
      for (const row of [one, another]) await insert(table, row);
      expect(found.filter((message) => /^ROWS \d+: /.test(message)).length).toBe(2);
    }
  });

  it('that name somebody whose key is gone aren’t taken for checked', async () => {
    const row = (await rowsOf('audit_customer')).at(-1);
    const [key] = await test.app.database.query<Row>('SELECT * FROM privacy_customer_key WHERE owner = ?', [row?.customer_id]);
    const gone = await foundAfter(() =>
      tamper(test.app.database, 'UPDATE privacy_customer_key SET wrapped = NULL WHERE owner = ?', [row?.customer_id]),
    );
    expect(gone).toEqual(expect.arrayContaining([expect.stringContaining('is destroyed, by no event of the log')]));
    const swapped = await foundAfter(() =>
      tamper(test.app.database, 'UPDATE privacy_customer_key SET wrapped = ? WHERE owner = ?', [
        Buffer.alloc(60, 1),
        row?.customer_id,
      ]),
    );
    expect(swapped).toEqual(expect.arrayContaining([expect.stringContaining('is stored altered')]));
    await tamper(test.app.database, 'UPDATE privacy_customer_key SET wrapped = ? WHERE owner = ?', [
      key?.wrapped,
      row?.customer_id,
    ]);
    expect(await messages()).toEqual(before);
  });

  it('are found however many were added, and those of other leaves aren’t mistaken', async () => {
    const [row] = await rowsOf('audit_customer');
    for (let start = 0; start < 2_000; start += 500)
      await tamper(
        test.app.database,
        `INSERT INTO audit_customer (event_id, customer_id) VALUES ${Array.from({ length: 500 }, (_, index) => `('${row?.event_id}', 'cus_many${start + index}')`).join(',')}`,
      );
    const found = await foundAfter(async () => {});
    await tamper(test.app.database, "DELETE FROM audit_customer WHERE customer_id LIKE 'cus_many%'");
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`event ${row?.event_id}: audit_customer names more`);
  });
});
