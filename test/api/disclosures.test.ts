import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Database } from '../../src/db/database';
import { demoTickets } from '../../src/development/merchant/cast';
import { countOf, eventsOf, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { shownIn } from '../support/disclosed';
import { recordOf, replaceRecorder } from '../support/recorder';
import { sampleTexts, sampleTicket, startSample } from '../support/sample';

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** Reads through for as long as a test holds a source. */
const patient = {
  windowDays: 90,
  pollSeconds: 10,
  assignmentBoundSeconds: 30,
  paymentsBoundSeconds: 300,
  readThroughSeconds: 30,
  openSeconds: 30,
};
const lost = { data: null, errors: [['', 'DENIED', 'ASSISTANCE_ENDED']] };

const context = `query Context($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    subject
    customer { displayName email phone paymentMethods { last4 token billingAddress { line1 city } } transactions(first: 2) { nodes { status amount { minorUnits } } } }
    messages { nodes { body author { displayName } } }
  }
}`;
const variables = { reference: sampleTicket };

type Leaf = Record<string, never> & {
  id: string;
  salt: string;
  customers: string[];
  detail: { counts: Record<string, number[]>; objects: Record<string, string[]>; [name: string]: unknown };
};

/** Keeps what is handed to the log from being written: `queued` resolves once something waits, `release` lets it through. */
const holdRecords = (database: Database) => {
  let release = () => {};
  let note = () => {};
  const open = new Promise<void>((resolve) => {
    release = resolve;
  });
  const queued = new Promise<void>((resolve) => {
    note = resolve;
  });
  const restore = replaceRecorder(database, async (original, work) => {
    note();
    await open;
    return original(work);
  });
  return { queued, release: () => release(), restore };
};

describe('the record of what was shown', () => {
  let test: TestApp;
  beforeAll(async () => {
    ({ test } = await startSample());
  });
  afterAll(() => test.stop());

  it('names actor, ticket, plan, fields with verdicts and counts, and objects; the customer by a keyed digest only', async () => {
    const ticketId = await ticketIdOf(test, sampleTicket);
    const events = await eventsOf(test, async () => {
      const answer = told(await test.as('ana', context, variables));
      expect(answer.errors).toEqual([]);
      expect(answer.data.ticketByReference.customer).toMatchObject({ displayName: sampleTexts.name });
    });
    const leaf = events.find(({ action }) => action === 'disclosure') as Leaf;
    const one = async <T>(sql: string) =>
      (await test.app.database.query<{ id: string } & T>(sql)) as readonly ({ id: string } & T)[];
    const [customer] = await one<Record<string, never>>(
      'SELECT c.id, k.id AS keyId, k.wrapped AS keyWrapped, k.owner AS keyOwner FROM helpdesk_customer c JOIN privacy_customer_key k ON k.id = c.key_id',
    );
    const [assistance] = await one('SELECT id FROM assistance');
    const messages = await one('SELECT id FROM helpdesk_message');
    const methods = await one('SELECT id FROM payment_method');
    const transactions = await one('SELECT id FROM payment_transaction ORDER BY created_at DESC LIMIT 2');
    const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id).sort();
    const digest = test.keys.underDigest(customer?.id ?? '', customer as never).digest(Buffer.from(leaf.salt, 'base64url'));
    const fields = await shownIn(test, leaf);
    const { counts: _counts, ...detail } = leaf.detail;
    expect({ ...leaf, detail: { ...detail, fields } }).toEqual({
      v: 2,
      id: expect.stringMatching(/^evt_/),
      tx: expect.stringMatching(/^atx_/),
      // Its plan is stated before it.
      ordinal: 1,
      at: '2026-09-01T09:00:00.000Z',
      action: 'disclosure',
      outcome: 'ALLOWED',
      actor: { id: expect.stringMatching(/^act_/), kind: 'staff', roles: ['AGENT'] },
      ticket: ticketId,
      assistance: assistance?.id,
      subject: null,
      salt: expect.stringMatching(/^[\w-]{22}$/),
      customers: [digest],
      notes: {},
      detail: {
        operation: expect.stringMatching(/^opn_[a-z2-7]{32}$/),
        plan: expect.stringMatching(/^[0-9a-f]{64}$/),
        linked: { VERIFIED: [0] },
        fields: [
          ['Address.city', 'reveal', 1],
          ['Customer.displayName', 'reveal', 1],
          ['Customer.email', 'mask:email', 1],
          ['Customer.paymentMethods', 'reveal', 1],
          ['Customer.phone', 'mask:phone', 1],
          ['Customer.transactions', 'reveal', 1],
          ['CustomerAuthor.displayName', 'mask:name', 1],
          ['Message.body', 'reveal', 1],
          ['PaymentMethod.billingAddress', 'reveal', 2],
          ['PaymentMethod.last4', 'reveal', 2],
          ['Ticket.customer', 'reveal', 1],
          ['Ticket.messages', 'reveal', 1],
          ['Ticket.subject', 'reveal', 1],
          ['Transaction.amount', 'reveal', 2],
          ['Transaction.status', 'reveal', 2],
        ],
        tickets: [ticketId],
        assistances: [assistance?.id],
        objects: {
          Message: ids(messages),
          PaymentMethod: ids(methods),
          Ticket: [ticketId],
          Transaction: ids(transactions),
        },
        count: 6,
      },
    });
    expect(JSON.stringify(leaf)).not.toContain(customer?.id);
    // Beside the leaf, and only there: it goes when the customer goes.
    expect(await test.app.database.query('SELECT customer_id FROM audit_customer WHERE event_id = ?', [leaf.id])).toEqual([
      { customer_id: customer?.id },
    ]);
  });

  it('is the same leaf whose hash is stored, and waits for its place in the tree', async () => {
    await test.as('ana', context, variables);
    const rows = await test.app.database.query<{ id: string; leaf: Buffer; leaf_hash: string }>(
      'SELECT id, leaf, leaf_hash FROM audit_event',
    );
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.map(({ leaf_hash: hash }) => hash)).toEqual(
      rows.map(({ leaf }) =>
        createHash('sha256')
          .update(Buffer.concat([Buffer.of(0), leaf]))
          .digest('hex'),
      ),
    );
    const pending = await test.app.database.query<{ event_id: string }>('SELECT event_id FROM audit_pending');
    expect(pending.map(({ event_id: id }) => id).sort()).toEqual(rows.map(({ id }) => id).sort());
  });

  it('holds no text of a person, whatever was done', async () => {
    const id = await ticketIdOf(test, sampleTicket);
    const reason = 'Zqreason: the caller wants to know';
    const begun = await test.as(
      'sam',
      'mutation ($id: ID!, $reason: String!) { beginAssistance(input: { ticketId: $id, purpose: REFUND, reason: $reason }) { id reason } }',
      { id, reason },
    );
    expect(begun.data.beginAssistance.reason).toBe(reason);
    await test.as('sam', context, variables);
    await test.as('ben', context, variables);
    await test.as('ana', 'query ($id: ID!) { customer(id: $id) { displayName } }', { id: sampleTexts.email });
    await test.as('ana', 'query ($id: ID!) { ticket(id: $id) { subject } }', { id: sampleTexts.name });
    const leaves = (await test.app.database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event')).map(({ leaf }) =>
      leaf.toString('utf8'),
    );
    const customers = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    const forbidden = [...Object.values(sampleTexts), reason, 'zqreason', ...customers.map((row) => row.id)];
    const found = forbidden.filter((text) => leaves.some((leaf) => leaf.toLowerCase().includes(text.toLowerCase())));
    expect(found).toEqual([]);
  });

  it('is not written where no policed field was shown', async () => {
    const events = await eventsOf(test, async () => {
      await test.as('ana', '{ viewer { id } tickets { totalCount nodes { reference status assistance { state } } } }');
      await test.as(
        'ana',
        '{ ticketByReference(source: "demo", reference: "ZQREF-1") { customer { id @skip(if: true) } reference } }',
      );
    });
    const shown = events.filter(({ action }) => action === 'disclosure').map((event) => shownIn(test, event));
    expect(await Promise.all(shown)).toEqual([[['Ticket.customer', 'reveal', 1]]]);
  });

  it('shares its flush with those of other requests', async () => {
    const token = await test.token('ana');
    const events = await eventsOf(test, () =>
      Promise.all(Array.from({ length: 60 }, () => test.as({ token }, context, variables))),
    );
    const shown = events.filter(({ action }) => action === 'disclosure');
    expect(shown).toHaveLength(60);
    expect(new Set(shown.map(({ tx }) => tx)).size).toBeLessThan(30);
  });
});

