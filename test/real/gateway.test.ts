import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StripeShapedServer } from '../support/stripe-shaped-server';
import { RealGateway, until } from './gateway';
import { RtPeople, rtConnection, startRt } from './rt';

const connection = rtConnection();
const rt = new RtPeople(connection);
const webhookSecret = 'whsec_of_these_tests';
const day = 86_400;

let stripe: StripeShapedServer;
beforeAll(async () => {
  stripe = await StripeShapedServer.start();
  stripe.now = Math.floor(Date.now() / 1_000) - 5 * day;
});
afterAll(() => stripe.close());

const start = (options: { port?: number; pollSeconds: number; assignmentBoundSeconds: number }): Promise<RealGateway> =>
  RealGateway.start({
    rt: connection,
    rtToken: rt.person(connection.gateway).token,
    stripe: { port: stripe.port, apiKey: stripe.apiKey, webhookSecret },
    ...options,
  });

/** Longer than any test here lasts, in seconds: what follows happens without a poll, or without asking again. */
const never = 3_600;
const longBound = 300;
/** The port that RT's scrip calls. */
const webhookPort = Number(new URL(connection.webhookUrl ?? 'http://none.invalid:0').port);

const sidebar = `query Sidebar($reference: String!) {
  ticketByReference(source: "rt", reference: $reference) {
    reference status channel team subject assignee { displayName } freshness { stale }
    assistance { state automatic }
    customer {
      link displayName email phone paymentsFreshness { stale }
      paymentMethods { brand last4 expiryYear isDefault status billingAddress { line1 city postalCode } }
      transactions(first: 20) { totalCount nodes { amount { minorUnits currency } status declineCode order { reference } risk { band } } }
    }
    messages(first: 20) { nodes { body channel author { __typename displayName } } }
  }
}`;

let people = 0;
const person = (name: string) => {
  people += 1;
  const address = `${name.toLowerCase()}.${people}.${process.pid}@customers.example`;
  return { name: `${name} Person${people}`, address, from: `${name} Person${people} <${address}>` };
};

const writes = (who: { from: string }, queue = 'Cards'): Promise<string> => {
  people += 1;
  return rt.mail(queue, { from: who.from, subject: `My card ${process.pid} ${people}`, text: 'My card was declined.' });
};

/** RT's number for a requestor: what the payment side's metadata names. */
const userId = async (address: string): Promise<string> =>
  String(((await rt.as('root', 'GET', `/user/${encodeURIComponent(address)}`)) as { id: string | number }).id);

/** Someone at the payment provider: a card, a payment that went well and one that was declined. */
const pays = (who: { name: string; address: string }, metadata: Record<string, string> = {}) => {
  const address = {
    line1: `12 ${who.name} Street`,
    line2: null,
    city: 'Utrecht',
    postal_code: '3511 AB',
    state: null,
    country: 'NL',
  };
  const { id } = stripe.createCustomer({ email: who.address, name: who.name, metadata });
  const card = stripe.attachPaymentMethod(id, { billing_details: { address, email: who.address, name: who.name, phone: null } });
  stripe.updateCustomer(id, {
    invoice_settings: { custom_fields: null, default_payment_method: card.id, footer: null, rendering_options: null },
  });
  const intent = stripe.createPaymentIntent({ customer: id, payment_method: card.id, metadata: { order_id: `order-${id}` } });
  const charge = stripe.createCharge({ customer: id, payment_intent: intent.id, payment_method: card.id });
  stripe.updatePaymentIntent(intent.id, 'payment_intent.succeeded', { status: 'succeeded', latest_charge: charge.id });
  stripe.now += 60;
  stripe.createCharge({
    customer: id,
    payment_method: card.id,
    status: 'failed',
    amount: 4_900,
    failure_code: 'card_declined',
    outcome: {
      type: 'issuer_declined',
      reason: 'insufficient_funds',
      risk_level: 'normal',
      network_status: 'declined_by_network',
    },
  });
  return id;
};

const hands = (ticket: string, to: string): Promise<unknown> => rt.change('sam', ticket, { Owner: to });

const reasonsOf = (answer: {
  errors?: readonly { path?: readonly (string | number)[]; extensions: Record<string, unknown> }[];
}) =>
  Object.fromEntries(
    (answer.errors ?? []).map(({ path, extensions }) => [path?.join('.'), extensions.reason ?? extensions.code]),
  );

