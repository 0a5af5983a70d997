import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { HeldPayments, hour, releaseMutation } from '../support/holds';
import { helpdeskCustomer, ScriptedHelpdesk } from '../support/scripted-sources';
import { besideDemo, StripeShapedServer } from '../support/stripe-shaped-server';

describe('a hold at Stripe', () => {
  let stripe: StripeShapedServer;
  let test: TestApp;
  let held: HeldPayments;
  let customer: string;
  let subscription: string;
  beforeEach(async () => {
    stripe = await StripeShapedServer.start();
    stripe.now = Date.UTC(2026, 8, 1, 9) / 1_000;
    customer = stripe.createCustomer({ metadata: { helpdesk_customer: 'demo:one' } }).id;
    stripe.attachPaymentMethod(customer);
    subscription = stripe.createSubscription(customer, { current_period_end: stripe.now + 7_200 }).id;
    const helpdesk = new ScriptedHelpdesk('demo');
    helpdesk.put('1', { customer: helpdeskCustomer('one') });
    const { helpdesk: desks, payments } = besideDemo(stripe, { retries: 0 });
    const radarLists = { block: 'blocked', review: 'looked_at', added: 'counterfoil_added' };
    test = await TestApp.start({
      connectors: { demo: helpdesk },
      config: { sources: { helpdesk: desks, payments: payments.map((each) => ({ ...each, radarLists })) } },
    });
    helpdesk.now = test.clock.now;
    held = new HeldPayments(test);
    await held.open('ana', '1');
  });
  afterEach(async () => {
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await test.stop();
    await stripe.close();
  });

  const forward = (milliseconds: number) => {
    test.clock.forward(milliseconds);
    stripe.now = test.clock.now().getTime() / 1_000;
  };
  const blocked = () => stripe.createValueList('blocked', 'customer_id').id;
  const valuesIn = (list: string) => stripe.valueListItems(list).map(({ value }) => value);
  const marks = () => stripe.valueListItems(stripe.valueListCalled('counterfoil_added')?.id ?? '');
  const pause = () => stripe.get(subscription).pause_collection;
  const place = (...effects: readonly string[]) => held.placed('ana', '1', { effects });

  it('pauses renewals and blocks new payments until its end, and takes both back when it is released', async () => {
    const list = blocked();
    const id = await place('PAUSE_RENEWAL', 'BLOCK_NEW');
    await held.drain();
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER, PAUSE_RENEWAL APPLIED PROVIDER');
    expect(pause()).toEqual({ behavior: 'keep_as_draft', resumes_at: stripe.now + hour / 1_000 });
    expect(valuesIn(list)).toEqual([customer]);
    expect(told(await test.as('ana', releaseMutation, { id })).errors).toEqual([]);
    await held.drain();
    expect(await held.stored(id)).toBe('RELEASED, BLOCK_NEW REVERSED PROVIDER, PAUSE_RENEWAL REVERSED PROVIDER');
    expect([pause(), valuesIn(list), marks()]).toEqual([null, [], []]);
    // Neither who it is there, nor what stands for it, is in the log or in clear in a table.
    const tables = await Promise.all(
      ['audit_event', 'payment_hold', 'payment_hold_step'].map((name) => test.app.database.query(`SELECT * FROM ${name}`)),
    );
    expect(JSON.stringify([tables, test.logLines])).not.toMatch(new RegExp(`${customer}|${subscription}`));
  });

  it('takes back what it did, though its row says that the calls for it are written down already', async () => {
    const list = blocked();
    const id = await place('PAUSE_RENEWAL', 'BLOCK_NEW');
    await held.drain();
    expect(told(await test.as('ana', releaseMutation, { id })).errors).toEqual([]);
    await tamper(test.app.database, 'UPDATE payment_hold SET planned = 1 WHERE id = ?', [id]);
    await held.drain();
    expect(await held.stored(id)).toBe('RELEASED, BLOCK_NEW REVERSED PROVIDER, PAUSE_RENEWAL REVERSED PROVIDER');
    expect([pause(), valuesIn(list), marks()]).toEqual([null, [], []]);
  });

  it('takes nothing away that the merchant had put there, and doesn’t touch a subscription that they paused', async () => {
    const list = blocked();
    const theirs = { behavior: 'void', resumes_at: null };
    stripe.addValueListItem(list, customer);
    stripe.updateSubscription(subscription, { pause_collection: theirs });
    forward(1_000);
    const id = await place('PAUSE_RENEWAL', 'BLOCK_NEW');
    await held.drain();
    await test.as('ana', releaseMutation, { id });
    await held.drain();
    expect(await held.stored(id)).toMatch(/^RELEASED, /);
    expect([pause(), valuesIn(list)]).toEqual([theirs, [customer]]);
  });

  it('is brought about once where answers are lost', async () => {
    const list = blocked();
    stripe.failNext(1, { kind: 'slow', milliseconds: 0 }, /value_list_items$/);
    stripe.failNext(2, { kind: 'close', executed: true }, /value_list_items$/);
    const id = await place('BLOCK_NEW');
    for (let tries = 0; tries < 12 && !(await held.stored(id)).startsWith('ACTIVE'); tries += 1) {
      await held.drain();
      forward(200_000);
    }
    expect(await held.stored(id)).toBe('ACTIVE, BLOCK_NEW APPLIED PROVIDER');
    expect(valuesIn(list)).toEqual([customer]);
    await test.as('ana', releaseMutation, { id });
    for (let tries = 0; tries < 12 && !(await held.stored(id)).startsWith('RELEASED'); tries += 1) {
      await held.drain();
      forward(60_000);
    }
    expect([await held.stored(id), valuesIn(list)]).toEqual(['RELEASED, BLOCK_NEW REVERSED PROVIDER', []]);
  });

  it('says that it couldn’t where the list isn’t there, and stands in the pipeline’s way all the same', async () => {
    const id = await place('BLOCK_NEW');
    await held.drain();
    const [, effect] = (await held.stored(id)).split(', ');
    expect(effect).toMatch(/^BLOCK_NEW (?:NOT_POSSIBLE|APPLIED PIPELINE)/);
    expect(effect).not.toContain('APPLIED PROVIDER');
    expect(await countOf(test, 'payment_hold_step', "state = 'DONE'")).toBe(0);
  });

  it('goes on where its time is over and nobody tells Stripe: the pause has its own end', async () => {
    await place('PAUSE_RENEWAL');
    await held.drain();
    const { resumes_at: resumesAt } = pause() as { resumes_at: number };
    expect(resumesAt * 1_000).toBe(test.clock.now().getTime() + hour);
  });
});
