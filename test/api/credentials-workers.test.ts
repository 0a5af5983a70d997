import { DemoPayments } from '../../src/development/sources/demo-payments';
import { describeError } from '../../src/log';
import { countOf, policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, flaws, readUpdate, transitionsAndEvents, Updates } from '../support/credentials';
import { engine } from '../support/database';

const minute = 60_000;

let test: TestApp;
let updates: Updates;
/** One provider, whichever gateway asks it. */
const start = async () => {
  let now = () => new Date(Date.UTC(2026, 8, 1, 9));
  const provider = new DemoPayments({
    seed: 1,
    size: 0.02,
    anchor: now(),
    source: 'demo-pay',
    helpdeskSource: 'demo',
    clock: { now: () => now() },
  });
  test = await TestApp.start({
    connectors: { 'demo-pay': provider },
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']),
  });
  now = test.clock.now;
  updates = new Updates(test);
};
beforeAll(start);
afterEach(async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
});
afterAll(() => test.stop());

const confirmed = async (of: Case, method = of.usual): Promise<string> => {
  const { id, token } = await updates.asked(of, method, 'BILLING_ADDRESS');
  expect((await updates.confirm(token)).outcome).toBe('confirmed');
  return id;
};
const failed = async (id: string) => {
  await updates.drain();
  const { data } = await test.as('ana', readUpdate, { id });
  return [data.credentialUpdate.state, data.credentialUpdate.failure, updates.executions(id)];
};

describe('what must still be so when an update is applied', () => {
  it('is whose customer it is: a link that became less sure ends it', async () => {
    const of = await updates.next();
    const id = await confirmed(of);
    await updates.changeCustomer(of, { helpdeskReference: null, email: 'somebody.else@people.example.com' });
    // Without a link nothing that tells of payments is shown, the reason neither: it stands in the row.
    expect(await failed(id)).toEqual(['FAILED', null, []]);
    expect((await updates.row(id)).failure).toBe('LINK_CHANGED');
  });

  it.each<[string, string, (of: Case) => unknown]>([
    [
      'its expiry',
      'CHANGED_MEANWHILE',
      ({ payer, usual }) => test.payments.changeMethod(payer, usual.reference, { expiryYear: 2039 }),
    ],
    [
      'its address',
      'CHANGED_MEANWHILE',
      ({ payer, usual }) =>
        test.payments.changeMethod(payer, usual.reference, {
          billingAddress: { line1: 'Elsewhere 1', line2: null, city: 'Cork', postalCode: null, country: 'IE' },
        }),
    ],
    [
      'that it is there',
      'METHOD_GONE',
      ({ payer, usual }) => test.payments.changeMethod(payer, usual.reference, { status: 'REMOVED' }),
    ],
  ])('is the method: %s', async (_, why, change) => {
    const of = await updates.next({ methods: 1 });
    const id = await confirmed(of);
    change(of);
    expect(await failed(id)).toEqual(['FAILED', why, []]);
  });

  it('is not what the customer didn’t decide about: another method may have become the default meanwhile', async () => {
    const of = await updates.next();
    const id = await confirmed(of);
    test.payments.changeMethod(of.payer, of.other.reference, { isDefault: true });
    expect(await failed(id)).toEqual(['APPLIED', null, ['SET_ADDRESS']]);
  });

  it('is which method is the default, where that was decided about', async () => {
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.other, 'SET_DEFAULT');
    await updates.confirm(token);
    test.payments.changeMethod(of.payer, of.other.reference, { isDefault: true });
    expect(await failed(id)).toEqual(['FAILED', 'CHANGED_MEANWHILE', []]);
  });
});

describe('a worker', () => {
  it('that lost its update to another one writes nothing any more, and the call is made once', async () => {
    const of = await updates.next({ methods: 1 });
    const id = await confirmed(of);
    const perform = updates.provider.perform.bind(updates.provider);
    let calls = 0;
    let secondIsThrough = () => {};
    let firstIsAsked = () => {};
    const through = new Promise<void>((resolve) => {
      secondIsThrough = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      firstIsAsked = resolve;
    });
    updates.provider.perform = async (step, key) => {
      calls += 1;
      if (calls > 1) return perform(step, key).finally(secondIsThrough);
      firstIsAsked();
      await through;
      return perform(step, key);
    };
    const first = updates.drain();
    await asked;
    // Longer than the lease: the first may be dead, for all that the second knows.
    test.clock.forward(2 * minute);
    await Promise.all([first, updates.wait(5 * minute)]);
    updates.provider.perform = perform;
    expect(calls).toBe(2);
    expect(updates.executions(id)).toEqual(['SET_ADDRESS']);
    expect(await updates.path(id)).toEqual([
      'REQUESTED',
      'AWAITING_CUSTOMER',
      'APPLYING',
      'UNKNOWN ANSWER_LOST',
      'APPLYING ABSENCE_PROVEN',
      'APPLIED',
    ]);
    expect(test.logLines.filter((line) => line.includes('lease-lost'))).toHaveLength(1);
  });

  it('is one of two at a time, though both look at the same updates at once', async () => {
    const other = engine === 'mariadb' ? await test.replica() : test.app;
    const ids: string[] = [];
    for (let count = 0; count < 6; count += 1) ids.push(await confirmed(await updates.next({ methods: 1 })));
    await Promise.all([test.app, other, test.app, other].map(({ services }) => services.jobs.drain()));
    await updates.wait(5 * minute);
    if (other !== test.app) await other.close();
    expect(await Promise.all(ids.map((id) => updates.state(id)))).toEqual(ids.map(() => 'APPLIED'));
    expect(ids.map((id) => updates.executions(id))).toEqual(ids.map(() => ['SET_ADDRESS']));
    expect(await countOf(test, 'credential_link')).toBe(await countOf(test, 'credential_update'));
  });

  it('that fails in a way nobody expected says so without a word of what it handled, and tries again', async () => {
    const of = await updates.next({ methods: 1 });
    const id = await confirmed(of);
    updates.before('SET_ADDRESS', () => {
      throw new TypeError('Quay Street 123, Galway');
    });
    const logged = test.logLines.length;
    await updates.drain();
    const lines = test.logLines.slice(logged).join('');
    expect(JSON.parse(lines.split('\n')[0] ?? '{}')).toMatchObject({
      job: 'PROVIDER',
      update: id,
      fault: 'internal',
      error: { name: describeError(new TypeError()).name },
    });
    expect(lines).not.toContain('Quay Street');
    await updates.wait(5 * minute);
    expect(await updates.state(id)).toBe('APPLIED');
    expect(updates.executions(id)).toEqual(['SET_ADDRESS']);
  });
});
