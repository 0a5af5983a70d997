import { eventsOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { shownIn } from '../support/disclosed';
import { card, helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const email = 'kim.quill@people.example.com';
const phone = '+49 1511 2345678';

const read = `query Read($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    subject
    customer { displayName email phone transactions(first: 1) { nodes { order { reference description } } } }
    messages { nodes { body author { displayName } } }
  }
}`;
const list = 'query List { tickets(first: 5) { nodes { subject } } }';

const start = async (policy?: string) => {
  const helpdesk = new ScriptedHelpdesk('demo');
  const payments = new ScriptedPayments('demo-pay');
  helpdesk.put(
    '1',
    {
      subject: `Re: charged twice (${email.toUpperCase()}, Visa 4242)`,
      customer: helpdeskCustomer('kim', { displayName: email, email, phone }),
    },
    [
      {
        reference: 'm1',
        author: { kind: 'CUSTOMER', displayName: `Kim 01511/2345678` },
        channel: 'EMAIL',
        body: `write to ${email}`,
        createdAt: new Date('2026-08-20T10:00:00.000Z'),
      },
    ],
  );
  helpdesk.put(
    '2',
    {
      subject: 'Ｋｉｍ．Ｑｕｉｌｌ＠ｐｅｏｐｌｅ．ｅｘａｍｐｌｅ．ｃｏｍ, %2B49%201511%202345678, ＶＩＳＡ ４２４２',
      customer: helpdeskCustomer('kim', { displayName: email, email, phone }),
    },
    [
      {
        reference: 'm2',
        author: { kind: 'CUSTOMER', displayName: 'kim.quill @ people\u200e.example.com' },
        channel: 'EMAIL',
        body: 'see the file',
        attachments: [{ name: 'kim.quill%40people.example.com ＋4915112345678.pdf', type: 'application/pdf', size: 3 }],
        createdAt: new Date('2026-08-20T10:00:00.000Z'),
      },
    ],
  );
  payments.put(
    'p1',
    { helpdeskReference: 'demo:kim', email },
    [card('m1')],
    [
      payment('t1', { orderReference: '0049151123456', orderDescription: 'A lamp for 0049 1511 2345678' }),
      payment('t2', { orderReference: `${email}/17`, createdAt: new Date('2026-08-01T10:00:00.000Z') }),
    ],
  );
  const test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments }, ...(policy ? { policy } : {}) });
  helpdesk.now = test.clock.now;
  payments.now = test.clock.now;
  return test;
};

describe('a contact in a text that is called otherwise', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await start();
  });
  afterAll(() => test.stop());

  it('shows no more than in its own field, and what was said stays as it was said', async () => {
    const { data, errors } = told(await test.as('ana', read, { reference: '1' }));
    expect(errors).toEqual([]);
    const { subject, customer, messages } = data.ticketByReference;
    expect(customer.email).toBe('k•••@p•••.com');
    expect(customer.displayName).toBe('k•••@p•••.com');
    expect(customer.phone).not.toContain('2345678');
    expect(subject).toBe('Re: charged twice (K•••@P•••.COM, Visa •••)');
    expect(customer.transactions.nodes).toEqual([
      { order: { reference: '0049151123456', description: expect.stringMatching(/^A lamp for .*••• ?\d?\d?$/) } },
    ]);
    expect(JSON.stringify(customer)).not.toContain('2345678');
    expect(messages.nodes[0].body).toBe(`write to ${email}`);
  });

  it('shows no more in a list, where nothing is known of the customer', async () => {
    const { data } = told(await test.as('ana', list));
    expect(data.tickets.nodes).toContainEqual({ subject: 'Re: charged twice (K•••@P•••.COM, Visa •••)' });
    expect(data.tickets.nodes).toContainEqual({ subject: '•••, ••• 78, ＶＩＳＡ •••' });
  });

  it('shows no more in another spelling, nor in the name of a file', async () => {
    const inOthers = `query { ticketByReference(source: "demo", reference: "2") {
      subject messages { nodes { author { displayName } attachments { name } } } } }`;
    const { data, errors } = told(await test.as('ana', inOthers));
    expect(errors).toEqual([]);
    const { subject, messages } = data.ticketByReference;
    expect(subject).toBe('•••, ••• 78, ＶＩＳＡ •••');
    expect(messages.nodes).toEqual([{ author: { displayName: 'K.' }, attachments: [{ name: '••• ••• 78.pdf' }] }]);
  });

  it('shows no more in the number of an order, whose digits stay', async () => {
    const orders = `query Orders { ticketByReference(source: "demo", reference: "1") {
      customer { transactions(first: 5) { nodes { order { reference } } } } } }`;
    const { data, errors } = told(await test.as('ana', orders));
    expect(errors).toEqual([]);
    const references = data.ticketByReference.customer.transactions.nodes.map((node: { order: unknown }) => node.order);
    expect(references).toEqual([{ reference: '0049151123456' }, { reference: 'k•••@p•••.com/17' }]);
  });

  it('is on record as it was shown', async () => {
    const events = await eventsOf(test, () => test.as('ana', read, { reference: '1' }));
    const fields = await shownIn(
      test,
      events.find(({ action }) => action === 'disclosure'),
    );
    const shown = Object.fromEntries(fields.map(([field, verdict, count]) => [field, `${verdict} ${count}`]));
    expect(shown).toMatchObject({
      'Customer.displayName': 'mask:email 1',
      'Customer.email': 'mask:email 1',
      'Ticket.subject': 'mask:hidden 1',
      'Message.body': 'reveal 1',
    });
    expect(fields.filter(([field]) => field === 'Customer.displayName')).toHaveLength(1);
  });
});

it('a contact that the policy shows in its own field is shown wherever it stands', async () => {
  const test = await start(
    policyWith(['      AGENT: "mask:email"\n', '      AGENT: { VERIFIED: reveal, MATCHED: "mask:email", NONE: "mask:email" }\n']),
  );
  const { data } = told(await test.as('ana', read, { reference: '1' }));
  expect(data.ticketByReference.customer).toMatchObject({ displayName: email, email });
  await test.stop();
});
