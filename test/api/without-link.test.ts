import { demoTickets } from '../../src/development/merchant/cast';
import { eventsOf, policyWith, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { shownIn } from '../support/disclosed';
import { recordOf } from '../support/recorder';

const payments = 'paymentMethods { last4 } transactions(first: 2) { nodes { status } } paymentsFreshness { stale }';
const panel = `query Panel($reference: String!) { ticketByReference(source: "demo", reference: $reference) { customer { ${payments} } } }`;
const unlinked = { reference: demoTickets.twoCandidates.reference };
const nothing = { paymentMethods: null, transactions: null, paymentsFreshness: null };
const forLackOfLink = ['paymentMethods', 'transactions', 'paymentsFreshness'].map((field) => [
  `ticketByReference.customer.${field}`,
  'DENIED',
  'LINK',
]);

describe('payments of a customer whom nobody knows on the payment side', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());

  /** The events of some work, those included that are only counted so far. */
  const recorded = (work: () => Promise<unknown>) =>
    eventsOf(test, async () => {
      await work();
      await recordOf(test.app).denials.close();
    });

  it('say that there is no link, however often they are asked for, and what would help', async () => {
    for (const _ of ['interpreted', 'interpreted', 'compiled', 'compiled']) {
      const answer = await test.as('ana', panel, unlinked);
      const { data, errors } = told(answer);
      expect(data).toEqual({ ticketByReference: { customer: nothing } });
      expect(errors).toHaveLength(forLackOfLink.length);
      expect(errors).toEqual(expect.arrayContaining(forLackOfLink));
      for (const { extensions } of answer.errors ?? [])
        expect(extensions).toEqual({
          code: 'DENIED',
          reason: 'LINK',
          rule: expect.stringMatching(/^Customer\./),
          remedy: expect.stringContaining('payment side'),
        });
    }
  });

  it('look like none where there are none', async () => {
    const { reference } = demoTickets.own;
    const { data } = await test.as('ana', `{ ticketByReference(source: "demo", reference: "${reference}") { customer { id } } }`);
    const { id } = data.ticketByReference.customer as { id: string };
    const payer = '(SELECT payment_customer_id FROM helpdesk_customer WHERE id = ?)';
    await tamper(test.app.database, `UPDATE payment_method SET status = 'REMOVED' WHERE payment_customer_id = ${payer}`, [id]);
    await tamper(test.app.database, `DELETE FROM payment_transaction WHERE payment_customer_id = ${payer}`, [id]);
    const answer = told(
      await test.as('ana', `{ customer(id: "${id}") { link paymentMethods { last4 } transactions { nodes { status } } } }`),
    );
    expect(answer).toEqual({
      data: { customer: { link: 'VERIFIED', paymentMethods: [], transactions: { nodes: [] } } },
      errors: [],
    });
  });

  it('are on record as what they tell, the link; the log has no denial of them', async () => {
    const ticketId = await ticketIdOf(test, unlinked.reference);
    const [assistance] = await test.app.database.query<{ id: string }>(
      'SELECT id FROM assistance WHERE ticket_id = ? AND ended_at IS NULL',
      [ticketId],
    );
    const events = await recorded(() => test.as('ana', panel, unlinked));
    expect(events.map(({ action }) => action).filter((action) => action !== 'plan.register')).toEqual(['disclosure']);
    const shown = events.find(({ action }) => action === 'disclosure');
    expect(shown).toMatchObject({ ticket: ticketId, assistance: assistance?.id, customers: [expect.any(String)] });
    expect(await shownIn(test, shown)).toEqual(
      expect.arrayContaining([
        ['Customer.link', 'reveal', 3],
        ['Customer.paymentMethods', 'omit', 1],
      ]),
    );
  });

  it('cost no statement more than the link itself', async () => {
    const asked = async (selection: string) => {
      const document = `query Cost { ticketByReference(source: "demo", reference: "${unlinked.reference}") { customer { ${selection} } } }`;
      for (let round = 0; round < 3; round += 1) await test.as('ana', document);
      const before = test.statements.length;
      await test.as('ana', document);
      return test.statements.slice(before).filter((statement) => statement.startsWith('SELECT')).length;
    };
    const byItself = await asked('link paymentsFreshness { stale }');
    expect(byItself).toBeGreaterThan(0);
    expect(await asked(`link ${payments}`)).toBe(byItself);
  });

  it('are told of once in a list, and those of others are shown', async () => {
    const list = '{ tickets(first: 50) { nodes { reference customer { link paymentMethods { last4 } } } } }';
    const { reference } = demoTickets.matched;
    await test.as('ana', panel, { reference });
    const answer = told(await test.as('ana', list));
    const ofLink = answer.errors.filter(([, , reason]) => reason === 'LINK');
    expect(ofLink).toEqual([['tickets.nodes', 'DENIED', 'LINK']]);
    const nodes = answer.data.tickets.nodes as {
      reference: string;
      customer: { link: string; paymentMethods: unknown } | null;
    }[];
    expect(nodes.find((node) => node.reference === unlinked.reference)?.customer).toEqual({ link: 'NONE', paymentMethods: null });
    expect(nodes.find((node) => node.reference === reference)?.customer).toMatchObject({ link: 'MATCHED' });
    expect(nodes.find((node) => node.reference === reference)?.customer?.paymentMethods).not.toHaveLength(0);
  });

  it('say nothing of it without an assistance, nor without a second factor', async () => {
    const reasons = async (who: string | { readonly token: string }) => {
      const { data, errors } = told(await test.as(who, panel, unlinked));
      return [JSON.stringify(data), [...new Set(errors.map(([, , reason]) => reason))].sort()];
    };
    const closed = JSON.stringify({ ticketByReference: { customer: null } });
    // A supervisor of the team opens it: no assistance begins by itself on a ticket that is somebody else's.
    expect(await reasons('sam')).toEqual([closed, ['NO_ASSISTANCE']]);
    const [, withoutFactor] = await reasons({ token: await test.token('ana', { mfa: false }) });
    expect(withoutFactor).toEqual(['MFA_REQUIRED']);
  });

  it('say nothing of it once the assistance has ended', async () => {
    const ticketId = await ticketIdOf(test, unlinked.reference);
    const { data } = await test.as('ana', `{ ticket(id: "${ticketId}") { assistance { id } customer { id } } }`);
    const { assistance, customer } = data.ticket as Record<'assistance' | 'customer', { id: string }>;
    const { data: ended } = await test.as('ana', `mutation { endAssistance(id: "${assistance.id}") { state } }`);
    expect(ended.endAssistance).toEqual({ state: 'ENDED' });
    expect(told(await test.as('ana', `{ customer(id: "${customer.id}") { ${payments} } }`))).toEqual({
      data: { customer: null },
      errors: [['customer', 'NOT_FOUND']],
    });
  });
});

