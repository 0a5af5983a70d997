import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { writerOf } from '../support/credentials';
import { engine } from '../support/database';
import { card, payment, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

/** What a request asked of the reading side. */
interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Tables whose rows are copied, with what makes a copy's row another one of somebody else. */
const copied: Readonly<Record<string, readonly string[]>> = {
  privacy_customer_key: ['id', 'owner'],
  helpdesk_customer: ['id', 'reference', 'key_id', 'email_digest', 'payment_customer_id'],
  helpdesk_ticket: ['id', 'reference', 'key_id', 'customer_id', 'assignee_id'],
  helpdesk_message: ['id', 'reference', 'key_id', 'ticket_id'],
  payment_customer: ['id', 'reference_digest', 'key_id'],
  payment_method: ['id', 'reference_digest', 'payment_customer_id'],
  payment_transaction: ['id', 'reference', 'payment_customer_id'],
  assistance: ['id', 'ticket_id', 'customer_id', 'actor_id', 'open_key'],
};
const copies = 40;
const own = 30;

/** Sorts of a few rows that no index of the order could spare: each customer's methods, the default one first. */
const sortsFew = /FROM payment_method AS m/;

describe('the hot statements, among many rows of others', () => {
  let test: TestApp;
  beforeAll(async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    const payments = new ScriptedPayments('demo-pay');
    for (let number = 1; number <= own; number += 1) {
      helpdesk.put(
        String(number),
        { updatedAt: new Date(Date.UTC(2026, 7, 20, 0, number)) },
        [1, 2, 3].map((message) => ({
          reference: `m${message}`,
          author: message === 2 ? { kind: 'STAFF', reference: 'ana' } : { kind: 'CUSTOMER', displayName: null },
          channel: 'EMAIL',
          body: `Message ${message} of ${number}`,
          createdAt: new Date(Date.UTC(2026, 7, 20, message)),
        })),
      );
      payments.put(
        `pay-${number}`,
        { helpdeskReference: `demo:person-${number}` },
        [1, 2].map((method) => card(`pm_${number}_${method}`, { isDefault: method === 1 })),
        Array.from({ length: 12 }, (_, index) =>
          payment(`ch_${number}_${index}`, {
            paymentMethodReference: `pm_${number}_${(index % 2) + 1}`,
            createdAt: new Date(Date.UTC(2026, 7, 20, index)),
          }),
        ),
      );
    }
    test = await TestApp.start({
      connectors: { demo: helpdesk, 'demo-pay': payments },
      policy: policyWith(['customersPerHour: 40', 'customersPerHour: 1000']),
    });
    for (let number = 1; number <= own; number += 1)
      await test.as('ana', 'query ($r: String!) { ticketByReference(source: "demo", reference: $r) { id } }', {
        r: String(number),
      });
    const numbers = Array.from({ length: copies }, (_, number) => `SELECT ${number} AS copy`).join(' UNION ALL ');
    for (const [table, keys] of Object.entries(copied)) {
      const metadata = writerOf(test).entityMetadatas.find(({ tableName }) => tableName === table);
      const columns = metadata?.columns.map(({ databaseName }) => databaseName) ?? [];
      const values = columns.map((column) => (keys.includes(column) ? `CONCAT(r.${column}, '-', n.copy)` : `r.${column}`));
      await writerOf(test).query(
        `INSERT INTO ${table} (${columns.join(',')}) SELECT ${values.join(',')} FROM ${table} r JOIN (${numbers}) n`,
      );
      await writerOf(test).query(engine === 'mariadb' ? `ANALYZE TABLE ${table}` : `ANALYZE ${table}`);
    }
  });
  afterAll(() => test.stop());

  /** What a query asks of the reading side; it must answer whole. */
  const askedBy = async (query: string): Promise<readonly Asked[]> => {
    const reader = Reflect.get(test.app.database, 'reader') as {
      query: (text: string, values: readonly unknown[], milliseconds: number) => Promise<unknown[]>;
    };
    const asked: Asked[] = [];
    const original = reader.query.bind(reader);
    const listening = jest.spyOn(reader, 'query').mockImplementation((text, values, milliseconds) => {
      asked.push({ text, values });
      return original(text, values, milliseconds);
    });
    try {
      expect(told(await test.as('ana', query)).errors).toEqual([]);
    } finally {
      listening.mockRestore();
    }
    return asked;
  };

  /** What an engine does for a statement that an index should have spared it, with where. */
  const faultsOf = async ({ text, values }: Asked): Promise<readonly string[]> => {
    if (engine === 'sqlite') {
      const plan = (await writerOf(test).query(`EXPLAIN QUERY PLAN ${text}`, [...values])) as { detail: string }[];
      return plan
        .map(({ detail }) => detail)
        .filter((detail) => /^SCAN (?!ends|\(|\d+ CONSTANT|CONSTANT)/.test(detail) || /TEMP B-TREE FOR ORDER BY/.test(detail))
        .filter((detail) => !(sortsFew.test(text) && /ORDER BY/.test(detail)));
    }
    const plan = await test.app.database.query<{
      table: string | null;
      type: string | null;
      key: string | null;
      Extra: string | null;
    }>(`EXPLAIN ${text}`, values);
    return plan
      .filter(({ table, type, Extra }) => {
        if (table === null || table.startsWith('<')) return false;
        return type === 'ALL' || type === 'index' || (/filesort/.test(Extra ?? '') && !sortsFew.test(text));
      })
      .map(({ table, type, key, Extra }) => `${table} ${type} ${key} ${Extra}`);
  };

  it.each([
    [
      'a ticket’s context',
      `{ ticketByReference(source: "demo", reference: "7") {
        id subject status messages(first: 10) { totalCount nodes { id body author { displayName } } }
        customer { displayName email link paymentMethods { brand last4 billingAddress { city } }
          transactions(first: 10) { totalCount nodes { id status amount { minorUnits } order { description } paymentMethod { last4 } } } } } }`,
    ],
    [
      'a queue',
      `{ tickets(filter: { assignedToMe: true, status: [NEW, OPEN, PENDING] }, first: 20) { totalCount nodes {
        id subject status assignee { displayName } assistance { state } messages(first: 2) { totalCount nodes { body } }
        customer { displayName paymentMethods { brand } transactions(first: 5) { totalCount nodes { id status } } } } } }`,
    ],
    [
      'a queue by what was paid',
      `{ tickets(filter: { assignedToMe: true }, first: 10) { nodes { id customer {
        transactions(first: 3, orderBy: AMOUNT, filter: { status: [CAPTURED] }) { totalCount nodes { id } } } } } }`,
    ],
  ])('of %s read no table and no index from end to end, and sort nothing that an index has in order', async (_name, query) => {
    // The operation is planned, and the actor known, after the first time.
    await askedBy(query);
    const asked = await askedBy(query);
    expect(asked.length).toBeGreaterThan(3);
    const found: string[] = [];
    for (const each of asked)
      for (const fault of await faultsOf(each)) found.push(`${fault}; of ${each.text.replace(/\s+/g, ' ')}`);
    expect(found).toEqual([]);
  });

  it('would be told of a scan and of a sort', async () => {
    const scan = { text: 'SELECT m.id FROM helpdesk_message AS m WHERE m.channel = ?', values: ['EMAIL'] };
    const sort = { text: 'SELECT m.id FROM helpdesk_message AS m WHERE m.ticket_id = ? ORDER BY m.channel', values: ['tkt'] };
    expect([(await faultsOf(scan)).length, (await faultsOf(sort)).length]).toEqual([1, 1]);
  });
});
