import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { demoTickets } from '../../src/development/merchant/cast';
import { TestApp } from '../support/app';
import { cardOf, StripeShapedServer } from '../support/stripe-shaped-server';

const stripeSecret = 'whsec_canary_secret';
const rtSecret = 'rt-canary-secret';
const canary = 'canary@customers.example';

/** An RT that knows no ticket, or doesn't answer. */
class EmptyRt {
  isDown = false;
  requests = 0;
  private constructor(private readonly server: Server) {}

  static async start(): Promise<EmptyRt> {
    const server = createServer((_request, response) => {
      rt.requests += 1;
      response.writeHead(rt.isDown ? 500 : 200, { 'content-type': 'application/json' });
      const nothing = { count: 0, total: 0, page: 1, pages: 0, per_page: 100, items: [] };
      response.end(JSON.stringify(rt.isDown ? { message: 'Internal error' } : nothing));
    });
    const rt = new EmptyRt(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return rt;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const resilience = { attemptTimeout: 2_000, retries: 0, breakAfter: 100, breakFor: 100 };

const paymentMethods = `query($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) { customer { link paymentMethods { last4 } } }
}`;

describe('webhooks', () => {
  let app: TestApp;
  let stripe: StripeShapedServer;
  let rt: EmptyRt;
  let customer: string;

  beforeAll(async () => {
    [stripe, rt] = await Promise.all([StripeShapedServer.start(), EmptyRt.start()]);
    const helpdeskCustomer = `demo:${await customerReference()}`;
    customer = stripe.createCustomer({ email: canary, metadata: { helpdesk_customer: helpdeskCustomer } }).id;
    stripe.attachPaymentMethod(customer, { card: cardOf({ last4: '4242' }) });
    app = await TestApp.start({
      config: {
        sources: {
          helpdesk: [
            { kind: 'demo', name: 'demo' },
            { kind: 'rt', name: 'rt', url: rt.url, token: 'rt-token', webhookSecret: rtSecret, teams: {}, resilience },
          ],
          payments: [
            {
              kind: 'stripe',
              name: 'stripe',
              apiKey: stripe.apiKey,
              url: `http://127.0.0.1:${stripe.port}`,
              webhookSecret: stripeSecret,
              resilience,
            },
          ],
        },
      },
      sync: false,
    });
  });
  afterAll(async () => {
    await app.stop();
    await Promise.all([stripe.close(), rt.stop()]);
  });

  /** The demo helpdesk's own name of the customer of Ana's ticket. */
  const customerReference = async (): Promise<string> => {
    const probe = await TestApp.start({ sync: false });
    const snapshot = await probe.helpdesk.fetchTicket(demoTickets.own.reference);
    await probe.stop();
    return snapshot?.ticket.customer?.reference as string;
  };

  const seconds = () => Math.floor(app.clock.now().getTime() / 1_000);

  const post = async (url: string, payload: string | Buffer, headers: Record<string, string>) => {
    const response = await app.server.inject({
      method: 'POST',
      url,
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.statusCode, body: response.body, outcome: (response.json() as { outcome?: string }).outcome };
  };

  const stripeSignature = (payload: string, { timestamp = seconds(), secret = stripeSecret } = {}) =>
    new Stripe('sk_test_unused').webhooks.generateTestHeaderString({ payload, secret, timestamp });

  const stripeEvent = (fields: object = {}) =>
    JSON.stringify({
      id: 'evt_plain',
      object: 'event',
      created: seconds() - 3,
      livemode: false,
      type: 'customer.updated',
      data: { object: { id: customer, object: 'customer', email: canary } },
      ...fields,
    });
  const fromStripe = (payload: string, signed: { timestamp?: number; secret?: string } = {}) =>
    post('/webhooks/stripe', payload, { 'stripe-signature': stripeSignature(payload, signed) });

  const fromRt = (payload: string, { at = seconds(), secret = rtSecret } = {}) =>
    post('/webhooks/rt', payload, {
      'x-rt-timestamp': String(at),
      'x-rt-signature': `sha256=${createHmac('sha256', secret).update(`${at}.`).update(payload).digest('hex')}`,
    });
  const rtNotice = (ticket: number, transaction: number, event = 'ticket.changed') =>
    JSON.stringify({ event, ticket, transactions: [{ id: transaction }] });

  const receipts = (source?: string) =>
    app.app.database.query(
      `SELECT source, event_id, type, state, size, digest FROM upstream_webhook ${source ? 'WHERE source = ?' : ''} ORDER BY event_id`,
      source ? [source] : [],
    );
  const stored = async () => [(await receipts()).length, (await app.events()).length];

  it('from nobody in particular are refused with 401, whatever is wrong, and leave nothing', async () => {
    const before = await stored();
    const event = stripeEvent();
    const right = stripeSignature(event);
    const answers = await Promise.all([
      post('/webhooks/stripe', event, {}),
      post('/webhooks/stripe', event, { 'stripe-signature': 'garbage' }),
      post('/webhooks/stripe', `${event} `, { 'stripe-signature': right }),
      fromStripe(event, { secret: 'whsec_other' }),
      fromStripe(event, { timestamp: seconds() - 301 }),
      fromStripe(event, { timestamp: seconds() + 301 }),
      fromStripe('not JSON'),
      fromStripe('{"id":"evt_1"}'),
      post('/webhooks/rt', event, { 'stripe-signature': right }),
      fromRt(rtNotice(1, 1), { secret: 'other' }),
      fromRt(rtNotice(1, 1), { at: seconds() - 301 }),
      fromRt(rtNotice(1, 1), { at: seconds() + 301 }),
      post('/webhooks/demo', event, {}),
      post('/webhooks/nobody', event, { 'stripe-signature': right }),
      post('/webhooks/__proto__', event, {}),
      post('/webhooks/constructor', event, {}),
      post('/webhooks/rt', '', {}),
      post('/webhooks/stripe', event, { 'content-type': 'text/plain', 'stripe-signature': 'x'.repeat(5_000) }),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    // One answer for all: not even which sources there are can be told from it.
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(await stored()).toEqual(before);
    expect(rt.requests).toBe(0);
  });

  it('over the largest size are refused before anything is judged', async () => {
    const before = await stored();
    const { status } = await fromStripe(stripeEvent({ padding: 'x'.repeat(300_000) }));
    expect(status).toBe(413);
    expect(await stored()).toEqual(before);
  });

  it('that are proven lead to reading again, and their content is not believed', async () => {
    await app.app.sources.refreshTicket('demo', demoTickets.own.reference);
    const shown = async () => {
      const { data } = await app.as('ana', paymentMethods, { reference: demoTickets.own.reference });
      return data.ticketByReference.customer.paymentMethods.map(({ last4 }: { last4: string }) => last4).sort();
    };
    expect(await shown()).toEqual(['4242']);
    stripe.attachPaymentMethod(customer, { card: cardOf({ last4: '0005' }) });
    const event = stripeEvent({
      id: 'evt_attached',
      type: 'payment_method.attached',
      data: { object: { id: 'pm_forged', object: 'payment_method', customer, card: { last4: '6666' } } },
    });
    expect(await fromStripe(event)).toMatchObject({ status: 202, outcome: 'accepted' });
    expect(await shown()).toEqual(['0005', '4242']);
    expect(await receipts('stripe')).toEqual([
      {
        source: 'stripe',
        event_id: 'evt_attached',
        type: 'payment_method.attached',
        state: 'APPLIED',
        size: expect.anything(),
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it('that come twice are taken once', async () => {
    const event = stripeEvent({ id: 'evt_twice' });
    expect((await fromStripe(event)).outcome).toBe('accepted');
    const asked = stripe.requests.length;
    expect(await fromStripe(event)).toMatchObject({ status: 202, outcome: 'duplicate' });
    // Signed anew a minute later, as a retry is.
    expect((await fromStripe(event, { timestamp: seconds() + 60 })).outcome).toBe('duplicate');
    expect(stripe.requests.length).toBe(asked);
    const atOnce = await Promise.all(Array.from({ length: 5 }, () => fromStripe(stripeEvent({ id: 'evt_at_once' }))));
    expect(atOnce.every(({ status }) => status === 202)).toBe(true);
    expect((await receipts('stripe')).filter(({ event_id }) => event_id === 'evt_at_once')).toHaveLength(1);
  });

  it('whose ids differ in case only are two', async () => {
    expect((await fromStripe(stripeEvent({ id: 'evt_case' }))).outcome).toBe('accepted');
    expect((await fromStripe(stripeEvent({ id: 'evt_CASE' }))).outcome).toBe('accepted');
  });

  it('that come in disorder never bring back an older state', async () => {
    stripe.updateCustomer(customer, { name: 'Newest' });
    const older = stripeEvent({
      id: 'evt_older',
      created: seconds() - 200,
      data: { object: { id: customer, object: 'customer', name: 'Older' } },
    });
    const newer = stripeEvent({ id: 'evt_newer', created: seconds() - 1 });
    expect([(await fromStripe(newer)).outcome, (await fromStripe(older)).outcome]).toEqual(['accepted', 'accepted']);
    const { data } = await app.as('ana', paymentMethods, { reference: demoTickets.own.reference });
    expect(data.ticketByReference.customer.link).toBe('VERIFIED');
  });

  it('whose source is down are answered 503 and handled when they come again', async () => {
    const event = stripeEvent({ id: 'evt_while_down' });
    stripe.failNext(100, { kind: 'status', status: 500 });
    expect(await fromStripe(event)).toMatchObject({ status: 503 });
    expect((await fromStripe(event)).status).toBe(503);
    expect((await receipts('stripe')).find(({ event_id }) => event_id === 'evt_while_down')?.state).toBe('PENDING');
    stripe.recover();
    expect(await fromStripe(event)).toMatchObject({ status: 202, outcome: 'accepted' });
    expect((await receipts('stripe')).find(({ event_id }) => event_id === 'evt_while_down')?.state).toBe('APPLIED');
    expect((await fromStripe(event)).outcome).toBe('duplicate');
  });

  it('whose source was down and that never come again are settled by the next complete reading', async () => {
    const event = stripeEvent({ id: 'evt_lost' });
    stripe.failNext(100, { kind: 'status', status: 500 });
    expect((await fromStripe(event)).status).toBe(503);
    stripe.recover();
    await app.app.sources.syncAll().catch(() => {});
    const state = async () => (await receipts('stripe')).find(({ event_id }) => event_id === 'evt_lost')?.state;
    app.clock.forward(61_000);
    // The RT of this test has no list of tickets: its own fault must not hold up the other source.
    await app.app.sources.syncAll().catch(() => {});
    await settled(app);
    expect(await state()).toBe('APPLIED');
  });

  it('of RT are judged by its own signature', async () => {
    expect(await fromRt(rtNotice(7, 100))).toMatchObject({ status: 202, outcome: 'accepted' });
    expect((await fromRt(rtNotice(7, 100))).outcome).toBe('duplicate');
    rt.isDown = true;
    expect((await fromRt(rtNotice(8, 101))).status).toBe(503);
    rt.isDown = false;
    app.clock.forward(1_000);
    expect((await fromRt(rtNotice(8, 101))).outcome).toBe('accepted');
    expect((await receipts('rt')).map(({ event_id, state }) => [event_id, state])).toEqual([
      ['ticket:7:100-100', 'APPLIED'],
      ['ticket:8:101-101', 'APPLIED'],
    ]);
  });

  it('that are proven and not understood are kept without their content, counted, and asked for nothing', async () => {
    const asked = stripe.requests.length;
    const body = stripeEvent({
      id: 'evt_future',
      type: 'invoice.futuristic',
      data: { object: { id: 'in_1', customer_email: canary } },
    });
    expect(await fromStripe(body)).toMatchObject({ status: 202, outcome: 'kept' });
    expect((await fromStripe(body)).outcome).toBe('duplicate');
    expect((await fromRt(rtNotice(9, 102, 'queue.renamed'))).outcome).toBe('kept');
    expect(stripe.requests.length).toBe(asked);
    const [kept] = (await receipts('stripe')).filter(({ state }) => state === 'UNKNOWN');
    expect({ ...kept, size: Number(kept?.size) }).toEqual({
      source: 'stripe',
      event_id: 'evt_future',
      type: 'invoice.futuristic',
      state: 'UNKNOWN',
      size: Buffer.byteLength(body),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const metrics = (await app.server.inject({ method: 'GET', url: '/metrics' })).body;
    expect(metrics).toMatch(/counterfoil_webhooks_total\{source="stripe",outcome="kept"\} 1\n/);
    expect(metrics).toMatch(/counterfoil_webhooks_total\{source="rt",outcome="kept"\} 1\n/);
    expect(metrics).toMatch(/counterfoil_webhooks_total\{source="\(unproven\)",outcome="rejected"\} \d+\n/);
    for (const text of [JSON.stringify(await receipts()), metrics, app.logLines.join(''), JSON.stringify(await app.events())])
      expect(text).not.toMatch(/canary|nobody|__proto__/);
  });

  it('that were not understood are made up for by a version that does', async () => {
    await settled(app);
    app.clock.forward(5_000);
    // As a version left it that knew nothing of this type.
    const kept = stripeEvent({ id: 'evt_kept', type: 'payment_method.attached', account: 'acct_other', created: seconds() });
    expect((await fromStripe(kept)).outcome).toBe('kept');
    const state = async () => (await receipts('stripe')).find(({ event_id }) => event_id === 'evt_kept')?.state;
    const asksForCustomer = async (): Promise<boolean> => {
      const asked = stripe.requests.length;
      await settled(app);
      return stripe.requests.slice(asked).some(({ path }) => path.includes(customer));
    };
    app.clock.forward(1_000);
    expect([await asksForCustomer(), await state()]).toEqual([false, 'UNKNOWN']);
    await app.restart();
    expect([await asksForCustomer(), await state()]).toEqual([true, 'APPLIED']);
    expect(await asksForCustomer()).toBe(false);
    // The one that still nobody understands waits on.
    expect((await receipts('stripe')).filter(({ state: each }) => each === 'UNKNOWN')).toHaveLength(1);
  });

  it('that were not understood are handled when they come again to a version that does', async () => {
    const event = (fields: object) => stripeEvent({ id: 'evt_again', type: 'customer.updated', ...fields });
    expect((await fromStripe(event({ account: 'acct_other' }))).outcome).toBe('kept');
    expect((await fromStripe(event({}))).outcome).toBe('accepted');
    expect((await fromStripe(event({}))).outcome).toBe('duplicate');
  });
});

/** One turn of the payments side as the loop makes it. */
const settled = (app: TestApp): Promise<void> =>
  (Reflect.get(app.app.sources, 'polling') as { syncPayments(name: string): Promise<void> }).syncPayments('stripe');