describe('without a log that can be written', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
    await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { customer { id } } }');
    await test.as('sam', '{ viewer { id } }');
  });
  afterAll(() => test.stop());
  const writer = () => Reflect.get(test.app.database, 'writer') as DataSource;

  it('policed fields aren’t served, others are, and nothing is changed', async () => {
    const denialsBefore = await countOf(test, 'audit_event');
    const assistances = await countOf(test, 'assistance');
    await writer().query('ALTER TABLE audit_pending RENAME TO audit_pending_away');
    const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
    const subject = '{ ticketByReference(source: "demo", reference: "1001") { reference customer { displayName } } }';
    const asked = await test.as('ana', subject);
    const list = await test.as('ana', '{ tickets(first: 3) { nodes { subject } } }');
    const opened = await test.as('ana', '{ ticketByReference(source: "demo", reference: "1002") { reference } }');
    const begun = await test.as(
      'sam',
      'mutation ($id: ID!) { beginAssistance(input: { ticketId: $id, purpose: OTHER, reason: "Some good reason" }) { id } }',
      {
        id: ticketId,
      },
    );
    const stranger = await test.as('ben', '{ viewer { id } }');
    const plain = await test.as('ana', '{ viewer { mfa } tickets(first: 2) { nodes { status } } }');
    const known = await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { reference status } }');
    await writer().query('ALTER TABLE audit_pending_away RENAME TO audit_pending');

    const unavailable = (path: string) => ({ status: 503, data: null, errors: [[path, 'RECORD_UNAVAILABLE']] });
    const of = (answer: typeof asked) => ({ status: answer.status, ...told(answer), data: answer.data ?? null });
    expect([of(asked), of(list), of(begun), of(stranger)]).toEqual([
      unavailable(''),
      unavailable(''),
      unavailable('beginAssistance'),
      unavailable(''),
    ]);
    expect(of(opened)).toEqual({
      status: 503,
      data: { ticketByReference: null },
      errors: [['ticketByReference', 'RECORD_UNAVAILABLE']],
    });
    expect([plain.status, plain.errors, plain.data.tickets.nodes.length]).toEqual([200, undefined, 2]);
    expect([known.status, told(known)]).toEqual([
      200,
      { data: { ticketByReference: { reference: '1001', status: 'OPEN' } }, errors: [] },
    ]);
    expect(await countOf(test, 'assistance')).toBe(assistances);
    expect(await countOf(test, 'audit_event')).toBe(denialsBefore);
    expect((await test.as('ana', subject)).status).toBe(200);
  });

  it('a fault in the middle of a group leaves none of it half recorded', async () => {
    const events = await countOf(test, 'audit_event');
    await writer().query('ALTER TABLE audit_customer RENAME TO audit_customer_away');
    const token = await test.token('ana');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        test.as({ token }, '{ ticketByReference(source: "demo", reference: "1001") { customer { displayName } } }'),
      ),
    );
    await writer().query('ALTER TABLE audit_customer_away RENAME TO audit_customer');
    expect(new Set(answers.map(({ status, data }) => `${status} ${data}`))).toEqual(new Set(['503 null']));
    expect(await countOf(test, 'audit_event')).toBe(events);
  });
});

