import { loadConfig } from '../../src/config/load';
import type { Linking } from '../../src/features/customers/linking';
import type { SourceRegistry } from '../../src/features/sources/registry';
import { Resilience } from '../../src/upstream/resilience';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';
import { besideDemo, StripeShapedServer } from '../support/stripe-shaped-server';

const minute = 60_000;

/** A helpdesk that takes several requests for a ticket, a few of them at once, as connectors over HTTP do. */
class BusyHelpdesk extends ScriptedHelpdesk {
  mostAtOnce = 0;
  private underWay = 0;
  private readonly resilience = new Resilience('demo');

  override async fetchTicket(reference: string) {
    for (let request = 0; request < 3; request += 1) await Promise.all([this.ask(), this.ask()]);
    return super.fetchTicket(reference);
  }

  private ask(): Promise<void> {
    return this.resilience.call(async () => {
      this.underWay += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay);
      await new Promise(setImmediate);
      this.underWay -= 1;
    });
  }
}

const metric = async (test: TestApp, line: string): Promise<number> => {
  const { body } = await test.server.inject({ url: '/metrics' });
  return Number(new RegExp(`^${line.replace(/[{}"]/g, '\\$&')} (\\d+)$`, 'm').exec(body)?.[1]);
};

describe('a desk where everybody has paid', () => {
  const people = 60;
  let stripe: StripeShapedServer;
  let helpdesk: ScriptedHelpdesk;
  let test: TestApp;
  const unlucky = 'person-17';
  /** The provider's ids of its customers. */
  const ids = new Map<string, string>();
  const failing = { kind: 'status', status: 500 } as const;

  beforeEach(async () => {
    stripe = await StripeShapedServer.start();
    helpdesk = new ScriptedHelpdesk('demo');
    ids.clear();
    for (let number = 1; number <= people; number += 1) {
      const reference = `person-${number}`;
      helpdesk.put(String(number), { customer: helpdeskCustomer(reference) });
      const { id } = stripe.createCustomer({
        email: `${reference}@people.example.com`,
        metadata: { helpdesk_customer: `demo:${reference}` },
      });
      stripe.attachPaymentMethod(id);
      ids.set(reference, id);
    }
    stripe.failNext(1_000, failing, new RegExp(`/customers/${ids.get(unlucky)}/payment_methods`));
    test = await TestApp.start({
      connectors: { demo: helpdesk },
      config: {
        sources: besideDemo(stripe, { retries: 0, attemptTimeout: 30_000, breakFor: 1_000 }),
      },
      sync: false,
    });
    helpdesk.now = test.clock.now;
  });
  afterEach(async () => {
    await test.stop();
    await stripe.close();
  });

  it('links all of them at once but the one at whom the provider fails, who is set aside and linked once it doesn’t', async () => {
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ source: 'stripe', why: 'fault' });
    expect(await countOf(test, 'helpdesk_customer', "link = 'VERIFIED'")).toBe(people - 1);
    const aside = () =>
      test.app.database.query(
        'SELECT reference, link_tries FROM helpdesk_customer WHERE linked_at IS NULL AND link_next_at IS NOT NULL',
      );
    expect(await aside()).toEqual([{ reference: unlucky, link_tries: expect.any(Number) }]);
    expect(await metric(test, 'counterfoil_unlinked_customers{source="demo",state="waiting"}')).toBe(1);
    expect(await metric(test, 'counterfoil_unlinked_customers{source="demo",state="set_aside"}')).toBe(1);
    // Both sides were read to their end all the same: one customer is no fault of a source.
    expect((await test.app.sources.health()).find(({ name }) => name === 'demo')).toMatchObject({ fault: null });
    // What the linking of a running gateway does: told of once, and not kept beside the provider.
    const linking = Reflect.get(test.app.sources, 'linking') as Linking;
    await expect(linking.linkDue({ setAsideToo: true })).resolves.toMatchObject({ source: 'stripe', why: 'fault' });
    stripe.recover();
    test.clock.forward(60 * minute);
    await test.app.sources.syncAll();
    expect(await aside()).toEqual([]);
    expect(await countOf(test, 'helpdesk_customer', "link = 'VERIFIED'")).toBe(people);
    expect(await metric(test, 'counterfoil_unlinked_customers{source="demo",state="waiting"}')).toBe(0);
  });

  it('leaves nobody out because the provider was away for a while, and blames the provider', async () => {
    stripe.recover();
    stripe.failNext(100_000, failing);
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ source: 'stripe' });
    expect(await countOf(test, 'helpdesk_ticket')).toBe(people);
    expect(await countOf(test, 'helpdesk_customer', "link <> 'NONE'")).toBe(0);
    const { body } = await test.server.inject({ url: '/readyz' });
    expect(JSON.parse(body).sources.demo).toMatchObject({ state: 'ok' });
    stripe.recover();
    test.clock.forward(60 * minute);
    // The circuit opens by the machine's clock.
    for (let tries = 0; tries < 40 && (await countOf(test, 'helpdesk_customer', "link = 'VERIFIED'")) < people; tries += 1) {
      await test.app.sources.syncAll().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(await countOf(test, 'helpdesk_customer', "link = 'VERIFIED'")).toBe(people);
  });

  it('is no source itself: a fault of ours while customers are linked makes up none', async () => {
    const registry = Reflect.get(test.app.sources, 'registry') as SourceRegistry;
    await registry.keepFault('payments', new Error('of our own'));
    expect(await countOf(test, 'upstream_source', "name = 'payments'")).toBe(0);
  });

  it('follows what changed at the provider, though it fails at one of those who changed', async () => {
    stripe.recover();
    await test.app.sources.syncAll();
    const changed = ['person-3', unlucky, 'person-59'];
    const customers = changed.map((name) => ids.get(name) as string);
    stripe.now += 60;
    for (const customer of customers) stripe.attachPaymentMethod(customer, { card: { last4: '7777' } });
    stripe.failNext(1_000, failing, new RegExp(`/customers/${customers[1]}/payment_methods`));
    test.clock.forward(10_000);
    await test.app.sources.syncAll().catch(() => {});
    const shown = async (reference: string) => {
      const [row] = await test.app.database.query<{ n: number; observed: number }>(
        "SELECT COUNT(*) AS n FROM payment_method m JOIN helpdesk_customer c ON c.payment_customer_id = m.payment_customer_id WHERE c.reference = ? AND m.last4 = '7777'",
        [reference],
      );
      return Number(row?.n);
    };
    expect(await Promise.all(changed.map(shown))).toEqual([1, 0, 1]);
    // No poll vouches for what it couldn't read.
    const stale = `query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { customer { paymentsFreshness { stale } } } }`;
    test.clock.forward(301_000);
    await test.app.sources.syncAll().catch(() => {});
    const answer = told(await test.as('ana', stale, { reference: '17' }));
    expect(answer.data.ticketByReference.customer.paymentsFreshness).toEqual({ stale: true });
    expect(told(await test.as('ana', stale, { reference: '3' })).data.ticketByReference.customer.paymentsFreshness).toEqual({
      stale: false,
    });
    stripe.recover();
    test.clock.forward(60 * minute);
    await test.app.sources.syncAll();
    expect(await Promise.all(changed.map(shown))).toEqual([1, 1, 1]);
  });
});

