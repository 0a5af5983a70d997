import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { helpdeskCustomer, ScriptedHelpdesk } from '../support/scripted-sources';
import { besideDemo, StripeShapedServer } from '../support/stripe-shaped-server';

const day = 86_400_000;

/** What a source says to an account that sees nothing of what it saw before: nothing is gone. */
describe('a payment key of another account or mode', () => {
  const people = [1, 2, 3];
  let stripe: StripeShapedServer;
  let helpdesk: ScriptedHelpdesk;
  let test: TestApp;
  let ids: string[];

  beforeEach(async () => {
    stripe = await StripeShapedServer.start();
    helpdesk = new ScriptedHelpdesk('demo');
    ids = people.map((number) => {
      helpdesk.put(String(number), { customer: helpdeskCustomer(`person-${number}`) });
      const { id } = stripe.createCustomer({
        email: `person-${number}@people.example.com`,
        metadata: { helpdesk_customer: `demo:person-${number}` },
      });
      stripe.attachPaymentMethod(id);
      return id;
    });
    test = await TestApp.start({
      connectors: { demo: helpdesk },
      config: {
        sources: besideDemo(stripe, { retries: 0, breakFor: 1_000 }),
      },
    });
    helpdesk.now = test.clock.now;
  });
  afterEach(async () => {
    await test.stop();
    await stripe.close();
  });

  const kept = async () => ({
    linked: await countOf(test, 'helpdesk_customer', "link = 'VERIFIED'"),
    gone: await countOf(test, 'payment_customer', 'gone = 1'),
    removed: await countOf(test, 'payment_method', "status = 'REMOVED'"),
  });
  const all = { linked: people.length, gone: 0, removed: 0 };
  const state = async () => {
    const { body } = await test.server.inject({ url: '/readyz' });
    return JSON.parse(body).sources.stripe.state;
  };
  const isSaid = () => test.logLines.some((line) => line.includes('"fault":"unauthorized"') && line.includes('"level":50'));

  it('marks nothing as gone, though it is told so of everybody, and is said in the log and by readyz', async () => {
    expect(await kept()).toEqual(all);
    const refused = { source: 'stripe', why: 'unauthorized' };
    for (const id of ids) stripe.updateCustomer(id, { name: 'renamed' });
    stripe.forget(...ids);
    await expect(test.app.sources.syncAll()).rejects.toMatchObject(refused);
    expect([await kept(), await state(), isSaid()]).toEqual([all, 'unauthorized', true]);
    // Nor does a look-up, which finds nobody there, for whoever opens a ticket or because a link is decided anew.
    test.clock.forward(day);
    await tamperedLinks();
    await expect(test.app.sources.syncAll()).rejects.toMatchObject(refused);
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    expect(await test.app.sources.refreshPayments(id)).toBe(false);
    expect([await kept(), await state()]).toEqual([all, 'unauthorized']);
    // The next start finds it before anything is read, and without a word of a customer.
    await test.restart();
    await expect(test.app.sources.syncAll()).rejects.toMatchObject(refused);
    expect([await kept(), await state()]).toEqual([all, 'unauthorized']);
  });

  /** As a helpdesk does that says something else of every customer. */
  const tamperedLinks = async () => {
    for (const number of people)
      helpdesk.put(String(number), {
        customer: helpdeskCustomer(`person-${number}`, { email: `new-${number}@people.example.com` }),
      });
  };

  it('of the other mode says so, customer by customer', async () => {
    const message =
      "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used to make this request.";
    const error = { type: 'invalid_request_error', code: 'resource_missing', param: 'id', message };
    for (const id of ids) stripe.updateCustomer(id, { name: 'renamed' });
    stripe.failNext(1_000, { kind: 'status', status: 404, body: { error } }, /\/v1\/customers\/cus_/);
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ source: 'stripe', why: 'unauthorized' });
    expect([await kept(), await state(), isSaid()]).toEqual([all, 'unauthorized', true]);
    stripe.recover();
    await test.app.sources.syncAll();
    expect([await kept(), await state()]).toEqual([all, 'ok']);
  });

  it('is not what a customer is that was deleted, or alone isn’t there any more', async () => {
    const [deleted, vanished] = ids as [string, string];
    stripe.deleteCustomer(deleted);
    stripe.updateCustomer(vanished, { name: 'renamed' });
    stripe.forget(vanished);
    await test.app.sources.syncAll();
    expect(await kept()).toEqual({ linked: 1, gone: 2, removed: 2 });
    expect(await state()).toBe('ok');
  });
});

describe('a helpdesk account that sees nothing any more', () => {
  const references = ['1', '2', '3'];
  let helpdesk: ScriptedHelpdesk;
  let test: TestApp;

  beforeEach(async () => {
    helpdesk = new ScriptedHelpdesk('demo');
    for (const reference of references) helpdesk.put(reference);
    test = await TestApp.start({ connectors: { demo: helpdesk } });
    helpdesk.now = test.clock.now;
  });
  afterEach(() => test.stop());

  const open = () => countOf(test, 'helpdesk_ticket', "status = 'OPEN' AND team = 'cards'");
  const state = async () => JSON.parse((await test.server.inject({ url: '/readyz' })).body).sources.demo.state;

  it('closes no ticket, and is told of; one ticket that is gone alone is closed', async () => {
    const query =
      'query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) { freshness { stale } customer { id } } }';
    expect((await test.as('ana', query, { reference: '1' })).errors).toBeUndefined();
    test.clock.forward(1_000);
    for (const reference of references) helpdesk.hidden.add(reference);
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ source: 'demo', why: 'unauthorized' });
    expect([await open(), await state()]).toEqual([3, 'unauthorized']);
    // As long as that stands a poll that finds nothing new says nothing good.
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ source: 'demo', why: 'unauthorized' });
    expect([await open(), await state()]).toEqual([3, 'unauthorized']);
    // Nobody is shown what can't be confirmed, all the same.
    test.clock.forward(60_000);
    expect(told(await test.as('ana', query, { reference: '1' })).data).toEqual({
      ticketByReference: { freshness: { stale: true }, customer: null },
    });
    for (const reference of ['2', '3']) helpdesk.hidden.delete(reference);
    await test.app.sources.syncAll();
    expect([await open(), await state()]).toEqual([2, 'ok']);
  });
});
