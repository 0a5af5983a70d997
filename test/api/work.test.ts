import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { defaultLimits } from '../../src/graphql/limits.section';
import { TestApp } from '../support/app';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

/** A ticket of Ana's with a hundred long mails. */
const startWithLongMails = async (characters: number, limits: Partial<typeof defaultLimits> = {}): Promise<TestApp> => {
  const helpdesk = new ScriptedHelpdesk('demo');
  const body = `${'A customer writes long mails. '.repeat(characters / 30)}zqend`;
  helpdesk.put(
    'LONG-1',
    {
      subject: 'Long',
      customer: helpdeskCustomer('quill', { displayName: 'Quill', email: 'quill@people.example.com', phone: null }),
    },
    Array.from({ length: 100 }, (_, n) => ({
      reference: `m${n}`,
      author: { kind: 'CUSTOMER' as const, displayName: 'Quill' },
      channel: 'EMAIL' as const,
      body,
      createdAt: new Date(Date.UTC(2026, 7, 20, 10, n)),
    })),
  );
  return TestApp.start({
    connectors: { demo: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') },
    config: { limits: { ...defaultLimits, ...limits } },
  });
};
const times = (many: number, each: (index: number) => string): string =>
  Array.from({ length: many }, (_, at) => each(at)).join(' ');
const ticketWith = (fields: string) => `{ ticketByReference(source: "demo", reference: "LONG-1") { ${fields} } }`;
const disclosuresOf = async (app: TestApp): Promise<number> => (await app.events('disclosure')).length;

describe('an answer of long texts', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startWithLongMails(30_000, { answerBytes: 1024 * 1024 });
  });
  afterAll(() => app.stop());

  test.each([
    ['under aliases', times(45, (n) => `m${n}: messages(first: 100) { nodes { body } }`)],
    ['under aliases of pages of each size', times(45, (n) => `m${n}: messages(first: ${100 - n}) { nodes { body } }`)],
    ['of one page', 'messages(first: 100) { nodes { body } }'],
    ['under aliases of the text', `messages(first: 5) { nodes { ${times(45, (n) => `b${n}: body`)} } }`],
    ['by edges and nodes', 'messages(first: 20) { nodes { body } edges { node { body } } }'],
  ])('%s ends at its bytes: nothing is shown, nothing is recorded as shown', async (_name, fields) => {
    // Interpreted at first, compiled from the second time.
    for (let time = 0; time < 3; time += 1) {
      const before = await disclosuresOf(app);
      const { data, errors, status } = await app.as('ana', ticketWith(fields));
      expect({ data, status }).toEqual({ data: null, status: 200 });
      expect(errors).toHaveLength(1);
      expect(errors?.[0]).toMatchObject({
        message: expect.stringMatching(/1048576 bytes of answer \(limits.answerBytes\)|4194304 bytes of texts read/),
        extensions: { code: 'RATE_LIMITED', rule: 'operation.work', remedy: expect.stringContaining('Ask for less') },
      });
      expect(await disclosuresOf(app)).toBe(before);
    }
  });

  it('ends at four times as many that are read for it, shown or not', async () => {
    for (let time = 0; time < 3; time += 1) {
      const pages = times(10, (n) => `m${n}: messages(first: ${20 + n}) { nodes { id body @include(if: $shown) } }`);
      const { data, errors } = await app.as('ana', `query ($shown: Boolean!) ${ticketWith(pages)}`, { shown: false });
      expect({ data, messages: errors?.map(({ message }) => message) }).toEqual({
        data: null,
        messages: [expect.stringContaining('4194304 bytes of texts read')],
      });
    }
  });

  it('arrives whole and is recorded below them', async () => {
    for (let time = 0; time < 3; time += 1) {
      const before = await disclosuresOf(app);
      const { data, errors } = await app.as('ana', ticketWith('messages(first: 30) { nodes { id body } }'));
      expect(errors).toBeUndefined();
      const nodes = (data as { ticketByReference: { messages: { nodes: { body: string }[] } } }).ticketByReference.messages.nodes;
      expect(nodes.map(({ body }) => [body.length, body.endsWith('zqend')])).toEqual(nodes.map(() => [30_005, true]));
      expect(nodes).toHaveLength(30);
      expect(await disclosuresOf(app)).toBeGreaterThan(before);
    }
  });
});

describe('an answer of many objects', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startWithLongMails(30, { objects: 5_000 });
  });
  afterAll(() => app.stop());

  it('ends at their number', async () => {
    const fields = times(45, (n) => `m${n}: messages(first: 100) { nodes { id author { displayName } } }`);
    for (let time = 0; time < 3; time += 1) {
      const { data, errors } = await app.as('ana', ticketWith(fields));
      expect(data).toBeNull();
      expect(errors?.map(({ message, extensions }) => [message, extensions.code])).toEqual([
        ['The operation came to more than 5000 objects (limits.objects). Nothing of it is shown.', 'RATE_LIMITED'],
      ]);
    }
  });

  it('lets others be heard while it is made', async () => {
    const fields = times(20, (n) => `m${n}: messages(first: 100) { nodes { id author { displayName } } }`);
    let turns = 0;
    let goesOn = true;
    const count = () => {
      turns += 1;
      if (goesOn) setImmediate(count);
    };
    setImmediate(count);
    await app.as('ana', ticketWith(fields));
    goesOn = false;
    expect(turns).toBeGreaterThan(5);
  });
});

describe('what is kept of documents', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startWithLongMails(30);
  });
  afterAll(() => app.stop());

  const heap = (): number => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let time = 0; time < 3; time += 1) collect();
    return process.memoryUsage().heapUsed / 1024 / 1024;
  };

  it('is bounded by the memory that it takes, whatever it is made of', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const document = (n: number) =>
      `query P${n}(${names.map((v) => `$${v}: Boolean!`).join(',')}) { ${times(40, (i) => `t${i}: tickets(first: 1, filter: { team: "none" }) { nodes { ...F } }`)} }
      fragment F on Ticket { ${names.map((v) => `customer @include(if: $${v}) { ...C }`).join(' ')} credentialUpdates { ticket { customer { ...C } } } }
      fragment C on Customer { transactions(first: 1) { nodes { risk { score signals } paymentMethod { token billingAddress { line1 } } } } }`;
    const variables = (i: number) => Object.fromEntries(names.map((v, j) => [v, Boolean((i >> j) & 1)]));
    const { errors } = await app.as('ana', document(0), variables(0));
    expect((errors ?? []).filter(({ extensions }) => extensions.code !== 'DENIED')).toEqual([]);
    const before = heap();
    for (let n = 1; n <= 40; n += 1) for (let i = 0; i < 8; i += 1) await app.as('ana', document(n), variables(i));
    // Documents 16, plans 32, restorations 8, and what else a process comes to hold.
    expect(heap() - before).toBeLessThan(64);
  });
});