describe('a policy that doesn’t tell a role of links', () => {
  it.each([
    ['denies it', 'deny'],
    ['leaves it out', 'omit'],
  ])('and %s has payments without one look like none', async (_, verdict) => {
    const policy = policyWith([
      "link: { AGENT: reveal, SUPERVISOR: reveal, '*': deny }",
      `link: { AGENT: ${verdict}, SUPERVISOR: reveal, '*': deny }`,
    ]);
    const test = await TestApp.start({ policy });
    try {
      for (let round = 0; round < 3; round += 1)
        expect(told(await test.as('ana', panel, unlinked))).toEqual({
          data: { ticketByReference: { customer: nothing } },
          errors: [],
        });
      const events = await test.events('disclosure');
      expect((await shownIn(test, events.at(-1))).map(([field]) => field)).not.toContain('Customer.link');
    } finally {
      await test.stop();
    }
  });

  it('says that the role isn’t shown payments where it never is', async () => {
    const policy = policyWith(
      ['paymentMethods: { AGENT: reveal', 'paymentMethods: { AGENT: deny'],
      ['transactions: { AGENT: reveal', 'transactions: { AGENT: omit'],
    );
    const test = await TestApp.start({ policy });
    try {
      const { errors } = told(await test.as('ana', panel, unlinked));
      expect(errors).toEqual([
        ['ticketByReference.customer.paymentMethods', 'DENIED', 'ROLE'],
        ['ticketByReference.customer.paymentsFreshness', 'DENIED', 'LINK'],
      ]);
    } finally {
      await test.stop();
    }
  });
});