describe('denied attempts', () => {
  it('of one person by one rule, however many, leave two events', async () => {
    const test = await TestApp.start();
    await test.as('ana', '{ viewer { id } }');
    const token = await test.token('ana');
    const events = await eventsOf(test, async () => {
      for (let turn = 0; turn < 10; turn += 1) {
        await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            test.as({ token }, 'query ($id: ID!) { customer(id: $id) { id } }', { id: `cus_${turn}_${index}` }),
          ),
        );
      }
      await recordOf(test.app).denials.close();
    });
    await test.stop();
    const countedBy = ({ detail }: Record<string, unknown>) => (detail as { count: number }).count;
    events.sort((a, b) => countedBy(a) - countedBy(b));
    expect(events.map(({ action, outcome, detail }) => ({ action, outcome, detail }))).toEqual([
      { action: 'denial', outcome: 'DENIED', detail: { rule: 'scope', reason: 'NOT_FOUND', count: 1 } },
      { action: 'denial', outcome: 'DENIED', detail: { rule: 'scope', reason: 'NOT_FOUND', count: 999 } },
    ]);
  });
});

describe('an assistance that ends while a request is under way', () => {
  let sample: Awaited<ReturnType<typeof startSample>>;
  let customerId: string;
  let assistanceId: string;
  const byCustomer = 'query ByCustomer($id: ID!) { customer(id: $id) { displayName paymentMethods { last4 } } }';

  beforeEach(async () => {
    sample = await startSample({ config: { sync: patient, rateLimit: 1_000_000 } });
    await sample.test.as('ana', '{ ticketByReference(source: "demo", reference: "ZQREF-1") { id } }');
    const [row] = await sample.test.app.database.query<{ id: string; customer_id: string }>(
      'SELECT id, customer_id FROM assistance',
    );
    assistanceId = row?.id ?? '';
    customerId = row?.customer_id ?? '';
  });
  afterEach(() => sample.test.stop());

  const ends: readonly [string, () => Promise<unknown>][] = [
    [
      'closed',
      () => {
        sample.helpdesk.put(sampleTicket, { status: 'CLOSED' });
        return sample.test.app.sources.refreshTicket('demo', sampleTicket);
      },
    ],
    [
      'reassigned',
      () => {
        sample.helpdesk.put(sampleTicket, { assignee: 'ben', team: 'wallets' });
        return sample.test.app.sources.refreshTicket('demo', sampleTicket);
      },
    ],
    [
      'ended by hand',
      async () => {
        const { data } = await sample.test.as('ana', 'mutation ($id: ID!) { endAssistance(id: $id) { state } }', {
          id: assistanceId,
        });
        expect(data.endAssistance.state).toBe('ENDED');
      },
    ],
    [
      'expired',
      async () => {
        sample.test.clock.forward(8 * 3_600_000);
      },
    ],
  ];

  const disclosures = () => countOf(sample.test, 'audit_event', "action = 'disclosure' AND assistance_id = ?", assistanceId);

  it.each(ends)('(%s) before the disclosure is queued loses the response', async (_, end) => {
    const { test, payments } = sample;
    test.clock.forward(301_000);
    await test.app.sources.refreshTicket('demo', sampleTicket);
    const held = payments.hold();
    const request = test.as('ana', context, variables);
    await held.asked;
    await end();
    held.release();
    expect(told(await request)).toEqual(lost);
    expect(await disclosures()).toBe(0);
  });

  it.each(ends)('(%s) after the disclosure is queued loses the response', async (_, end) => {
    const { test } = sample;
    const { queued, release, restore } = holdRecords(test.app.database);
    const request = test.as('ana', context, variables);
    await queued;
    await end();
    release();
    const answer = told(await request);
    restore();
    expect(answer).toEqual(lost);
    expect(await disclosures()).toBe(0);
    expect((await test.events('denial')).at(-1)).toMatchObject({ detail: { reason: 'ASSISTANCE_ENDED', rule: 'disclosure' } });
  });

  it('loses what relied on a lease but reached the log too late', async () => {
    const { test } = sample;
    const token = await test.token('ana');
    // The lease is granted with the first disclosure.
    expect(told(await test.as({ token }, byCustomer, { id: customerId })).errors).toEqual([]);
    const order: string[] = [];
    const restore = replaceRecorder(test.app.database, (original, work) =>
      original(async (group) => {
        const result = await work(group);
        await sleep(1_500);
        return result;
      }),
    );
    const request = test.as({ token }, byCustomer, { id: customerId }).then((answer) => {
      order.push(answer.data === null ? 'refused' : 'shown');
      return answer;
    });
    await sleep(50);
    const end = test.as({ token }, 'mutation ($id: ID!) { endAssistance(id: $id) { state } }', { id: assistanceId }).then(() => {
      order.push('ended');
    });
    await Promise.all([request, end]);
    restore();
    // Where the end has to wait for the disclosure it comes after it; where it doesn't, the disclosure is lost.
    expect([
      ['shown', 'ended'],
      ['ended', 'refused'],
    ]).toContainEqual(order);
  });

  it('by its time takes its leases along', async () => {
    const { test } = sample;
    const token = await test.token('ana');
    expect(told(await test.as({ token }, byCustomer, { id: customerId })).errors).toEqual([]);
    const restore = replaceRecorder(test.app.database, (original, work) => {
      test.clock.forward(8 * 3_600_000);
      return original(work);
    });
    const answer = told(await test.as({ token }, byCustomer, { id: customerId }));
    restore();
    expect(answer).toEqual(lost);
    expect(await disclosures()).toBe(1);
  });

  it('never lets a disclosure through after its end was acknowledged, however many are under way', async () => {
    const { test, helpdesk } = sample;
    const token = await test.token('ana');
    const supervisor = await test.token('sam');
    const violations: string[] = [];
    const rounds = 4;
    let shown = 0;
    for (let round = 0; round < rounds; round += 1) {
      helpdesk.put(sampleTicket, { assignee: 'ana', team: 'cards' });
      await test.app.sources.refreshTicket('demo', sampleTicket);
      await test.as({ token }, '{ ticketByReference(source: "demo", reference: "ZQREF-1") { id } }');
      const [live] = await test.app.database.query<{ id: string }>('SELECT id FROM assistance WHERE ended_at IS NULL');
      assistanceId = live?.id ?? '';
      let acknowledged = false;
      let running = true;
      const askers = Array.from({ length: 24 }, async () => {
        while (running) {
          const asOf = acknowledged;
          const answer = await test.as({ token }, byCustomer, { id: customerId });
          // A turn of the event loop: on an embedded database these loops alone would keep timers from firing.
          await new Promise((resolve) => setImmediate(resolve));
          if (answer.data?.customer) {
            shown += 1;
            // It was asked for, or it left, after somebody was told that nothing would be shown any more.
            if (asOf || acknowledged) violations.push(`round ${round}: a response left after the end`);
          }
        }
      });
      // A busy machine takes its time until enough of them are under way.
      const enough = shown + 20;
      for (let waited = 0; waited === 0 || (shown < enough && waited < 100); waited += 1) await sleep(120);
      if (shown < enough) violations.push(`round ${round}: too little was shown to tell`);
      // What a supervisor ends stays ended for that person: it comes last.
      if (round === rounds - 1) {
        await test.as({ token: supervisor }, 'mutation ($id: ID!) { endAssistance(id: $id) { state } }', { id: assistanceId });
      } else {
        helpdesk.put(sampleTicket, { assignee: 'chloe' });
        await test.app.sources.refreshTicket('demo', sampleTicket);
      }
      acknowledged = true;
      const recorded = await disclosures();
      await sleep(150);
      running = false;
      await Promise.all(askers);
      if ((await disclosures()) !== recorded) violations.push(`round ${round}: a disclosure was committed after the end`);
    }
    expect(violations).toEqual([]);
  });

  it('on one of two tickets about one customer keeps the other, and the messages of the first', async () => {
    const { test, helpdesk } = sample;
    helpdesk.put('ZQREF-2', { customer: helpdesk.put(sampleTicket).customer, subject: 'Another' });
    await test.app.sources.refreshTicket('demo', sampleTicket);
    await test.as('ana', '{ ticketByReference(source: "demo", reference: "ZQREF-2") { id } }');
    expect(await countOf(test, 'assistance', 'ended_at IS NULL')).toBe(2);
    const { queued, release, restore } = holdRecords(test.app.database);
    const request = test.as('ana', '{ tickets { nodes { reference messages { nodes { body } } } } }');
    await queued;
    // The assistance on the second ticket covers the same customer; it doesn't cover what was said in the first.
    helpdesk.put(sampleTicket, { assignee: 'ben', team: 'wallets' });
    await test.app.sources.refreshTicket('demo', sampleTicket);
    release();
    const answer = told(await request);
    restore();
    expect(answer).toEqual(lost);
    const later = told(await test.as('ana', byCustomer, { id: customerId }));
    expect(later.errors).toEqual([]);
    expect(later.data.customer.displayName).toBe(sampleTexts.name);
  });
});