describe('forty agents in one second', () => {
  const start = async (helpdesk: ScriptedHelpdesk) => {
    const test = await TestApp.start({
      connectors: { demo: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') },
      config: { rateLimit: 100_000 },
      sync: false,
    });
    helpdesk.now = test.clock.now;
    return test;
  };
  const open =
    'query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { reference customer { displayName } } }';

  it('each open a ticket that nobody saw before, and all of them see it', async () => {
    const helpdesk = new BusyHelpdesk('demo');
    const test = await start(helpdesk);
    const references = Array.from({ length: 40 }, (_, index) => String(index + 1));
    for (const reference of references) helpdesk.put(reference, { assignee: 'ana' });
    const answers = await Promise.all(references.map((reference) => test.as('ana', open, { reference })));
    await test.stop();
    expect(answers.map(({ data }) => data.ticketByReference?.reference)).toEqual(references);
    expect(helpdesk.mostAtOnce).toBe(8);
  });

  it('are told that the helpdesk doesn’t answer, not that it has too much to do, while it is down', async () => {
    const helpdesk = new BusyHelpdesk('demo');
    const test = await start(helpdesk);
    helpdesk.goDown();
    const references = Array.from({ length: 40 }, (_, index) => String(index + 1));
    const answers = await Promise.all(references.map((reference) => test.as('ana', open, { reference })));
    await test.stop();
    expect(new Set(answers.map((answer) => JSON.stringify(told(answer))))).toEqual(
      new Set([JSON.stringify({ data: { ticketByReference: null }, errors: [['ticketByReference', 'UPSTREAM_UNAVAILABLE']] })]),
    );
  });

  it('wait for a helpdesk that hangs no longer than they were promised', async () => {
    const helpdesk = new ScriptedHelpdesk('demo');
    const test = await TestApp.start({
      connectors: { demo: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') },
      config: { sync: { ...loadConfig({ NODE_ENV: 'test', CONFIG_FILE: '' }).sync, openSeconds: 1 } },
      sync: false,
    });
    helpdesk.now = test.clock.now;
    helpdesk.put('1');
    const held = helpdesk.hold();
    const answer = told(await test.as('ana', open, { reference: '1' }));
    expect(answer).toEqual({ data: { ticketByReference: null }, errors: [['ticketByReference', 'UPSTREAM_UNAVAILABLE']] });
    held.release();
    // What came too late for the one who asked is stored all the same.
    await expect(test.app.sources.refreshTicket('demo', '1')).resolves.toBe(true);
    expect((await test.as('ana', open, { reference: '1' })).data.ticketByReference.reference).toBe('1');
    await test.stop();
  });
});