/** Why anything is missing. */
const whyOf = (answer: Parameters<typeof reasonsOf>[0]): ReadonlySet<unknown> => new Set(Object.values(reasonsOf(answer)));
/** Whoever is shown a customer whom nobody on the payment side knows is told that, and nothing else is in the way. */
const unlinked = new Set(['LINK']);

const refusedFor = (reason: string) => ({
  'ticketByReference.customer': reason,
  'ticketByReference.messages': reason,
});

describe('with webhooks from RT and no poll', () => {
  let gateway: RealGateway;
  beforeAll(async () => {
    gateway = await start({ port: webhookPort, pollSeconds: never, assignmentBoundSeconds: longBound });
  });
  afterAll(() => gateway.stop());

  const opened = (user: string, reference: string) => gateway.as(user, sidebar, { reference });

  /** Does something with a ticket in RT and waits until the gateway has it: only RT's webhook can have told it. */
  const announced = async (ticket: string, work: () => Promise<unknown>): Promise<void> => {
    await work();
    await gateway.hasRead(ticket);
  };

  const written = async (who: { from: string }): Promise<string> => {
    const ticket = await writes(who);
    await gateway.hasRead(ticket);
    return ticket;
  };

  /** A ticket by mail that a supervisor gave to ana. */
  const anasTicket = async (name: string) => {
    const who = person(name);
    const ticket = await written(who);
    await announced(ticket, () => hands(ticket, 'ana'));
    return { ...who, ticket };
  };

  test('a ticket written by mail shows its agent the payment context of the customer whom the payment side names', async () => {
    const vera = person('Vera');
    const ticket = await written(vera);
    pays(vera, { helpdesk_customer: `rt:${await userId(vera.address)}` });
    await announced(ticket, () => hands(ticket, 'ana'));
    await announced(ticket, () =>
      rt.as('ben', 'POST', `/ticket/${ticket}/correspond`, {
        Content: 'Which card? Not 4242 4242 4242 4242?',
        ContentType: 'text/plain',
      }),
    );
    await announced(ticket, () =>
      rt.mail('Cards', { from: vera.from, subject: `Re: [rt.example #${ticket}]`, text: 'That one.' }),
    );

    const answer = await opened('ana', ticket);
    expect(answer).toEqual({
      status: 200,
      data: {
        ticketByReference: {
          reference: ticket,
          status: 'OPEN',
          channel: 'EMAIL',
          team: 'cards',
          subject: expect.stringMatching(/^My card /),
          assignee: { displayName: 'Ana' },
          freshness: { stale: false },
          assistance: { state: 'LIVE', automatic: true },
          customer: {
            link: 'VERIFIED',
            displayName: vera.name,
            email: 'v•••@c•••.•••',
            phone: null,
            paymentsFreshness: { stale: false },
            paymentMethods: [
              {
                brand: 'visa',
                last4: '4242',
                expiryYear: 2030,
                isDefault: true,
                status: 'ACTIVE',
                billingAddress: { line1: null, city: 'Utrecht', postalCode: '35•••' },
              },
            ],
            transactions: {
              totalCount: 2,
              nodes: [
                {
                  amount: { minorUnits: 4_900, currency: 'USD' },
                  status: 'DECLINED',
                  declineCode: 'insufficient_funds',
                  order: null,
                  risk: { band: 'LOW' },
                },
                {
                  amount: { minorUnits: 2_000, currency: 'USD' },
                  status: 'CAPTURED',
                  declineCode: null,
                  order: { reference: expect.stringMatching(/^order-/) },
                  risk: { band: 'LOW' },
                },
              ],
            },
          },
          messages: {
            nodes: [
              {
                body: 'My card was declined.',
                channel: 'EMAIL',
                author: { __typename: 'CustomerAuthor', displayName: expect.any(String) },
              },
              {
                body: expect.stringMatching(/^Which card\? Not .+\?$/),
                channel: 'API',
                author: { __typename: 'StaffAuthor', displayName: 'Ben' },
              },
              { body: 'That one.', channel: 'EMAIL', author: { __typename: 'CustomerAuthor', displayName: expect.any(String) } },
            ],
          },
        },
      },
    });
    const everything = JSON.stringify(answer) + gateway.logLines.join('');
    for (const secret of [vera.address, '4242 4242 4242 4242', `12 ${vera.name} Street`])
      expect(everything).not.toContain(secret);
  });

  test('a ticket that its requestor opens over REST is theirs, and a link by e-mail alone shows less', async () => {
    const rosa = person('Rosa');
    const password = `of-${rosa.address}`;
    await rt.as('root', 'POST', '/user', {
      Name: rosa.address,
      EmailAddress: rosa.address,
      RealName: rosa.name,
      Password: password,
      Privileged: 0,
      Disabled: 0,
    });
    pays(rosa);
    const opening = async () => {
      const response = await fetch(`${connection.url}/REST/2.0/ticket`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${rosa.address}:${password}`).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          Queue: 'Cards',
          Subject: 'From the shop’s form',
          Requestor: rosa.address,
          Content: 'Please help.',
        }),
      });
      return String(((await response.json()) as { id: string | number }).id);
    };
    const ticket = await opening();
    await announced(ticket, () => hands(ticket, 'ana'));
    const { data, errors } = await opened('ana', ticket);
    expect(errors).toBeUndefined();
    expect(data.ticketByReference).toMatchObject({
      channel: 'API',
      assistance: { state: 'LIVE', automatic: true },
      customer: {
        link: 'MATCHED',
        displayName: rosa.name,
        paymentMethods: [{ brand: 'visa', last4: '•••', expiryYear: null, billingAddress: null }],
        transactions: { totalCount: 2 },
      },
      messages: { nodes: [{ body: 'Please help.', author: { __typename: 'CustomerAuthor' } }] },
    });
  });

  test('reassigned in RT, the same query of the same agent is refused as soon as the webhook’s news are read', async () => {
    const { ticket, ...otto } = await anasTicket('Otto');
    pays(otto);
    expect((await opened('ana', ticket)).data.ticketByReference.customer).toMatchObject({ link: 'MATCHED' });
    await announced(ticket, () => hands(ticket, 'ben'));
    const answer = await opened('ana', ticket);
    expect(reasonsOf(answer)).toEqual(refusedFor('NO_ASSISTANCE'));
    expect(answer.data.ticketByReference).toMatchObject({ reference: ticket, assistance: null, customer: null, messages: null });
    expect((await opened('ben', ticket)).data.ticketByReference.customer).toMatchObject({ link: 'MATCHED' });
  });

  test('closed in RT, the same query of the same agent is refused', async () => {
    const { ticket } = await anasTicket('Cleo');
    expect(whyOf(await opened('ana', ticket))).toEqual(unlinked);
    await announced(ticket, () => rt.change('sam', ticket, { Status: 'resolved' }));
    expect(reasonsOf(await opened('ana', ticket))).toEqual(refusedFor('TICKET_CLOSED'));
  });

  describe('an agent after a victim', () => {
    let victim: ReturnType<typeof person>;
    let victimsCustomer: string;
    beforeAll(async () => {
      victim = person('Victoria');
      await written(victim);
      victimsCustomer = pays(victim, { helpdesk_customer: `rt:${await userId(victim.address)}` });
    });

    const showsNothingOfVictim = (answer: unknown): void => {
      const text = JSON.stringify(answer);
      for (const trace of [victim.name, victim.address, victimsCustomer, `order-${victimsCustomer}`, 'Utrecht'])
        expect(text).not.toContain(trace);
    };

    test('gets nothing of them through a ticket opened in their name', async () => {
      const ticket = await rt.create('ana', {
        Queue: 'Cards',
        Subject: 'They called',
        Requestor: victim.address,
        Content: 'x',
        Owner: 'ana',
      });
      await gateway.hasRead(ticket);
      const answer = await opened('ana', ticket);
      expect(reasonsOf(answer)).toEqual(refusedFor('SELF_MADE'));
      showsNothingOfVictim(answer);
    });

    test('gets nothing of them by making them the requestor, nor anything more once that is undone', async () => {
      const { ticket, address } = await anasTicket('Olga');
      expect(whyOf(await opened('ana', ticket))).toEqual(unlinked);
      await announced(ticket, () => rt.change('ana', ticket, { Requestor: [victim.address] }));
      const answer = await opened('ana', ticket);
      expect(reasonsOf(answer)).toEqual(refusedFor('SELF_MADE'));
      showsNothingOfVictim(answer);
      await announced(ticket, () => rt.change('ana', ticket, { Requestor: [address] }));
      expect(reasonsOf(await opened('ana', ticket))).toEqual(refusedFor('SELF_MADE'));
    });

    test('gets nothing of them by writing their payment customer into the ticket or, without the right, into the requestor', async () => {
      const { ticket, address } = await anasTicket('Oona');
      await announced(ticket, () => rt.change('ana', ticket, { CustomFields: { 'Customer Reference': victimsCustomer } }));
      await rt.as('ana', 'PUT', `/user/${encodeURIComponent(address)}`, {
        CustomFields: { 'Payment Customer': victimsCustomer },
      });
      const answer = await opened('ana', ticket);
      expect(whyOf(answer)).toEqual(unlinked);
      expect(answer.data.ticketByReference.customer).toMatchObject({ link: 'NONE', paymentMethods: null });
      showsNothingOfVictim(answer);
    });
  });

  test('a webhook that RT did not sign is answered 401 and leaves nothing behind', async () => {
    const body = JSON.stringify({ event: 'ticket.changed', ticket: 1, transactions: [{ id: 1 }] });
    const at = String(Math.floor(Date.now() / 1_000));
    const post = (secret: string) =>
      fetch(`${gateway.url}/webhooks/rt`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-rt-timestamp': at,
          'x-rt-signature': `sha256=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`,
        },
        body,
      });
    const kept = () => gateway.app.database.query('SELECT event_id FROM upstream_webhook ORDER BY event_id');
    const before = await kept();
    expect((await post('a guess')).status).toBe(401);
    expect(await kept()).toEqual(before);
    expect((await post(connection.webhookSecret)).status).toBe(202);
    expect(await kept()).toHaveLength(before.length + 1);
  });
});

describe('when RT’s webhooks are lost', () => {
  let gateway: RealGateway;
  afterEach(() => gateway.stop());

  const opened = (user: string, reference: string) => gateway.as(user, sidebar, { reference });

  test('the poll finds that a ticket was reassigned, and the same query is refused', async () => {
    const ticket = await writes(person('Petra'));
    await hands(ticket, 'ana');
    // the bound is far away: nothing but the poll can bring the news
    gateway = await start({ pollSeconds: 0.5, assignmentBoundSeconds: longBound });
    expect(whyOf(await opened('ana', ticket))).toEqual(unlinked);
    await hands(ticket, 'ben');
    const isRefused = async () => 'ticketByReference.customer' in reasonsOf(await opened('ana', ticket));
    await until('the poll brings the news', isRefused);
    expect(reasonsOf(await opened('ana', ticket))).toEqual(refusedFor('NO_ASSISTANCE'));
  });

  test('a ticket that was reassigned is refused once the last confirmation is older than the bound, without any poll', async () => {
    const ticket = await writes(person('Rita'));
    await hands(ticket, 'ana');
    gateway = await start({ pollSeconds: never, assignmentBoundSeconds: 5 });
    expect(whyOf(await opened('ana', ticket))).toEqual(unlinked);
    await hands(ticket, 'ben');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(reasonsOf(await opened('ana', ticket))).toEqual(refusedFor('NO_ASSISTANCE'));
  });

  test('RT down costs what stands on its word, and nothing once it is back', async () => {
    const sven = person('Sven');
    const ticket = await writes(sven);
    await hands(ticket, 'ana');
    pays(sven);
    gateway = await start({ pollSeconds: 0.5, assignmentBoundSeconds: 5 });
    expect((await opened('ana', ticket)).data.ticketByReference.customer).toMatchObject({ link: 'MATCHED' });

    const file = join(connection.directory, 'connection.json');
    const details = readFileSync(file, 'utf8');
    const pid = Number(readFileSync(join(connection.directory, 'rt.pid'), 'utf8'));
    process.kill(pid);
    try {
      await new Promise((resolve) => setTimeout(resolve, 5_500));
      const answer = await opened('ana', ticket);
      expect(answer.status).toBe(200);
      expect(reasonsOf(answer)).toEqual({ ...refusedFor('STALE'), 'ticketByReference.subject': 'STALE' });
      expect(answer.data.ticketByReference).toMatchObject({
        reference: ticket,
        status: 'NEW',
        assignee: { displayName: 'Ana' },
        freshness: { stale: true },
        customer: null,
        messages: null,
      });
      const ready = await fetch(`${gateway.url}/readyz`);
      expect([ready.status, await ready.json()]).toMatchObject([
        200,
        {
          status: 'ready',
          database: 'ok',
          sources: { rt: { state: expect.stringMatching(/refused|unavailable|open|timeout/) }, stripe: { state: 'ok' } },
        },
      ]);
    } finally {
      await startRt(connection.directory, Number(new URL(connection.url).port), connection);
      writeFileSync(file, details, { mode: 0o600 });
    }
    await until('RT is read again', async () => (await opened('ana', ticket)).errors === undefined);
    expect((await opened('ana', ticket)).data.ticketByReference).toMatchObject({
      freshness: { stale: false },
      customer: { link: 'MATCHED' },
    });
  });
});
