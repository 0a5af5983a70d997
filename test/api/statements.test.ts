import type { DataSource, Logger } from 'typeorm';
import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { card, payment, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const queue = `query Queue($first: Int!) {
  tickets(first: $first) {
    nodes {
      reference subject assignee { displayName } assistance { state }
      customer {
        displayName email
        paymentMethods { brand last4 billingAddress { city } }
        transactions(first: 5) { totalCount nodes { status amount { minorUnits } paymentMethod { last4 } risk { band } } }
      }
      messages(first: 2) { totalCount nodes { body author { displayName } } }
    }
  }
}`;

const tickets = 50;

/** Every statement of a change or a group of events; reads are counted by the app itself. */
const listen = (test: TestApp): string[] => {
  const seen: string[] = [];
  const logger = { logQuery: (query: string) => seen.push(query) } as unknown as Logger;
  const silent = () => {};
  for (const name of ['logQueryError', 'logQuerySlow', 'logSchemaBuild', 'logMigration', 'log'] as const)
    Object.assign(logger, { [name]: silent });
  Object.assign(Reflect.get(test.app.database, 'writer') as DataSource, { logger });
  return seen;
};

/** Who asks is read again every ten seconds, by whichever request comes next: no part of what an operation costs. */
const isAboutWhoAsks = (sql: string): boolean => /FROM helpdesk_staff\b.*\blogin_digest\b/s.test(sql);

describe('the statements of a request', () => {
  let test: TestApp;
  let seen: string[];
  let token: string;
  const readsSince = (begin: number) => test.statements.slice(begin).filter((sql) => !isAboutWhoAsks(sql)).length;
  beforeAll(async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    const payments = new ScriptedPayments('demo-pay');
    for (let number = 1; number <= tickets; number += 1) {
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
      const methods = [1, 2, 3].map((method) => card(`pm_${number}_${method}`, { isDefault: method === 1 }));
      payments.put(
        `pay-${number}`,
        { helpdeskReference: `demo:person-${number}` },
        methods,
        Array.from({ length: 8 }, (_, index) =>
          payment(`ch_${number}_${index}`, {
            paymentMethodReference: `pm_${number}_${(index % 3) + 1}`,
            createdAt: new Date(Date.UTC(2026, 7, 20, index)),
          }),
        ),
      );
    }
    test = await TestApp.start({
      connectors: { demo: helpdesk, 'demo-pay': payments },
      policy: policyWith(['customersPerHour: 40', 'customersPerHour: 1000']),
    });
    token = await test.token('ana');
    for (let number = 1; number <= tickets; number += 1)
      await test.as({ token }, 'query ($r: String!) { ticketByReference(source: "demo", reference: $r) { id } }', {
        r: String(number),
      });
    seen = listen(test);
  });
  afterAll(() => test.stop());

  const countFor = async (first: number) => {
    const ask = () => test.as({ token }, queue, { first });
    // The plan, the compiled operation and the statements' own preparation are made on the way.
    for (let turn = 0; turn < 3; turn += 1) await ask();
    // A lease of the assistances that was granted just before would spare the next request a write.
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    const [before, readsBefore] = [seen.length, test.statements.length];
    const { data, errors } = told(await ask());
    expect(errors).toEqual([]);
    expect(data.tickets.nodes).toHaveLength(first);
    for (const node of data.tickets.nodes) {
      expect([
        node.customer.paymentMethods.length,
        node.customer.transactions.nodes.length,
        node.customer.transactions.totalCount,
      ]).toEqual([3, 5, 8]);
      expect([node.messages.totalCount, node.messages.nodes.length, node.assistance.state]).toEqual([3, 2, 'LIVE']);
      expect(node.customer.transactions.nodes.every((each: { paymentMethod: unknown }) => each.paymentMethod !== null)).toBe(
        true,
      );
    }
    return { writes: seen.slice(before), reads: readsSince(readsBefore) };
  };

  it('are as many for 10 and for 50 tickets as for one, writes of the disclosure included', async () => {
    const one = await countFor(1);
    const ten = await countFor(10);
    const fifty = await countFor(50);
    expect([ten.reads, fifty.reads]).toEqual([one.reads, one.reads]);
    expect(one.reads).toBeLessThanOrEqual(12);
    expect(one.writes.some((sql) => /insert into audit_event/i.test(sql))).toBe(true);
    // That a disclosure is about several tickets is kept beside its leaf.
    expect([ten.writes.length, fifty.writes.length]).toEqual([one.writes.length + 1, one.writes.length + 1]);
  });

  it('are as many for one opened ticket whatever it holds', async () => {
    const open = `query ($messages: Int!, $transactions: Int!) {
      ticketByReference(source: "demo", reference: "7") {
        messages(first: $messages) { nodes { body author { displayName } } }
        customer { paymentMethods { last4 } transactions(first: $transactions) { nodes { status paymentMethod { last4 } } } }
      }
    }`;
    const count = async (size: number) => {
      const ask = () => test.as({ token }, open, { messages: size, transactions: size });
      for (let turn = 0; turn < 3; turn += 1) await ask();
      const before = test.statements.length;
      const { data } = told(await ask());
      expect(data.ticketByReference.messages.nodes).toHaveLength(Math.min(size, 3));
      return readsSince(before);
    };
    // Two messages name both kinds of authors already.
    const few = await count(2);
    expect(await count(8)).toBe(few);
  });

  it('are shared with requests of the same time, and as many as ever for one by itself', async () => {
    const context = `query Context($r: String!) {
      ticketByReference(source: "demo", reference: $r) {
        subject
        messages(first: 2) { nodes { body } }
        customer { displayName paymentMethods { last4 } transactions(first: 5) { nodes { status paymentMethod { last4 } } } }
      }
    }`;
    const references = Array.from({ length: 8 }, (_, index) => String(index + 1));
    const ask = (r: string) => test.as({ token }, context, { r });
    for (let turn = 0; turn < 3; turn += 1) for (const reference of references) await ask(reference);
    const count = async (some: readonly string[]) => {
      const before = test.statements.length;
      const answers = await Promise.all(some.map(ask));
      for (const [index, answer] of answers.entries()) {
        const { data, errors } = told(answer);
        expect(errors).toEqual([]);
        const { messages, customer } = data.ticketByReference;
        expect(messages.nodes.map(({ body }: { body: string }) => body)).toEqual(
          [1, 2].map((message) => `Message ${message} of ${some[index]}`),
        );
        expect([customer.paymentMethods.length, customer.transactions.nodes.length]).toEqual([3, 5]);
      }
      return readsSince(before);
    };
    // The ticket, its messages, its customer, their methods, their transactions.
    expect(await count(['1'])).toBe(5);
    // Each ticket is looked up within its own request's scope. How many of the others meet depends on when the database answers.
    const rounds = 5;
    let together = 0;
    for (let round = 0; round < rounds; round += 1) together += await count(references);
    expect(together).toBeLessThan(rounds * 5 * references.length * 0.65);
    expect(together).toBeGreaterThanOrEqual(rounds * (references.length + 4));
  });
});
